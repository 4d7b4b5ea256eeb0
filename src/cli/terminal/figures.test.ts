import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatNumberOf, formatTime } from './figures.ts';

describe('figures', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [1_234_567, '1.2 MB'],
    [99_960_000, '100 MB'],
    [999_600, '1.0 MB'],
    [5_000_000_000_000, '5.0 TB'],
    [3e18, '3000 PB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0 s'],
    [-5, '0 s'],
    [59_400, '59 s'],
    [59_600, '1 min 00 s'],
    [125_000, '2 min 05 s'],
    [3_600_000, '1 h 00 min'],
    [180_000_000, '2 d 02 h'],
  ])('%d ms are %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('groups thousands and counts things', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(formatNumberOf(1, 'file')).toBe('1 file');
    expect(formatNumberOf(1200, 'file')).toBe('1,200 files');
  });

  it('writes moments as CloudTrail does', () => {
    expect(formatTime(Date.UTC(2026, 10, 22, 9, 5, 7, 250))).toBe('2026-11-22T09:05:07Z');
  });
});
