import type { RecordScan } from '../trail/history/index.ts';
import { formatTime } from './terminal/figures.ts';
import { drawRow, type Column, type Layout } from './terminal/table.ts';

/** The columns in which events are shown. */
export const recordColumns: readonly Column[] = [
  { title: 'TIME', minWidth: 20, keep: 1 },
  { title: 'EVENT', minWidth: 12, keep: 1 },
  { title: 'USER', minWidth: 8, keep: 2 },
  { title: 'SOURCE', minWidth: 4, keep: 5 },
  { title: 'RESOURCE', minWidth: 10, keep: 4 },
  { title: 'ERROR', minWidth: 8, keep: 3 },
  { title: 'IP', minWidth: 9, keep: 6 },
];

/** Widths for a table whose rows are not known yet. */
const usualWidths = [20, 28, 20, 14, 40, 22, 15];

/** Reads the cells of one record; what the record does not say is `-`. The bytes are a record as it was received. */
export type ReadCells = (raw: Uint8Array) => readonly string[];

/** Loads the reader that the history itself indexes with, so that a table shows what a search finds. */
export async function loadReadCells(): Promise<ReadCells> {
  const { scanRecord } = await import('../trail/history/index.ts');
  return (raw) => cellsOf(scanRecord(raw));
}

function cellsOf(scan: RecordScan): readonly string[] {
  if (scan.kind === 'problem') return ['-', `(${scan.problem})`, '-', '-', '-', '-', '-'];
  const { record } = scan;
  const [resource, ...more] = record.resources;
  const resourceName = resource?.name ?? resource?.type ?? '-';
  return [
    formatTime(record.eventTime),
    record.eventName ?? '-',
    record.username ?? record.principalArn ?? '-',
    (record.eventSource ?? '-').replace(/\.amazonaws\.com$/, ''),
    more.length > 0 ? `${resourceName} +${more.length}` : resourceName,
    record.errorCode ?? '-',
    record.sourceIpAddress ?? '-',
  ];
}

/** The layout of a table whose rows come one by one. */
export function usualLayout(layOutRow: (row: readonly string[]) => Layout): Layout {
  return layOutRow(usualWidths.map((width) => 'x'.repeat(width)));
}

/** Draws an event as a line. */
export function drawRecord(layout: Layout, cells: readonly string[], cut: boolean): string {
  return drawRow(recordColumns, layout, cells, cut);
}
