import { CommandError, exitCodes } from '../exit-codes.ts';

/** A line longer than this is no answer of Cairn: its largest record is 256 KiB. */
const longestLine = 16 * 1024 * 1024;

/** Splits a body into its lines, without their ends (`\n` or `\r\n`). Bytes are not decoded. */
export async function* readLines(body: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  const take = (): Buffer => {
    const line = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
    parts = [];
    size = 0;
    return line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
  };
  for await (const piece of body) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      parts.push(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start));
      size += chunk.length - start;
    }
    if (size > longestLine) {
      throw new CommandError('the server sent a line of more than 16 MiB', exitCodes.serverFailed);
    }
  }
  if (parts.length > 0) yield take();
}
