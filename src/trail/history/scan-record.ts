import { isUtf8 } from 'node:buffer';
import { limits } from '../../kernel/index.ts';
import type { RecordScan } from './scanned-record.ts';
import { parseRecord } from './parsed-record.ts';
import { recordOf } from './record-fields.ts';
import { scanFields } from './scan-fields.ts';

const notAnObject: RecordScan = { kind: 'problem', problem: 'not a JSON object' };

/**
 * Reads one CloudTrail record: checks that the bytes are UTF-8 and exactly one JSON object (RFC 8259; whitespace around
 * it is allowed), and takes out what the history indexes. Of duplicate members the last counts, as with JSON.parse.
 * The bytes are not kept.
 */
export function scanRecord(bytes: Uint8Array): RecordScan {
  if (bytes.length > limits.auditRecordBytes) return { kind: 'problem', problem: 'too large' };
  if (!isUtf8(bytes)) return { kind: 'problem', problem: 'not valid UTF-8' };
  const fields = scanFields(bytes);
  if (typeof fields !== 'string') return recordOf(fields);
  if (fields === 'invalid') return notAnObject;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  const parsed = parseRecord(text);
  return parsed ? recordOf(parsed) : notAnObject;
}
