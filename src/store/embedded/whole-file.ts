import { dirname } from 'node:path';
import { codeOf, type FileSystem } from './file-system.ts';
import { refuseLost } from './held-directories.ts';

/** The parts of a file's content, one after the other; they may take their time. */
export type Parts = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Puts a file in place as a whole: after a crash there is the old content or the new, durable once it resolves.
 * One call at a time for one path. Rejects with DirectoryLostError in a data directory that is this process's no longer.
 */
export async function writeWholeFileOf(files: FileSystem, path: string, parts: Parts): Promise<void> {
  const unfinished = `${path}.new`;
  refuseLost(path);
  await files.remove(unfinished);
  {
    await using file = await files.open(unfinished, 'create');
    let written = 0;
    for await (const part of parts) {
      await file.write([part], written);
      written += part.length;
    }
    await file.datasync();
  }
  refuseLost(path);
  await files.rename(unfinished, path);
  await files.syncDirectory(dirname(path));
}

/** The same for a small file, whose content is at hand. */
export const writeWholeFile = (files: FileSystem, path: string, content: Uint8Array): Promise<void> =>
  writeWholeFileOf(files, path, [content]);

/** The content of a small file; undefined when there is none. */
export async function readWholeFile(files: FileSystem, path: string): Promise<Buffer | undefined> {
  try {
    await using file = await files.open(path, 'read');
    const content = Buffer.alloc(await file.size());
    return content.subarray(0, await file.read(content, 0));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
