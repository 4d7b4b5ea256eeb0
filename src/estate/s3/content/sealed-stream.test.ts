import { assert, asyncProperty, constantFrom, integer, nat, oneof, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../kernel/index.ts';
import { chunkBytes, ContentDamagedError, openSealed, sealStream } from './sealed-stream.ts';

const seed = 20_261_123;
const tagBytes = 16;
const storedChunk = chunkBytes + tagBytes;
const random = seededRandom(seed);
const dataKey = random.bytes(32);

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

const seal = (plain: Uint8Array, blob = 'blob', piece = 10_000) =>
  collect(sealStream(dataKey, blob, pieces(plain, piece)));

const open = (
  sealed: Uint8Array,
  sizeBytes: number,
  first = 0,
  last = sizeBytes - 1,
  { blob = 'blob', key = dataKey, piece = 50_000 } = {},
) =>
  collect(
    openSealed({
      dataKey: key,
      blob,
      sizeBytes,
      first,
      last,
      get: async (range) => pieces(sealed.subarray(range.first, range.last + 1), piece),
    }),
  );

const sizes = oneof(
  constantFrom(1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes, 3 * chunkBytes + 7),
  integer({ min: 1, max: 3 * chunkBytes }),
);

describe('sealed streams', () => {
  it('give back any range of what was sealed, however it came in pieces', async () => {
    await assert(
      asyncProperty(
        record({ size: sizes, a: nat(), b: nat(), piece: integer({ min: 1000, max: 300_000 }) }),
        async ({ size, a, b, piece }) => {
          const plain = random.bytes(size);
          const sealed = await seal(plain, 'blob', piece);
          expect(sealed.length).toBe(size + Math.ceil(size / chunkBytes) * tagBytes);
          const [first, last] = [a % size, b % size].toSorted((x, y) => x - y) as [number, number];
          const read = await open(sealed, size, first, last, { piece });
          expect(read.equals(plain.subarray(first, last + 1))).toBe(true);
        },
      ),
      { numRuns: 60, seed },
    );
  });

  it('hold nothing of the plain text, and an empty one has an authenticated chunk', async () => {
    const plain = Buffer.alloc(200_000, 'the quick brown fox ');
    expect((await seal(plain)).includes('quick')).toBe(false);
    expect((await seal(new Uint8Array())).length).toBe(tagBytes);
    expect((await open(await seal(new Uint8Array()), 0)).length).toBe(0);
  });

  it('are refused when any bit of what is read was flipped', async () => {
    const size = 2 * chunkBytes + 1000;
    const plain = random.bytes(size);
    const sealed = await seal(plain);
    await assert(
      asyncProperty(nat(sealed.length - 1), nat(7), async (at, bit) => {
        const damaged = Buffer.from(sealed);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        await expect(open(damaged, size)).rejects.toThrow(ContentDamagedError);
        // Chunks that were not touched are read all the same.
        const chunk = Math.floor(at / storedChunk);
        const other = chunk === 0 ? 1 : 0;
        const whole = { first: other * chunkBytes, last: (other + 1) * chunkBytes - 1 };
        const read = await open(damaged, size, whole.first, whole.last);
        expect(read.equals(plain.subarray(whole.first, whole.last + 1))).toBe(true);
      }),
      { numRuns: 100, seed },
    );
  });

  it('are refused when chunks were swapped, left out, cut off, or are those of another blob or key', async () => {
    const size = 3 * chunkBytes;
    const sealed = await seal(random.bytes(size));
    const chunk = (at: number) => sealed.subarray(at * storedChunk, (at + 1) * storedChunk);
    for (const wrong of [
      Buffer.concat([chunk(1), chunk(0), chunk(2)]),
      Buffer.concat([chunk(0), chunk(2)]),
      Buffer.concat([chunk(0), chunk(1)]),
      sealed.subarray(0, -1),
      sealed.subarray(0, 5),
      Buffer.alloc(0),
    ]) {
      await expect(open(wrong, size)).rejects.toThrow(ContentDamagedError);
    }
    await expect(open(sealed, size, 0, 9, { blob: 'other' })).rejects.toThrow(ContentDamagedError);
    await expect(open(sealed, size, 0, 9, { key: random.bytes(32) })).rejects.toThrow(ContentDamagedError);
    // A blob that was cut behind a whole chunk does not pass for a shorter one.
    await expect(open(sealed.subarray(0, storedChunk), chunkBytes)).rejects.toThrow(ContentDamagedError);
  });

  it('say when the blob is gone', async () => {
    const gone = openSealed({
      dataKey,
      blob: 'b',
      sizeBytes: 1,
      first: 0,
      last: 0,
      get: async () => undefined,
    });
    await expect(collect(gone)).rejects.toThrow(ContentDamagedError);
  });
});
