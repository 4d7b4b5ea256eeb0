import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { assert, sequence, type Logger, type Sequence } from '../../kernel/index.ts';
import type { Cursors } from '../cursor-port.ts';
import type { FileSystem } from './file-system.ts';
import { nodeFileSystem } from './node-file-system.ts';
import { readWholeFile, writeWholeFile } from './whole-file.ts';

const suffix = '.cursor';

/** One line: the sequence and a checksum over name and sequence, because a flipped digit would skip entries. */
function contentOf(name: string, at: Sequence): string {
  return `${at} ${crc32(`${name} ${at}`).toString(16).padStart(8, '0')}\n`;
}

function parseContent(name: string, content: string): Sequence | undefined {
  const at = sequence(Number(/^\d{1,16} /.exec(content)?.[0]));
  return content === contentOf(name, at) ? at : undefined;
}

/**
 * Opens the cursors kept in a directory, one small file for each reader. A damaged one is said and counts as the
 * journal's start, since applying an entry twice changes nothing and skipping one would.
 */
export async function openFileCursors(options: {
  readonly directory: string;
  readonly log: Logger;
  readonly files?: FileSystem;
}): Promise<Cursors> {
  const { directory, log, files = nodeFileSystem } = options;
  await files.makeDirectory(directory);
  const saved = new Map<string, Sequence>();
  for (const file of await files.names(directory)) {
    if (!file.endsWith(suffix)) continue;
    const name = file.slice(0, -suffix.length);
    const path = join(directory, file);
    const at = parseContent(name, (await readWholeFile(files, path))?.toString() ?? '');
    if (at === undefined)
      log.error({ file: path }, 'a damaged cursor; its reader begins at the start of the journal');
    else saved.set(name, at);
  }

  let last = Promise.resolve();
  async function write(name: string, at: Sequence): Promise<void> {
    await writeWholeFile(files, join(directory, name + suffix), Buffer.from(contentOf(name, at)));
    saved.set(name, at);
  }
  return {
    all: () => saved,
    save(name, at) {
      assert(
        /^[a-z0-9-]{1,100}$/.test(name),
        `a reader's name takes lower case letters, digits and dashes: ${name}`,
      );
      const turn = last.then(() => write(name, at));
      last = turn.catch(() => {});
      return turn;
    },
    async [Symbol.asyncDispose]() {
      await last;
    },
  };
}
