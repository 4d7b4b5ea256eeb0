import { nodeFileSystem } from './embedded/node-file-system.ts';
import { readWholeFile, writeWholeFile, writeWholeFileOf } from './embedded/whole-file.ts';

/** Replaces a small file that a part keeps for itself: after a crash there is the old text or the new, durable once it resolves. */
export const replaceText = (path: string, text: string): Promise<void> =>
  writeWholeFile(nodeFileSystem, path, Buffer.from(text));

async function* bytesOf(texts: AsyncIterable<string>): AsyncIterable<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text);
}

/** The same for a longer one, written as its parts come. */
export const replaceTextOf = (path: string, texts: AsyncIterable<string>): Promise<void> =>
  writeWholeFileOf(nodeFileSystem, path, bytesOf(texts));

/** The text of such a file; undefined when there is none. */
export const readText = async (path: string): Promise<string | undefined> =>
  (await readWholeFile(nodeFileSystem, path))?.toString();
