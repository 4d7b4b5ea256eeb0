import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutIntoBatches } from './batches.ts';

const eightMiB = 8 * 1024 * 1024;

describe('cutIntoBatches', () => {
  it('keeps every file once and in order, within the bounds', () => {
    const file = fc.record({ path: fc.string(), sizeBytes: fc.nat(3 * eightMiB) });
    fc.assert(
      fc.property(fc.array(file, { maxLength: 300 }), fc.integer({ min: 1, max: 64 }), (files, workers) => {
        const batches = cutIntoBatches(files, workers);
        expect(batches.flat()).toEqual(files);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(64);
          const bytes = batch.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
          if (batch.length > 1) expect(bytes).toBeLessThanOrEqual(eightMiB);
        }
      }),
    );
  });

  it('gives every worker something to do', () => {
    const files = Array.from({ length: 20 }, (_, at) => ({ path: String(at), sizeBytes: 1 }));
    expect(cutIntoBatches(files, 4).length).toBeGreaterThanOrEqual(4);
  });
});
