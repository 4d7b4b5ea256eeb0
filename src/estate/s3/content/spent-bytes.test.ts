import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { openSpentBytes } from './spent-bytes.ts';

const miB = 1024 ** 2;

/** What Node tells of a collection. */
interface Collection {
  readonly kind: number;
  readonly flags: number;
}

/** Collections of the young generation that somebody asked for while `work` ran. */
async function askedFor(work: () => void): Promise<number> {
  let count = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind, flags } = (entry as PerformanceEntry & { readonly detail: Collection }).detail;
      const asked = (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
      if (asked && kind === constants.NODE_PERFORMANCE_GC_MINOR) count += 1;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  work();
  for (let turn = 0; turn < 10; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  observer.disconnect();
  return count;
}

describe('buffers that are used up', () => {
  it('are collected after every 16 MB of them', async () => {
    const spent = openSpentBytes();
    expect(await askedFor(() => spent(15 * miB))).toBe(0);
    expect(await askedFor(() => spent(miB))).toBe(1);
    expect(await askedFor(() => spent(15 * miB))).toBe(0);
    expect(await askedFor(() => spent(20 * miB))).toBe(1);
  });
});
