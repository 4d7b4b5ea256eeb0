import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTimestamp, writeTimestamp } from './timestamps.ts';

const formats = ['dateTime', 'httpDate', 'epochSeconds'] as const;

test.each(formats)('what is written as %s reads as the same time', (format) => {
  const least = format === 'epochSeconds' ? -1e13 : Date.UTC(0, 0, 1) - 1900 * 365 * 86_400_000;
  fc.assert(
    fc.property(fc.integer({ min: Math.max(least, -6e13), max: 2.5e14 }), (given) => {
      // HTTP dates have no fractions of seconds.
      const time = new Date(format === 'httpDate' ? Math.floor(given / 1000) * 1000 : given);
      expect(readTimestamp(writeTimestamp(time, format), format)).toEqual(time);
    }),
  );
});

test.each([
  ['2019-12-16T22:48:18-01:00', '2019-12-16T23:48:18.000Z'],
  ['2019-12-17T00:48:18+01:00', '2019-12-16T23:48:18.000Z'],
  ['2000-01-02T20:34:56.456Z', '2000-01-02T20:34:56.456Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['2024-02-29T23:59:60Z', '2024-03-01T00:00:00.000Z'],
])('%s is %s', (text, iso) => {
  expect(readTimestamp(text, 'dateTime')?.toISOString()).toBe(iso);
});

test.each([
  '2019-12-16',
  '2019-12-16T22:48:18',
  '2019-02-29T00:00:00Z',
  '2019-13-01T00:00:00Z',
  '2019-12-16T24:00:00Z',
  '2019-12-16T00:00:00+24:00',
  '2019-12-16T00:00:00Z ',
  '',
])('%s is no time', (text) => {
  expect(readTimestamp(text, 'dateTime')).toBeUndefined();
});

test.each(['1e3', '', ' 1', '0x1', '999999999999999', 'NaN'])('%s is no epoch', (text) => {
  expect(readTimestamp(text, 'epochSeconds')).toBeUndefined();
});
