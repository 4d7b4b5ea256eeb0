import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutToWidth, displayWidth, neutralise, padToWidth } from './text.ts';

describe('neutralise', () => {
  it.each([
    ['\u001b[2J\u001b]0;owned\u0007', String.raw`\x1b[2J\x1b]0;owned\x07`],
    ['line\nbreak\r\ttab', String.raw`line\nbreak\r\ttab`],
    ['\u009b31m', String.raw`\x9b31m`],
    ['evil\u202egnp.exe', String.raw`evil\u202egnp.exe`],
    ['zero\u200bwidth\ufeff', String.raw`zero\u200bwidth\ufeff`],
    ['tag\u{e0041}', String.raw`tag\u{e0041}`],
    ['half \ud800 pair', String.raw`half \ud800 pair`],
    ['Zoë Ωmega 日本 😀', 'Zoë Ωmega 日本 😀'],
  ])('shows what could act on a terminal as an escape: %j', (hostile, shown) => {
    expect(neutralise(hostile)).toBe(shown);
  });

  it('leaves nothing that a terminal acts on, whatever comes in', () => {
    const controls = fc.constantFrom(
      '\u001b',
      '\u0000',
      '\u007f',
      '\u0085',
      '\u009d',
      '\u2066',
      '\u200f',
      '\n',
      '[',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(controls, fc.string({ unit: 'binary' }))), (parts) => {
        const shown = neutralise(parts.join(''));
        expect(shown).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Surrogate}]/u);
      }),
    );
  });
});

describe('widths', () => {
  it.each([
    ['plain', 5],
    ['日本', 4],
    ['e\u0301', 1],
    ['😀', 2],
    ['', 0],
  ])('%j takes %i columns', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it('cuts with a mark, and never inside a wide character', () => {
    expect(cutToWidth('abcdef', 6)).toBe('abcdef');
    expect(cutToWidth('abcdefg', 6)).toBe('abcde…');
    expect(cutToWidth('日本語', 4)).toBe('日…');
    expect(cutToWidth('日本語', 1)).toBe('…');
    expect(cutToWidth('abc', 0)).toBe('');
  });

  it('pads and cuts to exactly the width that is asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (raw, width) => {
        const text = neutralise(raw);
        const cut = cutToWidth(text, width);
        expect(displayWidth(cut)).toBeLessThanOrEqual(width);
        expect(displayWidth(padToWidth(cut, width))).toBe(width);
      }),
    );
  });

  it('pads on the side that is asked for', () => {
    expect(padToWidth('7', 3, 'right')).toBe('  7');
    expect(padToWidth('7', 3)).toBe('7  ');
  });
});
