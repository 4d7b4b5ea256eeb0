import { nodeFileSystem } from './embedded/node-file-system.ts';
import { readWholeFile, writeWholeFile } from './embedded/whole-file.ts';

/** Replaces a small file that a part keeps for itself: after a crash there is the old text or the new, durable once it resolves. */
export const replaceText = (path: string, text: string): Promise<void> =>
  writeWholeFile(nodeFileSystem, path, Buffer.from(text));

/** The text of such a file; undefined when there is none. */
export const readText = async (path: string): Promise<string | undefined> =>
  (await readWholeFile(nodeFileSystem, path))?.toString();
