import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLines } from './lines.ts';
import { readServerSentEvents } from './server-sent-events.ts';

/** The bytes in pieces, as a network may deliver them. */
async function* inPieces(text: string, sizes: readonly number[]): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text);
  let at = 0;
  for (let piece = 0; at < bytes.length; piece++) {
    const size = sizes[piece % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe('readLines', () => {
  it('gives the same lines however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''))),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        fc.constantFrom('\n', '\r\n'),
        async (lines, sizes, end) => {
          const text = lines.map((line) => line + end).join('');
          const read = await Array.fromAsync(readLines(inPieces(text, sizes)), String);
          expect(read).toEqual(lines);
        },
      ),
    );
  });

  it('gives a last line without an end', async () => {
    expect(await Array.fromAsync(readLines(inPieces('a\nb', [1])), String)).toEqual(['a', 'b']);
  });
});

describe('readServerSentEvents', () => {
  it('reads ids, names and data of several lines, and leaves out comments and empty events', async () => {
    const text =
      'retry: 1000\n\n: heartbeat\n\nid: 7\ndata: {"a":1}\n\nevent: gap\ndata:x\ndata: y\n\nid: 9\n\nid\ndata\n\ndata: cut';
    const quietIds: string[] = [];
    const events = await Array.fromAsync(
      readServerSentEvents(inPieces(text, [3, 1]), (id) => void quietIds.push(id)),
    );
    expect(quietIds).toEqual(['9']);
    expect(events).toEqual([
      { id: '7', event: 'message', data: '{"a":1}' },
      { id: '7', event: 'gap', data: 'x\ny' },
      { id: '', event: 'message', data: '' },
    ]);
  });
});
