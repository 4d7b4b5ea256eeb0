import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawTable, type Column } from './table.ts';
import { displayWidth } from './text.ts';

const columns: readonly Column[] = [
  { title: 'NAME', minWidth: 6, keep: 1 },
  { title: 'COUNT', minWidth: 5, keep: 2, align: 'right' },
  { title: 'NOTE', minWidth: 8, keep: 3 },
];
const rows = [
  ['alice', '7', 'a note that goes on for quite a while'],
  ['bartholomew', '12345', 'short'],
];

describe('drawTable', () => {
  it('gives every column what it needs where nobody looks at a terminal', () => {
    expect(drawTable(columns, rows, undefined)).toEqual([
      'NAME         COUNT  NOTE',
      'alice            7  a note that goes on for quite a while',
      'bartholomew  12345  short',
    ]);
  });

  it('makes the widest columns narrower to fit the terminal', () => {
    expect(drawTable(columns, rows, 40)).toEqual([
      'NAME         COUNT  NOTE',
      'alice            7  a note that goes on…',
      'bartholomew  12345  short',
    ]);
    expect(drawTable(columns, rows, 26)).toEqual([
      'NAME      COUNT  NOTE',
      'alice         7  a note t…',
      'barthol…  12345  short',
    ]);
  });

  it('leaves out the least important columns of a terminal that is too narrow', () => {
    expect(drawTable(columns, rows, 20)[0]).toBe('NAME         COUNT');
    expect(drawTable(columns, rows, 12)[0]).toBe('NAME');
  });

  it('shows hostile cells as escapes and keeps one row on one line', () => {
    const [, row] = drawTable(columns, [['x\u001b[31m\nroot', '1', '']], 80);
    expect(row).toBe(String.raw`x\x1b[31m\nroot      1`);
  });

  it('never draws wider than the terminal, and one line a row', () => {
    const cell = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell), { maxLength: 8 }),
        fc.integer({ min: 6, max: 100 }),
        (cells, width) => {
          const lines = drawTable(columns, cells, width);
          expect(lines).toHaveLength(cells.length + 1);
          for (const line of lines) {
            expect(line).not.toContain('\n');
            expect(displayWidth(line)).toBeLessThanOrEqual(width);
          }
        },
      ),
    );
  });
});
