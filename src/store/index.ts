/**
 * The ports behind which everything durable stands (`log`, `blob`, and the `cursors` of a log's readers), each with
 * its adapters in `memory/` and `embedded/`. Only `server.ts`, `cairn doctor` and tests name an adapter.
 */
export type { Log, LogBatch, LogDamage, LogEntry } from './log-port.ts';
export { LogFailedError } from './log-failed-error.ts';
export { readText, replaceText, replaceTextOf } from './whole-file.ts';
export type { Blob, BlobInfo, ByteRange } from './blob-port.ts';
export type { Cursors } from './cursor-port.ts';
export type {
  Appended,
  Columns,
  ColumnsBatch,
  ColumnsPart,
  ColumnsQuery,
  ColumnsRow,
  GatheredRows,
  ColumnsTable,
  DerivedColumn,
  ColumnsView,
  ColumnType,
  QueryOutcome,
} from './columns-port.ts';
