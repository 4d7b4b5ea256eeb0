import { isUtf8 } from 'node:buffer';
import { assert, limits } from '../../kernel/index.ts';
import type { RecordProblem, ScannedRecord } from '../history/index.ts';
import {
  backslash,
  closeBrace,
  colon,
  comma,
  openBrace,
  quote,
  skipSpace,
  skipValue,
} from '../history/json-bytes.ts';
import { scanRecord } from '../history/scan-record.ts';
import { selectableEvent, type SelectableEvent } from '../trails/selectors/selectable-event.ts';

/** What decides for most trails, and stands at the top of a record. */
type Head = Pick<
  ScannedRecord,
  'eventTime' | 'accountId' | 'region' | 'eventSource' | 'eventCategory' | 'readOnly'
>;
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** An event as selectors look at it, of one record after the other. */
export interface RecordView {
  readonly event: SelectableEvent;
  /** Turns to the next record; what is wrong with it, if it cannot be read. */
  read(payload: Uint8Array): RecordProblem | undefined;
}

/** The members of the head, by the length of their names. */
const names = [
  'eventID',
  'eventTime',
  'recipientAccountId',
  'awsRegion',
  'eventSource',
  'eventCategory',
  'readOnly',
] as const;
type HeadName = (typeof names)[number];
const namesByLength = Map.groupBy(
  names.map((name, place) => ({ bytes: Buffer.from(name), place })),
  ({ bytes }) => bytes.length,
);
const candidates = Array.from({ length: 32 }, (_, length) => namesByLength.get(length) ?? []);

/** Where each member's text begins and ends; begin 0: absent. */
const spans = new Int32Array(names.length * 2);

/** Behind the quote that ends a text of plain ASCII; -1 when it is anything else. */
function skipPlain(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === quote) return at + 1;
    if (byte < 0x20 || byte > 0x7e || byte === backslash) return -1;
  }
  return -1;
}

function placeOf(bytes: Uint8Array, from: number, to: number): number {
  for (const { bytes: name, place } of candidates[to - from] ?? []) {
    let index = 0;
    while (index < name.length && name[index] === bytes[from + index]) index += 1;
    if (index === name.length) return place;
  }
  return -1;
}

/** Reads a value of the head: a text, or a word for `readOnly`. */
function readValue(bytes: Uint8Array, place: number, at: number): number {
  if (spans[place * 2] !== 0) return -1;
  const isText = bytes[at] === quote;
  if (!isText && (names[place] !== 'readOnly' || (bytes[at] !== 0x74 && bytes[at] !== 0x66))) return -1;
  const behind = isText ? skipPlain(bytes, at + 1) : skipValue(bytes, at, bytes.length);
  spans[place * 2] = isText ? at + 1 : at;
  spans[place * 2 + 1] = isText ? behind - 1 : behind;
  return behind;
}

/**
 * Walks over the top of a record, which must be UTF-8, and checks that it is JSON as a whole. False when it is not, and for
 * everything unusual: escapes, members that stand twice, values of another type.
 */
function findSpans(bytes: Uint8Array): boolean {
  const end = bytes.length;
  spans.fill(0);
  if (bytes[0] !== openBrace) return false;
  for (let at = 1; ;) {
    at = skipSpace(bytes, at, end);
    if (bytes[at] !== quote) return false;
    const nameAt = at + 1;
    at = skipPlain(bytes, nameAt);
    if (at < 0) return false;
    const place = placeOf(bytes, nameAt, at - 1);
    at = skipSpace(bytes, at, end);
    if (bytes[at] !== colon) return false;
    at = skipSpace(bytes, at + 1, end);
    at = place < 0 ? skipValue(bytes, at, end) : readValue(bytes, place, at);
    if (at < 0) return false;
    at = skipSpace(bytes, at, end);
    if (bytes[at] === closeBrace) return at + 1 === end;
    if (bytes[at] !== comma) return false;
    at += 1;
  }
}

/** Node has it on every buffer, faster than `toString` for short texts. */
interface Slices {
  latin1Slice(start: number, end: number): string;
}

const placeOfName = Object.fromEntries(names.map((name, place) => [name, place])) as Record<HeadName, number>;

function textOf(bytes: Buffer, name: HeadName): string | undefined {
  const place = placeOfName[name];
  const [from, to] = [spans[place * 2] as number, spans[place * 2 + 1] as number];
  return from < to ? (bytes as unknown as Slices).latin1Slice(from, to) : undefined;
}

function isEmpty(name: HeadName): boolean {
  return spans[placeOfName[name] * 2] === spans[placeOfName[name] * 2 + 1];
}

/** A record whose head is filled in, and whose other members are those of the full scan. */
function viewOf(scan: () => ScannedRecord): Mutable<Head> & Omit<ScannedRecord, keyof Head> {
  return {
    eventTime: 0,
    accountId: '',
    region: '',
    eventSource: undefined,
    eventCategory: undefined,
    readOnly: undefined,
    get eventId() {
      return scan().eventId;
    },
    get eventName() {
      return scan().eventName;
    },
    get username() {
      return scan().username;
    },
    get accessKeyId() {
      return scan().accessKeyId;
    },
    get principalArn() {
      return scan().principalArn;
    },
    get principalType() {
      return scan().principalType;
    },
    get errorCode() {
      return scan().errorCode;
    },
    get sourceIpAddress() {
      return scan().sourceIpAddress;
    },
    get eventType() {
      return scan().eventType;
    },
    get resources() {
      return scan().resources;
    },
  };
}

const secondsAt = '2026-11-22T20:53:'.length;

/** The seconds of a time of the usual form, `2026-11-22T20:53:01Z`; -1 for any other. */
function secondsOf(text: string): number {
  if (text.length !== secondsAt + 3 || text[secondsAt + 2] !== 'Z') return -1;
  const tens = text.charCodeAt(secondsAt) - 0x30;
  const ones = text.charCodeAt(secondsAt + 1) - 0x30;
  return tens >= 0 && tens <= 5 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** Reads eventTimes of a minute that was met before; the full scan tells what a new one means. */
function openTimes() {
  let minute = '';
  let minuteAt = 0;
  return {
    read(text: string): number | undefined {
      const seconds = minute !== '' && text.startsWith(minute) ? secondsOf(text) : -1;
      return seconds < 0 ? undefined : minuteAt + seconds * 1000;
    },
    learn(text: string, time: number): void {
      const seconds = secondsOf(text);
      if (seconds < 0) return;
      minute = text.slice(0, secondsAt);
      minuteAt = time - seconds * 1000;
    },
  };
}

/**
 * Opens a view. Most trails decide by a few members at the top of a record, so these alone are taken out of it while it is
 * walked over; whatever else is asked for, and every unusual record, is scanned in full. What the view says is the same.
 */
export function openRecordView(): RecordView {
  const times = openTimes();
  let bytes: Buffer = Buffer.alloc(0);
  let full: ScannedRecord | undefined;
  let parsed: SelectableEvent | undefined;

  function scan(): ScannedRecord {
    if (full) return full;
    const result = scanRecord(bytes);
    assert(result.kind === 'record', 'a record whose head is whole is whole');
    return (full = result.record);
  }
  const parse = (): SelectableEvent => (parsed ??= selectableEvent(scan(), bytes));
  const scanned = viewOf(scan);
  const event: SelectableEvent = {
    scanned,
    top: (name) => parse().top(name),
    inside: (parent, name) => parse().inside(parent, name),
    get resources() {
      return parse().resources;
    },
  };

  /** Fills the head from the walk alone; false when only the full scan can tell it. */
  function readHead(): boolean {
    if (bytes.length > limits.auditRecordBytes || !isUtf8(bytes) || !findSpans(bytes)) return false;
    const timeText = textOf(bytes, 'eventTime');
    const accountId = textOf(bytes, 'recipientAccountId');
    const region = textOf(bytes, 'awsRegion');
    const eventCategory = textOf(bytes, 'eventCategory');
    const readOnly = textOf(bytes, 'readOnly');
    if (timeText === undefined || accountId === undefined || region === undefined) return false;
    if (isEmpty('eventID') || (readOnly !== undefined && readOnly !== 'true' && readOnly !== 'false'))
      return false;
    // Where events of other systems have the rest is for the full scan to say, and what older events are.
    if (eventCategory === undefined || eventCategory === 'ActivityAuditLog') return false;
    scanned.eventSource = textOf(bytes, 'eventSource');
    const eventTime = times.read(timeText);
    if (eventTime === undefined) {
      if (!readFull()) times.learn(timeText, scanned.eventTime);
      return full !== undefined;
    }
    scanned.eventTime = eventTime;
    scanned.accountId = accountId;
    scanned.region = region;
    scanned.eventCategory = eventCategory;
    scanned.readOnly = readOnly;
    return true;
  }

  function readFull(): RecordProblem | undefined {
    const result = scanRecord(bytes);
    if (result.kind === 'problem') return result.problem;
    full = result.record;
    scanned.eventTime = full.eventTime;
    scanned.accountId = full.accountId;
    scanned.region = full.region;
    scanned.eventSource = full.eventSource;
    scanned.eventCategory = full.eventCategory;
    scanned.readOnly = full.readOnly;
    return undefined;
  }

  return {
    event,
    read(payload) {
      bytes = Buffer.isBuffer(payload)
        ? payload
        : Buffer.from(payload.buffer, payload.byteOffset, payload.length);
      full = undefined;
      parsed = undefined;
      return readHead() ? undefined : readFull();
    },
  };
}
