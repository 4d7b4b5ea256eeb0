import { cutToWidth, displayWidth, neutralise, padToWidth } from './text.ts';

export interface Column {
  readonly title: string;
  /** It is not made narrower than this; a table that still does not fit loses columns from the last `keep` on. */
  readonly minWidth: number;
  /** 1 is the most important; the least important column goes first when the terminal is too narrow. */
  readonly keep: number;
  readonly align?: 'left' | 'right';
}

/** How wide each column is drawn; `undefined` for one that is left out. */
export type Layout = readonly (number | undefined)[];

const gap = 2;

function totalWidth(widths: Layout): number {
  const shown = widths.filter((width) => width !== undefined);
  return shown.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, shown.length - 1);
}

/** Takes columns away, the least important first, until the rest fits at its least width. */
function dropColumns(columns: readonly Column[], natural: readonly number[], width: number): Layout {
  let kept: Layout = natural;
  const least = (layout: Layout) =>
    layout.map((own, at) => (own === undefined ? own : Math.min(own, columns[at]?.minWidth ?? own)));
  const order = columns.map((column, at) => ({ at, keep: column.keep })).toSorted((a, b) => b.keep - a.keep);
  for (const { at } of order) {
    if (totalWidth(least(kept)) <= width || kept.filter((own) => own !== undefined).length === 1) break;
    kept = kept.map((own, index) => (index === at ? undefined : own));
  }
  return kept;
}

/** Makes the widest columns narrower, one column of the terminal at a time, until the table fits. */
function shrink(columns: readonly Column[], layout: Layout, width: number): Layout {
  const widths = [...layout];
  let excess = totalWidth(widths) - width;
  while (excess > 0) {
    let widest = -1;
    widths.forEach((own, at) => {
      if (own === undefined || own <= (columns[at]?.minWidth ?? own)) return;
      if (widest === -1 || own > (widths[widest] ?? 0)) widest = at;
    });
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  return widths;
}

/**
 * Lays a table out for its rows. `width` is the terminal's; undefined (not a terminal) lets every column have what it
 * needs, because then a program or a file reads, and nothing may be cut.
 */
export function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): Layout {
  const natural = columns.map((column, at) =>
    Math.max(displayWidth(column.title), ...rows.map((row) => displayWidth(neutralise(row[at] ?? '')))),
  );
  if (width === undefined) return natural;
  return shrink(columns, dropColumns(columns, natural, width), width);
}

/** Draws one line. The cells may hold anything; they are neutralised, and cut only where `cut` says so. */
export function drawRow(
  columns: readonly Column[],
  layout: Layout,
  cells: readonly string[],
  cut: boolean,
): string {
  const parts: string[] = [];
  columns.forEach((column, at) => {
    const width = layout[at];
    if (width === undefined) return;
    const text = neutralise(cells[at] ?? '');
    parts.push(padToWidth(cut ? cutToWidth(text, width) : text, width, column.align));
  });
  return parts.join(' '.repeat(gap)).trimEnd();
}

/** Draws the whole table with its titles: one string a line. */
export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): readonly string[] {
  const layout = layOut(columns, rows, width);
  const cut = width !== undefined;
  const titles = columns.map((column) => column.title);
  return [titles, ...rows].map((row) => drawRow(columns, layout, row, cut));
}
