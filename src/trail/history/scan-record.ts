import { isUtf8 } from 'node:buffer';
import { limits } from '../../kernel/index.ts';
import { skipSpace } from './json-bytes.ts';
import type { RecordScan } from './scanned-record.ts';
import { parseRecord } from './parsed-record.ts';
import { recordOf } from './record-fields.ts';
import { openObjectScanner, type ObjectScan } from './scan-fields.ts';

export const notAnObject: RecordScan = { kind: 'problem', problem: 'not a JSON object' };
const tooLarge: RecordScan = { kind: 'problem', problem: 'too large' };

/** What the history indexes of an object that was walked. */
export function recordOfObject(bytes: Uint8Array, from: number, { fields, behind }: ObjectScan): RecordScan {
  if (behind - from > limits.auditRecordBytes) return tooLarge;
  if (fields !== 'unusual') return recordOf(fields);
  const parsed = parseRecord(Buffer.from(bytes.buffer, bytes.byteOffset + from, behind - from).toString());
  return parsed ? recordOf(parsed) : notAnObject;
}

/**
 * Reads one CloudTrail record: checks that the bytes are UTF-8 and exactly one JSON object (RFC 8259; whitespace around
 * it is allowed), and takes out what the history indexes. Of duplicate members the last counts, as with JSON.parse.
 * The bytes are not kept.
 */
export function scanRecord(bytes: Uint8Array): RecordScan {
  if (bytes.length > limits.auditRecordBytes) return tooLarge;
  if (!isUtf8(bytes)) return { kind: 'problem', problem: 'not valid UTF-8' };
  const from = skipSpace(bytes, 0, bytes.length);
  const scan = openObjectScanner(bytes)(from);
  if (!scan || skipSpace(bytes, scan.behind, bytes.length) !== bytes.length) return notAnObject;
  return recordOfObject(bytes, from, scan);
}
