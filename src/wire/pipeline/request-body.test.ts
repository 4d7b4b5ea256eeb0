import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsFault, limits, OverloadError } from '../../kernel/index.ts';
import { openBodyMemory } from '../http/index.ts';
import { decodeContent } from './request-body.ts';

const memory = () => openBodyMemory(limits.requestBytesInFlight);

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'taken';
  } catch (error) {
    if (error instanceof AwsFault) return error.code;
    throw error;
  }
}

describe('Content-Encoding of a request', () => {
  it('gzip is undone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        const decoded = await decodeContent(gzipSync(bytes), 'gzip', memory());
        expect(Buffer.from(decoded).equals(bytes)).toBe(true);
      }),
      { numRuns: 50, seed: 20_261_122 },
    );
  });

  it('none, and identity, leave the body as it is', async () => {
    const bytes = Buffer.from('plain');
    expect(await decodeContent(bytes, undefined, memory())).toBe(bytes);
    expect(await decodeContent(bytes, 'identity', memory())).toBe(bytes);
  });

  it('others are refused by name', async () => {
    expect(await codeOf(decodeContent(Buffer.from('x'), 'br', memory()))).toBe(
      'UnsupportedMediaTypeException',
    );
    expect(await codeOf(decodeContent(Buffer.from('x'), 'gzip, gzip', memory()))).toBe(
      'UnsupportedMediaTypeException',
    );
  });

  it('a body that grows beyond the bound is refused before it grows', async () => {
    const bomb = gzipSync(Buffer.alloc(limits.requestBodyBytes + 1));
    expect(await codeOf(decodeContent(bomb, 'gzip', memory()))).toBe('RequestEntityTooLarge');
  });

  it('a body that lies about its size is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(limits.requestBodyBytes + 1));
    bomb.writeUInt32LE(100, bomb.length - 4);
    expect(await codeOf(decodeContent(bomb, 'gzip', memory()))).toBe('SerializationException');
    const many = Buffer.concat([gzipSync(Buffer.alloc(1000)), gzipSync(Buffer.alloc(10))]);
    expect(await codeOf(decodeContent(many, 'gzip', memory()))).toBe('SerializationException');
  });

  it('claims the memory that it will take, and gives it back when nothing comes of it', async () => {
    const small = openBodyMemory(1000);
    await expect(decodeContent(gzipSync(Buffer.alloc(1001)), 'gzip', small)).rejects.toThrow(OverloadError);
    await codeOf(
      decodeContent(Buffer.from([...gzipSync(Buffer.alloc(900)).subarray(0, -4), 0, 1, 0, 0]), 'gzip', small),
    );
    await decodeContent(gzipSync(Buffer.alloc(1000)), 'gzip', small);
    expect(small.take(1)).toBe(false);
  });

  it('any bytes are decoded or refused by name', async () => {
    const good = gzipSync(Buffer.from('some text that is long enough'));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(good.length),
        async (at, flip, end) => {
          const changed = Buffer.from(good);
          changed[at] = changed[at]! ^ flip;
          expect(['taken', 'SerializationException', 'RequestEntityTooLarge']).toContain(
            await codeOf(decodeContent(changed.subarray(0, end), 'gzip', memory())),
          );
        },
      ),
      { numRuns: 200, seed: 20_261_122 },
    );
  });
});
