import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../kernel/index.ts';

/** A row of a result: texts, and null where SQL has none. */
export type ResultRow = readonly (string | null)[];

export interface ResultPage {
  readonly rows: readonly ResultRow[];
  /** Where the next page begins; undefined on the last. */
  readonly next: number | undefined;
}

/** The rows of finished queries, one file for each. */
export interface ResultFiles {
  pathOf(queryId: string): string;
  /** A page of at most `limit` rows from byte `from` on; of large rows there may be fewer. Undefined when there is no file. */
  page(queryId: string, from: number, limit: number): Promise<ResultPage | undefined>;
  /** All rows, a page at a time. */
  pages(queryId: string): AsyncIterable<readonly ResultRow[]>;
  remove(queryId: string): Promise<void>;
}

const newline = 0x0a;
const readBytes = 256 * 1024;

/** Opens the files in a directory that is there. */
export function openResultFiles(directory: string): ResultFiles {
  const pathOf = (queryId: string) => join(directory, `${queryId}.ndjson`);

  const page = async (queryId: string, from: number, limit: number): Promise<ResultPage | undefined> => {
    let handle;
    try {
      handle = await open(pathOf(queryId), 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const rows: ResultRow[] = [];
      // The parts of a line that goes on: of large ones nothing is copied or looked through twice.
      let line: Buffer[] = [];
      let readTo = from;
      let at = from;
      for (;;) {
        const chunk = Buffer.allocUnsafe(readBytes);
        const { bytesRead } = await handle.read(chunk, 0, readBytes, readTo);
        if (bytesRead === 0) return { rows, next: undefined };
        readTo += bytesRead;
        const read = chunk.subarray(0, bytesRead);
        let start = 0;
        for (let end = read.indexOf(newline); end !== -1; end = read.indexOf(newline, start)) {
          if (rows.length >= limit || (rows.length > 0 && at - from > limits.searchPageBytes))
            return { rows, next: at };
          const whole = Buffer.concat([...line, read.subarray(start, end)]);
          rows.push(JSON.parse(whole.toString()) as ResultRow);
          at += whole.length + 1;
          start = end + 1;
          line = [];
        }
        line.push(read.subarray(start));
      }
    } finally {
      await handle.close();
    }
  };

  return {
    pathOf,
    page,
    async *pages(queryId) {
      let from: number | undefined = 0;
      while (from !== undefined) {
        const found: ResultPage | undefined = await page(queryId, from, 10_000);
        if (!found) return;
        yield found.rows;
        from = found.next;
      }
    },
    remove: (queryId) => rm(pathOf(queryId), { force: true }),
  };
}
