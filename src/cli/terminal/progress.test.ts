import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth } from './text.ts';
import { fractionDone, openRateMeter, plainProgressLine, progressLine, timeLeftMs } from './progress.ts';

const halfway = {
  filesDone: 5,
  filesTotal: 10,
  bytesDone: 5_000_000,
  bytesTotal: 10_000_000,
  events: 12_000,
};

describe('openRateMeter', () => {
  it('measures over the window alone', () => {
    const meter = openRateMeter(10_000);
    meter.sample(0, { bytesDone: 0, events: 0 });
    expect(meter.rate()).toBeUndefined();
    for (let second = 1; second <= 20; second++) {
      meter.sample(second * 1000, { bytesDone: second * 100, events: second * 10 });
    }
    expect(meter.rate()).toEqual({ eventsPerSecond: 10, bytesPerSecond: 100 });
    // A standstill of longer than the window ends in a rate of nothing.
    for (let second = 21; second <= 40; second++)
      meter.sample(second * 1000, { bytesDone: 2000, events: 200 });
    expect(meter.rate()).toEqual({ eventsPerSecond: 0, bytesPerSecond: 0 });
  });
});

describe('timeLeftMs', () => {
  it('divides what is left by the rate', () => {
    expect(timeLeftMs(halfway, { eventsPerSecond: 1, bytesPerSecond: 1_000_000 })).toBe(5000);
    expect(timeLeftMs(halfway, { eventsPerSecond: 0, bytesPerSecond: 0 })).toBeUndefined();
    expect(timeLeftMs(halfway, undefined)).toBeUndefined();
    expect(timeLeftMs({ ...halfway, bytesDone: 10_000_000 }, undefined)).toBe(0);
  });
});

describe('fractionDone', () => {
  it('goes by bytes, by files where all are empty, and is 1 where there is nothing', () => {
    expect(fractionDone(halfway)).toBe(0.5);
    expect(fractionDone({ ...halfway, bytesTotal: 0, bytesDone: 0, filesDone: 1, filesTotal: 4 })).toBe(0.25);
    expect(fractionDone({ filesDone: 0, filesTotal: 0, bytesDone: 0, bytesTotal: 0, events: 0 })).toBe(1);
    expect(fractionDone({ ...halfway, bytesDone: 20_000_000 })).toBe(1);
  });
});

describe('the lines', () => {
  const rate = { eventsPerSecond: 31_234.5, bytesPerSecond: 2_000_000 };

  it('tell what is done, how fast, and what is left', () => {
    expect(progressLine(halfway, rate, 120, undefined)).toBe(
      `[${'#'.repeat(15)}${'.'.repeat(15)}]  50%  5/10 files  12,000 events  31,235 events/s  2.0 MB/s  3 s left`,
    );
    expect(plainProgressLine(halfway, undefined)).toBe('50%  5/10 files  12,000 events');
    expect(progressLine(halfway, rate, 160, 'waiting: overloaded')).toContain('waiting: overloaded');
  });

  it('fit the terminal, however narrow', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(1_000_000), (width, events) => {
        const line = progressLine({ ...halfway, events }, rate, width, 'waiting');
        expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
