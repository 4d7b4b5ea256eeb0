import { describe, expect, it } from 'vitest';
import { openSpentBytes } from './spent-bytes.ts';

const partBytes = 64 * 1024;

function makeBuffers(): readonly WeakRef<Buffer>[] {
  return Array.from({ length: 100 }, () => new WeakRef(Buffer.allocUnsafeSlow(partBytes)));
}

describe('buffers that are used up', () => {
  it('are given back once 16 MB of them have gathered', async () => {
    const spent = openSpentBytes();
    const buffers = makeBuffers();
    // What a weak reference points to stays until the turn that made it has ended.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    for (let part = 0; part < 256; part++) spent(partBytes);
    expect(buffers.filter((buffer) => buffer.deref() !== undefined)).toEqual([]);
  });
});
