import { isUtf8 } from 'node:buffer';
import {
  closeBrace,
  closeBracket,
  comma,
  openBrace,
  openBracket,
  skipName,
  skipSpace,
  skipValue,
} from './json-bytes.ts';
import { openObjectScanner } from './scan-fields.ts';
import { notAnObject, recordOfObject } from './scan-record.ts';
import type { RecordScan } from './scanned-record.ts';

/** Where one record stands in a log file. */
export interface RecordSpan {
  /** Byte offset of its opening brace (or of its first byte, where it is not an object). */
  readonly start: number;
  /** Byte offset behind its last byte. */
  readonly end: number;
  /** What `scanRecord` says of it. */
  readonly scan: RecordScan;
}

type ReadRecord = (at: number) => RecordSpan | undefined;

/** Reads the records of a file, where each begins; undefined where no JSON value stands. */
function openRecordReader(bytes: Uint8Array): ReadRecord {
  const scanObject = openObjectScanner(bytes);
  return (start) => {
    if (bytes[start] !== openBrace) {
      const end = skipValue(bytes, start, bytes.length);
      return end < 0 ? undefined : { start, end, scan: notAnObject };
    }
    const object = scanObject(start);
    return object && { start, end: object.behind, scan: recordOfObject(bytes, start, object) };
  };
}

export interface LogFileScan {
  /** The records, in the file's order; with a problem, those that stand whole before it. */
  readonly records: readonly RecordSpan[];
  /** Why the file as a whole is not a log file, and the byte offset where that was found. */
  readonly problem?: {
    readonly reason: 'not valid UTF-8' | 'not valid JSON' | 'no Records' | 'more than one Records' | 'empty';
    readonly offset: number;
  };
}

type Reason = NonNullable<LogFileScan['problem']>['reason'];

function failed(records: readonly RecordSpan[], reason: Reason, offset: number): LogFileScan {
  return { records, problem: { reason, offset } };
}

/** Reads the elements of a list into `records`; `from` stands at its bracket. Where it breaks, `brokenAt` says. */
function readList(
  bytes: Uint8Array,
  from: number,
  read: ReadRecord,
  records: RecordSpan[],
): { readonly at: number; readonly brokenAt?: number } {
  const end = bytes.length;
  let at = skipSpace(bytes, from + 1, end);
  if (at < end && bytes[at] === closeBracket) return { at: at + 1 };
  for (;;) {
    const record = read(at);
    if (!record) return { at: -1, brokenAt: at };
    records.push(record);
    at = skipSpace(bytes, record.end, end);
    if (at < end && bytes[at] === closeBracket) return { at: at + 1 };
    if (at >= end || bytes[at] !== comma) return { at: -1, brokenAt: at };
    at = skipSpace(bytes, at + 1, end);
  }
}

const recordsName = Buffer.from('"Records"');
const eventIdName = Buffer.from('"eventID"');

function isName(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  return name.every((byte, index) => bytes[at + index] === byte);
}

/**
 * `{"Records": […]}`, whatever else the object holds. An object without `Records` is a record if it has an eventID or
 * is not alone.
 */
function readEnvelope(bytes: Uint8Array, from: number, read: ReadRecord): LogFileScan {
  const end = bytes.length;
  const records: RecordSpan[] = [];
  let isNamed = false;
  let found = false;
  let isRecord = false;
  let at = skipSpace(bytes, from + 1, end);
  for (let first = true; at < end && (!first || bytes[at] !== closeBrace); first = false) {
    const nameAt = at;
    at = skipName(bytes, at, end);
    if (at < 0) return failed(records, 'not valid JSON', nameAt);
    const isRecords = isName(bytes, nameAt, recordsName);
    // Readers of JSON differ in which of the two they take.
    if (isRecords && isNamed) return failed(records, 'more than one Records', nameAt);
    isNamed ||= isRecords;
    if (isRecords && bytes[at] === openBracket) {
      found = true;
      const list = readList(bytes, at, read, records);
      if (list.brokenAt !== undefined) return failed(records, 'not valid JSON', list.brokenAt);
      at = list.at;
    } else {
      const valueAt = at;
      isRecord ||= isName(bytes, nameAt, eventIdName);
      at = skipValue(bytes, at, end);
      if (at < 0) return failed(records, 'not valid JSON', valueAt);
    }
    at = skipSpace(bytes, at, end);
    if (at >= end || bytes[at] !== comma) break;
    at = skipSpace(bytes, at + 1, end);
  }
  if (at >= end || bytes[at] !== closeBrace) return failed(records, 'not valid JSON', at);
  at = skipSpace(bytes, at + 1, end);
  if (!found && (isRecord || (at < end && bytes[at] === openBrace)))
    return readSequence(bytes, from, openRecordReader(bytes));
  if (at !== end) return failed(records, 'not valid JSON', at);
  return found ? { records } : failed(records, 'no Records', from);
}

/** One record after the other, with whitespace between them, as `cairn lookup --json` writes them. */
function readSequence(bytes: Uint8Array, from: number, read: ReadRecord): LogFileScan {
  const records: RecordSpan[] = [];
  let at = from;
  while (at < bytes.length) {
    const record = bytes[at] === openBrace ? read(at) : undefined;
    if (!record) return failed(records, 'not valid JSON', at);
    records.push(record);
    at = skipSpace(bytes, record.end, bytes.length);
  }
  return { records };
}

/**
 * Finds the records of a log file, so that the original bytes of each can be kept. Takes what CloudTrail delivers
 * (`{"Records":[…]}`, unpacked), a bare list of records, and records one after the other (NDJSON). The whole file is
 * checked to be UTF-8 and JSON.
 */
export function scanLogFile(bytes: Uint8Array): LogFileScan {
  if (!isUtf8(bytes)) return failed([], 'not valid UTF-8', 0);
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const at = skipSpace(bytes, hasMark ? 3 : 0, bytes.length);
  if (at === bytes.length) return failed([], 'empty', at);
  const read = openRecordReader(bytes);
  if (bytes[at] === openBracket) {
    const records: RecordSpan[] = [];
    const list = readList(bytes, at, read, records);
    if (list.brokenAt !== undefined) return failed(records, 'not valid JSON', list.brokenAt);
    const behind = skipSpace(bytes, list.at, bytes.length);
    return behind === bytes.length ? { records } : failed(records, 'not valid JSON', behind);
  }
  if (bytes[at] === openBrace) return readEnvelope(bytes, at, read);
  const valid = skipValue(bytes, at, bytes.length);
  const isWhole = valid >= 0 && skipSpace(bytes, valid, bytes.length) === bytes.length;
  return failed([], isWhole ? 'no Records' : 'not valid JSON', at);
}
