import { createReadStream } from 'node:fs';
import { opendir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BucketSource, StoredFile } from './bucket-source.ts';

/**
 * Beside a digest file may stand its S3 metadata as JSON, as `aws s3api head-object --query Metadata` prints it, because a
 * copy of a bucket loses it.
 */
const metadataSuffix = '.metadata.json';

const pageFiles = 1000;

/** Files up to so long are read in one go, which for most log files takes a third of the work of a stream. */
const wholeBytes = 512 * 1024;

const streamed = (path: string) => createReadStream(path, { highWaterMark: 256 * 1024 });

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** The tag of a file: it changes with every write that the file system knows of. */
async function storedFile(directory: string, key: string): Promise<StoredFile | undefined> {
  const found = await stat(join(directory, key), { bigint: true });
  if (!found.isFile()) return undefined;
  const sidecar = await stat(join(directory, key + metadataSuffix), { bigint: true }).catch(() => undefined);
  const times = [found.mtimeNs, found.ctimeNs, sidecar?.mtimeNs ?? 0n, sidecar?.ctimeNs ?? 0n];
  return { key, sizeBytes: Number(found.size), tag: `${found.size}-${times.join('-')}` };
}

async function readMetadata(path: string): Promise<Readonly<Record<string, string>> | undefined> {
  let text: string;
  try {
    text = await readFile(path + metadataSuffix, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    const entries = Object.entries((value ?? {}) as Record<string, unknown>);
    return Object.fromEntries(
      entries.flatMap(([name, one]) => (typeof one === 'string' ? [[name, one]] : [])),
    );
  } catch {
    return {};
  }
}

/** Opens a directory that holds a copy of a bucket, or of what is below one of its prefixes. */
export function openDirectorySource(directory: string): BucketSource {
  const entries = async function* (prefix: string) {
    try {
      for await (const entry of await opendir(join(directory, prefix))) yield entry;
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  };
  const walk = async function* (prefix: string): AsyncIterable<StoredFile> {
    for await (const entry of entries(prefix)) {
      const key = prefix + entry.name;
      if (entry.isDirectory()) yield* walk(`${key}/`);
      else if (!key.endsWith(metadataSuffix)) {
        const file = await storedFile(directory, key);
        if (file) yield file;
      }
    }
  };
  return {
    bucket: undefined,
    show: (key) => join(directory, key),
    async folders(prefix) {
      const names: string[] = [];
      for await (const entry of entries(prefix)) if (entry.isDirectory()) names.push(entry.name);
      return names.toSorted();
    },
    async *list(prefix, after) {
      let page: StoredFile[] = [];
      for await (const file of walk(prefix)) {
        if (after !== undefined && file.key <= after) continue;
        page.push(file);
        if (page.length < pageFiles) continue;
        yield page;
        page = [];
      }
      yield page;
    },
    async read(key, options) {
      const path = join(directory, key);
      try {
        const file = await storedFile(directory, key);
        if (!file) return undefined;
        const metadata = options?.withMetadata ? await readMetadata(path) : undefined;
        return {
          ...file,
          metadata,
          body: file.sizeBytes > wholeBytes ? streamed(path) : once(await readFile(path)),
        };
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    close: () => undefined,
  };
}
