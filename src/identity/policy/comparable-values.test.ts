import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBase64, parseDate, parseNumber } from './comparable-values.ts';

test('a date in ISO form is the moment it names', () => {
  const day = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(day, (date) => {
      expect(parseDate(date.toISOString())).toBe(date.getTime());
      expect(parseDate(date.toISOString().slice(0, 10))).toBe(
        Math.floor(date.getTime() / 86_400_000) * 86_400_000,
      );
    }),
  );
});

test('days are those of the calendar', () => {
  for (const [text, exists] of [
    ['2024-02-29', true],
    ['2026-02-29', false],
    ['1900-02-29', false],
    ['2000-02-29', true],
    ['2026-04-31', false],
    ['2026-00-01', false],
    ['2026-01-00', false],
  ] as const) {
    expect([text, parseDate(text) !== undefined]).toEqual([text, exists]);
  }
});

test('epoch seconds, and four digits are a year', () => {
  expect(parseDate('0')).toBe(0);
  expect(parseDate('1795342530')).toBe(Date.parse('2026-11-22T10:15:30Z'));
  expect(parseDate('2026')).toBe(Date.parse('2026-01-01T00:00:00Z'));
});

test('numbers of up to fifteen digits keep their order', () => {
  const digits = fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 });
  fc.assert(
    fc.property(digits, (value) => {
      expect(parseNumber(String(value))).toBe(value);
    }),
  );
  expect(parseNumber('9007199254740993')).toBeUndefined();
  expect(parseNumber('0.1234567890123456')).toBeUndefined();
});

test('base64 comes back as it was written, or not at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64');
      expect([...parseBase64(text)!]).toEqual([...bytes]);
    }),
  );
  for (const text of ['AAE', 'AA EC', 'AA-_', 'AAEC=', '=']) expect(parseBase64(text)).toBeUndefined();
});
