import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { ColumnsRow, GatheredRows } from '../../columns-port.ts';
import { openReusedMemory, type Memory } from '../reused-memory.ts';

/** Rows on their way to a seal, in a file: for each a line with its sequence and its payload. */
export interface StagedRows extends GatheredRows {
  readonly file: string;
  /** No more rows are added. Once all of them are in the file, the engine can read it. */
  finish(): Promise<void>;
}

const newline = 0x0a;
const space = 0x20;
const lineEnd = Buffer.from('}\n');

/** A JSON object on one line: outside of its texts, where line ends stand, a blank means the same. */
function onOneLine(payload: Uint8Array): Uint8Array {
  if (!payload.includes(newline)) return payload;
  return payload.map((byte) => (byte === newline ? space : byte));
}

/** The lines of rows, in `memory`. */
function linesOf(rows: readonly ColumnsRow[], memory: Memory): Buffer {
  const heads = rows.map((row) => `{"s":${row.sequence},"r":`);
  const sizeBytes = rows.reduce(
    (sum, { payload }, index) => sum + (heads[index]?.length ?? 0) + payload.length + lineEnd.length,
    0,
  );
  const lines = memory(sizeBytes);
  let at = 0;
  for (const [index, { payload }] of rows.entries()) {
    at += lines.write(heads[index] ?? '', at, 'latin1');
    lines.set(onOneLine(payload), at);
    at += payload.length;
    lines.set(lineEnd, at);
    at += lineEnd.length;
  }
  return lines;
}

/** Opens a new file for rows; it is removed, and `removed` told, when they are let go of. */
export async function openStagedRows(file: string, removed: (rows: StagedRows) => void): Promise<StagedRows> {
  const handle = await open(file, 'w', 0o600);
  let count = 0;
  let sizeBytes = 0;
  let finished: Promise<void> | undefined;
  /** One `add` runs at a time. */
  const memory = openReusedMemory();
  const close = async (): Promise<void> => {
    // Behind the rows there may be a part of some that found no room.
    await handle.truncate(sizeBytes);
    await handle.close();
  };
  const staged: StagedRows = {
    file,
    get count() {
      return count;
    },
    get sizeBytes() {
      return sizeBytes;
    },
    async add(rows) {
      const lines = linesOf(rows, memory);
      for (let done = 0; done < lines.length;) {
        const { bytesWritten } = await handle.write(lines, done, lines.length - done, sizeBytes + done);
        done += bytesWritten;
      }
      sizeBytes += lines.length;
      count += rows.length;
    },
    finish: () => (finished ??= close()),
    async [Symbol.asyncDispose]() {
      removed(staged);
      await (finished ??= handle.close());
      await rm(file, { force: true });
    },
  };
  return staged;
}

const readBytes = 4 * 1024 * 1024;

/** The row of a line, as `linesOf` makes it. */
function rowOf(line: Buffer): ColumnsRow {
  const comma = line.indexOf(',');
  const sequence = Number(line.toString('latin1', '{"s":'.length, comma));
  return { sequence, payload: line.subarray(comma + ',"r":'.length, -1) };
}

/** Copies the rows of a finished file into two new ones: the first half of them, and the rest. */
export async function halve(
  staged: StagedRows,
  [first, second]: readonly [StagedRows, StagedRows],
): Promise<void> {
  let left = Buffer.alloc(0);
  for await (const chunk of createReadStream(staged.file, { highWaterMark: readBytes })) {
    const bytes = Buffer.concat([left, chunk as Buffer]);
    const rows: ColumnsRow[] = [];
    let at = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, at)) {
      rows.push(rowOf(bytes.subarray(at, end)));
      at = end + 1;
    }
    left = bytes.subarray(at);
    const room = Math.max(0, Math.floor(staged.count / 2) - first.count);
    if (room > 0) await first.add(rows.slice(0, room));
    await second.add(rows.slice(room));
  }
}
