import { memberAt, scanRecord, scansOf, type RecordScan, type ScannedRecord } from '../history/index.ts';
import type { CountedEvent } from './insight-types.ts';

const unknown = 'unknown';
const agentMember = Buffer.from('"userAgent":"');

/** The record's userAgent, found without taking the whole record apart; it is for showing alone. */
function userAgentOf(raw: Uint8Array): string {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  const from = bytes.indexOf(agentMember);
  if (from < 0) return unknown;
  let end = from + agentMember.length;
  while (end < bytes.length && bytes[end] !== 0x22) end += bytes[end] === 0x5c ? 2 : 1;
  try {
    const text = JSON.parse(bytes.subarray(from + agentMember.length - 1, end + 1).toString()) as string;
    return text === '' ? unknown : text.slice(0, 256);
  } catch {
    return unknown;
  }
}

/**
 * The ARN of a role session is the session's alone, and sessions come and go; it is its role that has a pattern. This is
 * how CloudTrail attributes insights, too.
 */
function callerOf({ principalArn, username }: ScannedRecord): string {
  if (principalArn === undefined) return username ?? unknown;
  return principalArn.replace(/^(arn:[^:]*:sts::\d+:assumed-role\/[^/]+)\/.*$/su, '$1');
}

/**
 * Whether what was handed along with an entry says that it is nothing that insights look at: a management event that read
 * and succeeded, as most of an import's are, or an event of another system. Then its scan need not be unpacked.
 */
export function isNotedAsNothing(note: unknown): boolean {
  const packed = scansOf(note);
  if (!packed) return false;
  const { scans, index } = packed;
  const category = memberAt(scans, index, 'eventCategory') ?? 'Management';
  if (category === 'ActivityAuditLog') return true;
  return (
    category === 'Management' &&
    memberAt(scans, index, 'readOnly') === 'true' &&
    memberAt(scans, index, 'errorCode') === undefined
  );
}

/** The event as it is counted; undefined for what has no rate: insights themselves, network activity, and other sources. */
export function countedRecord(raw: Uint8Array, scan: RecordScan = scanRecord(raw)): CountedEvent | undefined {
  if (scan.kind !== 'record') return undefined;
  const { record } = scan;
  const { eventName, eventSource, errorCode, accountId, region } = record;
  const category = record.eventCategory ?? 'Management';
  if (eventName === undefined || eventSource === undefined) return undefined;
  if (category !== 'Management' && category !== 'Data') return undefined;
  const readOnly = record.readOnly === 'true';
  if (category === 'Management' && readOnly && errorCode === undefined) return undefined;
  return {
    accountId,
    region,
    category,
    eventSource,
    eventName,
    readOnly,
    errorCode,
    caller: callerOf(record),
    userAgent: userAgentOf(raw),
    minute: Math.floor(record.eventTime / 60_000),
  };
}
