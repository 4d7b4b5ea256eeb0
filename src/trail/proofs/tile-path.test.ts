import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashesAt, parseTilePath, tilePath, tileWidth } from './tile-path.ts';

describe('the paths of tiles', () => {
  it('are those of the specification', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 'entries', index: 0, width: 17 })).toBe('tile/entries/000.p/17');
    expect(tilePath({ level: 2, index: 1000, width: 256 })).toBe('tile/2/x001/000');
  });

  it('a tree of 70,000 has the tiles that the specification lists for it', () => {
    expect([0, 1, 2, 3].map((level) => hashesAt(level, 70_000))).toEqual([273 * 256 + 112, 256 + 17, 1, 0]);
    expect([0, 1, 2].map((level) => hashesAt(level, 256))).toEqual([256, 1, 0]);
  });

  it('are read as they are written', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const)),
        fc.integer({ min: 0, max: 999_999_999_999_999 }),
        fc.integer({ min: 1, max: tileWidth }),
        (level, index, width) => {
          expect(parseTilePath(tilePath({ level, index, width }))).toEqual({ level, index, width });
        },
      ),
    );
  });

  it.each([
    'tile/0/67',
    'tile/0/0067',
    'tile/00/067',
    'tile/64/067',
    'tile/-1/067',
    'tile/0/001/067',
    'tile/0/x000/067',
    'tile/0/x001/x067',
    'tile/0/067.p/0',
    'tile/0/067.p/256',
    'tile/0/067.p/017',
    'tile/0/067.p/',
    'tile/0/067/',
    'tile/0/067\n',
    'tile/0/../067',
    'tile/0/%2e%2e/067',
    'tile/0/067\u0000',
    '/tile/0/067',
    'tile/Entries/067',
    'tile/0/٠٦٧',
    'tile/0/x001/x001/x001/x001/x001/067',
    '',
  ])('%j is none', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});
