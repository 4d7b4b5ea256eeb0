import { hash } from 'node:crypto';
import { sha256Bytes, writeSha256, type Sequence } from '../kernel/index.ts';
import type { EntryKind, JournalEntry, NewEntry } from './journal-types.ts';

/** See FORMAT.md: kind, version, time; then, for all kinds but `change`, the payload's SHA-256; then the payload. */
const version = 1;
const headBytes = 8;

const kindCodes: Readonly<Record<EntryKind, number>> = { record: 1, ingested: 2, imported: 3, change: 4 };
const kindNames: ReadonlyMap<number, EntryKind> = new Map(
  Object.entries(kindCodes).map(([name, code]) => [code, name as EntryKind]),
);

/** An entry whose frame is whole but whose content this version cannot read. */
export class EntryFormatError extends Error {
  override name = 'EntryFormatError';
}

function payloadAtOf({ kind }: NewEntry): number {
  return headBytes + (kind === 'change' ? 0 : sha256Bytes);
}

/**
 * The bytes of entries in the log: one view for each, of memory that they share, so that a large group costs one
 * allocation. `time` is epoch milliseconds.
 */
export function encodeEntries(entries: readonly NewEntry[], time: number): Buffer[] {
  const sizeBytes = entries.reduce((sum, entry) => sum + payloadAtOf(entry) + entry.payload.length, 0);
  const all = Buffer.allocUnsafe(sizeBytes);
  let at = 0;
  return entries.map((entry) => {
    const { kind, payload } = entry;
    const payloadAt = payloadAtOf(entry);
    const bytes = all.subarray(at, at + payloadAt + payload.length);
    at += bytes.length;
    bytes[0] = kindCodes[kind];
    bytes[1] = version;
    bytes.writeUIntLE(time, 2, 6);
    if (entry.hash && kind !== 'change') bytes.set(entry.hash, headBytes);
    else if (kind !== 'change') writeSha256(payload, bytes, headBytes);
    bytes.set(payload, payloadAt);
    return bytes;
  });
}

/**
 * The entry in `bytes`, whose `payload` and `hash` are views of them, with what its writer noted. Throws EntryFormatError for content that this
 * version does not know.
 */
export function decodeEntry(sequence: Sequence, bytes: Uint8Array, note?: unknown): JournalEntry {
  const kind = kindNames.get(bytes[0] ?? 0);
  if (kind === undefined || bytes[1] !== version) {
    throw new EntryFormatError(
      `entry ${sequence} is of kind ${bytes[0]} and format ${bytes[1]}, which this version does not know`,
    );
  }
  const payloadAt = headBytes + (kind === 'change' ? 0 : sha256Bytes);
  if (bytes.length < payloadAt)
    throw new EntryFormatError(`entry ${sequence} is too short (${bytes.length} bytes)`);
  const low = (bytes[2] ?? 0) | ((bytes[3] ?? 0) << 8) | ((bytes[4] ?? 0) << 16) | ((bytes[5] ?? 0) << 24);
  const high = (bytes[6] ?? 0) | ((bytes[7] ?? 0) << 8);
  return {
    sequence,
    kind,
    time: high * 0x1_0000_0000 + (low >>> 0),
    hash: kind === 'change' ? undefined : bytes.subarray(headBytes, payloadAt),
    payload: bytes.subarray(payloadAt),
    note,
  };
}

/** Whether the kept hash is that of the payload; true for kinds that keep none. */
export function hashHolds(entry: JournalEntry): boolean {
  return entry.hash === undefined || hash('sha256', entry.payload, 'buffer').equals(entry.hash);
}
