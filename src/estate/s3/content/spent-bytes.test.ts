import { describe, expect, it } from 'vitest';
import { openSpentBytes } from './spent-bytes.ts';

const partBytes = 64 * 1024;

/** The most memory that buffers held while 200 MB of them came and went, one at a time. */
function mostHeld(spent: (bytes: number) => void): number {
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let part = 0; part < 3200; part++) {
    Buffer.allocUnsafeSlow(partBytes).fill(part);
    spent(partBytes);
    if (part % 16 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  return most;
}

describe('buffers that are used up', () => {
  it('do not gather', () => {
    expect(mostHeld(openSpentBytes())).toBeLessThan(40 * 1024 ** 2);
  });
});
