import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogFileBody } from './log-file-body.ts';

export interface LogFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Reads a file that is not on this machine's disk. */
  readonly open?: () => Promise<LogFileBody>;
  /** Of its bytes, where that is known without reading them. */
  readonly sha256?: string;
}

export interface Unreadable {
  readonly path: string;
  readonly reason: string;
}

/** What was found under the paths that were given. */
export interface Walk {
  /** In the order of their names within each directory, so that AWS's date folders are imported oldest first. */
  readonly files: readonly LogFile[];
  readonly unreadable: readonly Unreadable[];
  /**
   * Files that are no CloudTrail log files though they end in `.json.gz` (digests and AWS Config's files), and those whose names
   * end otherwise. They are counted and named in the summary, so that nothing is passed over silently.
   */
  readonly passedOver: readonly { readonly what: string; readonly count: number }[];
}

/** AWS writes what a file is into its name ("CloudTrail log file examples", "Config: delivery channel"). */
const otherKinds: readonly { readonly what: string; readonly name: RegExp }[] = [
  { what: 'CloudTrail digest file', name: /^\d{12}_CloudTrail-Digest_/ },
  {
    what: 'AWS Config file',
    name: /^\d{12}_Config_[a-z0-9-]+_(ConfigHistory|ConfigSnapshot|ChangeNotification)_/,
  },
];

/** What a file is that is no log file, by its name; undefined when the name says nothing of the kind. */
export function otherKindOf(name: string): string | undefined {
  return otherKinds.find((kind) => kind.name.test(name))?.what;
}

/** What a file is called in the summary that is passed over for its name alone. */
export const otherName = 'other file';

export function isLogName(name: string): boolean {
  return /\.json(\.gz)?$/i.test(name);
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'no such file or directory';
    case 'EACCES':
    case 'EPERM':
      return 'no permission to read it';
    case 'ELOOP':
      return 'a symbolic link that leads to itself';
    case undefined:
    default:
      return message;
  }
}

/**
 * Finds the log files under `paths`. A path that is a file is taken whatever its name; in directories, and in the
 * directories below, the files that end in `.json` or `.json.gz`. Symbolic links are followed; a directory that was
 * visited before is not visited again, so links that form a circle end.
 */
export async function findLogFiles(paths: readonly string[], signal?: AbortSignal): Promise<Walk> {
  const files: LogFile[] = [];
  const unreadable: Unreadable[] = [];
  const passed = new Map<string, number>();
  const visited = new Set<string>();

  const visitDirectory = async (directory: string, identity: string): Promise<void> => {
    if (visited.has(identity)) return;
    visited.add(identity);
    const names: string[] = [];
    try {
      for await (const entry of await opendir(directory)) names.push(entry.name);
    } catch (error) {
      unreadable.push({ path: directory, reason: explain(error) });
      return;
    }
    for (const name of names.toSorted()) await visit(join(directory, name), name, false);
  };

  const visit = async (path: string, name: string, given: boolean): Promise<void> => {
    signal?.throwIfAborted();
    try {
      const found = await stat(path, { bigint: true });
      if (found.isDirectory()) {
        await visitDirectory(path, `${found.dev}:${found.ino}`);
        return;
      }
      const other = given ? undefined : isLogName(name) ? otherKindOf(name) : otherName;
      if (other !== undefined) {
        passed.set(other, (passed.get(other) ?? 0) + 1);
      } else if (found.isFile()) {
        files.push({ path, sizeBytes: Number(found.size) });
      } else {
        unreadable.push({ path, reason: 'neither a file nor a directory' });
      }
    } catch (error) {
      signal?.throwIfAborted();
      // A link to nowhere whose name is not a log file's has nothing to do with the import.
      if (given || isLogName(name)) unreadable.push({ path, reason: explain(error) });
    }
  };

  for (const path of paths) await visit(path, path, true);
  return { files, unreadable, passedOver: [...passed].map(([what, count]) => ({ what, count })) };
}
