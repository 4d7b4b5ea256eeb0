import { limits } from '../../kernel/index.ts';

const kiB = 1024;

/**
 * The most bytes that each field of a record takes ("CloudTrail record contents for management, data, and network
 * activity events"). Text is cut; a JSON value that is too large is replaced by a note with its size, as CloudTrail does.
 */
export const fieldCaps = {
  text: kiB,
  requestParameters: 100 * kiB,
  responseElements: 100 * kiB,
  additionalEventData: 28 * kiB,
  resources: 24 * kiB,
  record: limits.auditRecordBytes,
} as const;

/** The text, cut to at most `maxBytes` bytes of UTF-8 without cutting a character. */
export function cappedText(text: string, maxBytes: number = fieldCaps.text): string {
  if (text.length * 3 <= maxBytes) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/** What stands in place of a value that is too large. */
export function omittedNote(name: string, originalSize: number): string {
  return JSON.stringify({ omitted: true, originalSize, reason: `${name} too large` });
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0;
}

/**
 * The value as JSON text of at most `maxBytes` bytes, else the note that it was omitted. Nothing at all (also an
 * object without members) is `null`, as CloudTrail writes a call without parameters.
 */
export function cappedJson(name: string, value: unknown, maxBytes: number): string {
  if (isEmpty(value)) return 'null';
  const text = JSON.stringify(value);
  if (text.length * 3 <= maxBytes) return text;
  const size = Buffer.byteLength(text);
  return size <= maxBytes ? text : omittedNote(name, size);
}
