import { deflateRawSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../trail/digests/index.ts';
import { readGzip, type BrokenGzip, type GzipMember } from './gzip-member.ts';

async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Both ways of reading: in one piece, and streaming, which a large size asks for. */
async function readBothWays(bytes: Buffer, piece = 1000): Promise<GzipMember | BrokenGzip> {
  const whole = await readGzip({ body: inPieces(bytes, piece), sizeBytes: bytes.length });
  const streamed = await readGzip({ body: inPieces(bytes, piece), sizeBytes: Infinity });
  expect(streamed.kind).toBe(whole.kind);
  if (whole.kind === 'member') expect(streamed).toEqual(whole);
  return whole;
}

const text = Buffer.from(
  JSON.stringify({ Records: Array.from({ length: 40 }, (_, id) => ({ id, name: `n${id % 7}` })) }),
);

describe('readGzip', () => {
  it('hashes what one member holds, in any pieces and at any level', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 5000 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 0, max: 9 }),
        async (content, piece, level) => {
          const read = await readBothWays(gzipSync(content, { level }), piece);
          expect(read).toMatchObject({
            kind: 'member',
            sha256: sha256Hex(content),
            sizeBytes: content.length,
            paddingIsSet: false,
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('reads optional members of the header', async () => {
    const plain = gzipSync(text);
    const header = Buffer.from([0x1f, 0x8b, 8, 4 | 8 | 16, 0, 0, 0, 0, 0, 3]);
    const extra = Buffer.from([3, 0, 1, 2, 3]);
    const named = Buffer.concat([header, extra, Buffer.from('name\0comment\0'), plain.subarray(10)]);
    const read = await readBothWays(named, 3);
    expect(read).toMatchObject({ kind: 'member', sha256: sha256Hex(text), wrapping: '1c000000000003' });
  });

  it('sees every bit that is flipped', async () => {
    const usual = '00000000000003';
    for (const bytes of [gzipSync(text), gzipSync(''), gzipSync('a'), gzipSync(sha256Hex('x'))]) {
      const before = await readBothWays(bytes);
      expect(before).toMatchObject({ kind: 'member', wrapping: usual, paddingIsSet: false });
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const after = await readGzip({ body: inPieces(flipped, 5000), sizeBytes: flipped.length });
        const isSame = after.kind === 'member' && after.wrapping === usual && !after.paddingIsSet;
        if (isSame) expect.fail(`bit ${bit} of ${bytes.length * 8}`);
      }
    }
  });

  it('streams what unpacks to much, and counts what follows', async () => {
    const large = Buffer.alloc(40_000_000, 'abc');
    const packed = gzipSync(large);
    expect(await readBothWays(packed, 10_000)).toMatchObject({
      kind: 'member',
      sizeBytes: large.length,
      sha256: sha256Hex(large),
    });
    expect(await readBothWays(Buffer.concat([packed, packed]), 10_000)).toMatchObject({
      kind: 'trailing-bytes',
    });
  });

  it.each([
    ['not-gzip', Buffer.alloc(0)],
    ['not-gzip', Buffer.from([0x1f])],
    ['not-gzip', Buffer.from('{"Records":[]}')],
    ['not-gzip', deflateRawSync(text)],
    ['damaged', gzipSync(text).subarray(0, -1)],
    ['damaged', gzipSync(text).subarray(0, 40)],
    ['trailing-bytes', Buffer.concat([gzipSync(text), Buffer.from([0])])],
    ['trailing-bytes', Buffer.concat([gzipSync(text), gzipSync('')])],
    ['trailing-bytes', Buffer.concat([gzipSync(text), Buffer.alloc(5000)])],
  ])('calls it %s', async (kind, bytes) => {
    expect((await readBothWays(bytes)).kind).toBe(kind);
  });
});
