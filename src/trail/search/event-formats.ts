import { scanRecord, type FoundEvent } from '../history/index.ts';
import { auditTime } from '../recording/user-identity.ts';

/** The forms in which a search is downloaded. */
export const downloadFormats = ['json', 'ndjson', 'csv'] as const;
export type DownloadFormat = (typeof downloadFormats)[number];

export const contentTypes: Readonly<Record<DownloadFormat, string>> = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
};

const newline = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;

/**
 * A record on one line. Line ends can stand only between the tokens of JSON, never inside a string, so a blank in their
 * place changes nothing of what the record says.
 */
export function onOneLine(raw: Uint8Array): Uint8Array {
  if (!raw.includes(newline) && !raw.includes(carriageReturn)) return raw;
  return raw.map((byte) => (byte === newline || byte === carriageReturn ? space : byte));
}

function textAt(value: unknown, name: string): string {
  if (typeof value !== 'object' || value === null) return '';
  const member: unknown = (value as Record<string, unknown>)[name];
  return typeof member === 'string' ? member : '';
}

/**
 * One cell. What a spreadsheet would take for a formula is made text by an apostrophe before it, because the text of
 * events comes from whoever made the call.
 */
export function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvColumns = [
  'eventTime',
  'eventID',
  'eventName',
  'eventSource',
  'accountId',
  'awsRegion',
  'username',
  'principalType',
  'principalArn',
  'accessKeyId',
  'sourceIPAddress',
  'userAgent',
  'readOnly',
  'errorCode',
  'errorMessage',
  'eventCategory',
  'eventType',
  'requestID',
  'resources',
] as const;

/** One event as a line of CSV (RFC 4180), with its line end. */
export function csvRow(event: FoundEvent): string {
  const scan = scanRecord(event.raw);
  const record = scan.kind === 'record' ? scan.record : undefined;
  const json: unknown = record ? JSON.parse(Buffer.from(event.raw).toString()) : undefined;
  const resources = (record?.resources ?? []).map(({ name, type }) => name ?? type ?? '');
  const cells: Readonly<Record<(typeof csvColumns)[number], string | undefined>> = {
    eventTime: auditTime(event.eventTime),
    eventID: event.eventId,
    eventName: record?.eventName,
    eventSource: record?.eventSource,
    accountId: record?.accountId,
    awsRegion: record?.region,
    username: record?.username,
    principalType: record?.principalType,
    principalArn: record?.principalArn,
    accessKeyId: record?.accessKeyId,
    sourceIPAddress: record?.sourceIpAddress,
    userAgent: textAt(json, 'userAgent'),
    readOnly: record?.readOnly,
    errorCode: record?.errorCode,
    errorMessage: textAt(json, 'errorMessage'),
    eventCategory: record?.eventCategory,
    eventType: record?.eventType,
    requestID: textAt(json, 'requestID'),
    resources: resources.join(' '),
  };
  return `${csvColumns.map((column) => csvCell(cells[column] ?? '')).join(',')}\r\n`;
}

const chunkBytes = 64 * 1024;

/** Gathers small pieces into chunks worth sending. */
async function* gather(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    held.push(piece);
    size += piece.length;
    if (size < chunkBytes) continue;
    yield Buffer.concat(held, size);
    held = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(held, size);
}

async function* first(events: AsyncIterable<FoundEvent>, limit: number): AsyncIterable<FoundEvent> {
  let left = limit;
  if (left <= 0) return;
  for await (const event of events) {
    yield event;
    left--;
    if (left <= 0) return;
  }
}

const lineEnd = Buffer.from('\n');

async function* jsonPieces(events: AsyncIterable<FoundEvent>): AsyncIterable<Uint8Array> {
  let separator = Buffer.from('{"Records":[\n');
  for await (const { raw } of events) {
    yield separator;
    yield raw;
    separator = Buffer.from(',\n');
  }
  yield Buffer.from(separator.length === 2 ? '\n]}\n' : '{"Records":[]}\n');
}

async function* ndjsonPieces(events: AsyncIterable<FoundEvent>): AsyncIterable<Uint8Array> {
  for await (const { raw } of events) {
    yield onOneLine(raw);
    yield lineEnd;
  }
}

async function* csvPieces(events: AsyncIterable<FoundEvent>): AsyncIterable<Uint8Array> {
  yield Buffer.from(`${csvColumns.join(',')}\r\n`);
  for await (const event of events) yield Buffer.from(csvRow(event));
}

/**
 * Events as a file: `json` is a CloudTrail log file with the records' original bytes, `ndjson` one record a line, `csv`
 * the attributes that people look at. `limit` is Infinity for all.
 */
export function download(
  events: AsyncIterable<FoundEvent>,
  format: DownloadFormat,
  limit: number,
): AsyncIterable<Uint8Array> {
  const some = first(events, limit);
  switch (format) {
    case 'json':
      return gather(jsonPieces(some));
    case 'ndjson':
      return gather(ndjsonPieces(some));
    case 'csv':
      return gather(csvPieces(some));
    default:
      return format satisfies never;
  }
}
