import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../kernel/index.ts';
import { retryDelayMs } from './retry-delay.ts';

const random = seededRandom(3);

describe('the pause before another attempt', () => {
  it.each([
    [1, 500, 1_000],
    [2, 1_000, 2_000],
    [5, 8_000, 16_000],
    [9, 128_000, 256_000],
    [20, 240_000, 480_000],
    [185, 240_000, 480_000],
  ])('after %s failures is %s to %s ms', (failed, least, most) => {
    const pauses = Array.from({ length: 200 }, () => retryDelayMs(failed, random));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(least);
    expect(Math.max(...pauses)).toBeLessThan(most);
    // With jitter: "an exponential back off and jitter, or randomized delay".
    expect(new Set(pauses).size).toBeGreaterThan(100);
  });

  it('makes 185 attempts last for most of the 24 hours that EventBridge tries by default', () => {
    let total = 0;
    for (let failed = 1; failed <= 185; failed++) total += retryDelayMs(failed, random);
    expect(total / 3_600_000).toBeGreaterThan(15);
    expect(total / 3_600_000).toBeLessThan(24);
  });
});
