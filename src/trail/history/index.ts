/**
 * The searchable history of audit events. In flow the entries of the journal's `audit` stream; out come pages, streams
 * and counts of events by attribute, time, address and text, with the original bytes of each record. Beside it the
 * scanner that reads records and log files, which recording and import use as well.
 */
export { attributeNames } from './history-types.ts';
export type {
  AttributeName,
  CountedBy,
  CountRow,
  EventFilter,
  EventPage,
  FoundEvent,
  History,
  HistoryStats,
  RecordProblem,
} from './history-types.ts';
export { memberAt, noteScan, openScanPacker, scanEntry, scansOf, type PackedScans } from './packed-scans.ts';
export { scanActivity } from './parsed-record.ts';
export { recordPath } from './record-path.ts';
export { scanRecord } from './scan-record.ts';
export { scanLogFile, type LogFileScan, type RecordSpan } from './scan-log-file.ts';
export {
  attributeValues,
  type EventResource,
  type RecordScan,
  type ScannedRecord,
} from './scanned-record.ts';
export { canonicalAddress, parseAddressRange } from './address-range.ts';
export { openHistory, type HistoryOptions, type OpenedHistory } from './open-history.ts';
export type { HistoryDamage } from './segment-keeper.ts';
export { verifyHistory, type HistoryFindings } from './verify-history.ts';
