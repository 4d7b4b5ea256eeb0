import { describe, expect, it } from 'vitest';
import { CommandError } from './exit-codes.ts';
import { parseCount, parseDuration, parseTime } from './times.ts';

const now = Date.UTC(2026, 10, 22, 12, 0, 0);

describe('parseTime', () => {
  it.each([
    ['now', '2026-11-22T12:00:00.000Z'],
    ['30s', '2026-11-22T11:59:30.000Z'],
    ['2h', '2026-11-22T10:00:00.000Z'],
    ['7d', '2026-11-15T12:00:00.000Z'],
    ['2026-11-01', '2026-11-01T00:00:00.000Z'],
    ['2026-11-01T08:30', '2026-11-01T08:30:00.000Z'],
    ['2026-11-01 08:30:15', '2026-11-01T08:30:15.000Z'],
    ['2026-11-01T08:30:15.5Z', '2026-11-01T08:30:15.500Z'],
    ['2026-11-01T08:30:15+02:00', '2026-11-01T06:30:15.000Z'],
    ['2026-11-01T08:30:15-0130', '2026-11-01T10:00:15.000Z'],
    ['1763805600', '2025-11-22T10:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(new Date(parseTime(text, '--from', now)).toISOString()).toBe(iso);
  });

  it.each([
    '',
    'yesterday',
    '2026-02-30',
    '2026-13-01',
    '2h30',
    '11/22/2026',
    '2026-11-01T25:00',
    '-2h',
    '2026',
  ])('refuses %j by the name of its option', (text) => {
    expect(() => parseTime(text, '--from', now)).toThrow(CommandError);
    expect(() => parseTime(text, '--from', now)).toThrow(/^--from takes a time/);
  });
});

describe('parseDuration', () => {
  it.each([
    ['45s', 45_000],
    ['15m', 900_000],
    ['1w', 604_800_000],
    ['1x', undefined],
    ['1.5h', undefined],
    ['h', undefined],
  ])('%s is %s ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
});

describe('parseCount', () => {
  it('takes whole numbers within the bounds and nothing else', () => {
    expect(parseCount('50', '--limit', 50)).toBe(50);
    for (const text of ['0', '51', '-1', '1.5', '1e1', '', 'ten', ' 5']) {
      expect(() => parseCount(text, '--limit', 50)).toThrow('--limit takes a whole number from 1 to 50');
    }
  });
});
