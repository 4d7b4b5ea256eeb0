import type { Clock } from '../../kernel/index.ts';
import type { ByteRange } from '../blob-port.ts';
import { codeOf, type FileSystem } from './file-system.ts';

/** A read on this thread that took longer was not answered from memory, or the machine has too much to do. */
const slowMs = 2;
/** After one, reads go through other threads for so many times as long: a slow disk takes a twentieth of this thread's time. */
const pauseFactor = 20;

async function readThroughPool(
  files: FileSystem,
  path: string,
  position: number,
  into: Buffer,
): Promise<number> {
  await using file = await files.open(path, 'read');
  return await file.read(into, position);
}

/**
 * Reads of a few bytes of many files. Where the system has a file in its memory, which is usual, handing the work to another
 * thread takes several times longer than the work, so it is done on this one, until a read shows that it waited for a disk.
 * Gives the bytes that are there of the range; undefined when there is no such file.
 */
export function openSmallReads(
  files: FileSystem,
  clock: Pick<Clock, 'monotonic'>,
): (path: string, range: ByteRange) => Promise<Buffer | undefined> {
  let notBefore = -Infinity;

  function readNow(path: string, position: number, into: Buffer): number | undefined {
    const started = clock.monotonic();
    if (!files.readNow || started < notBefore) return undefined;
    try {
      return files.readNow(path, into, position);
    } finally {
      const ended = clock.monotonic();
      const tookMs = ended - started;
      if (tookMs > slowMs) notBefore = ended + pauseFactor * tookMs;
    }
  }

  return async (path, range) => {
    const first = Math.max(0, range.first);
    const bytes = Buffer.allocUnsafe(Math.max(0, range.last + 1 - first));
    try {
      const read = readNow(path, first, bytes) ?? (await readThroughPool(files, path, first, bytes));
      return bytes.subarray(0, read);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  };
}
