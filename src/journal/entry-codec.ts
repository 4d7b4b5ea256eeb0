import { hash } from 'node:crypto';
import { assert, sha256Bytes, writeSha256, type Sequence } from '../kernel/index.ts';
import type { EntryKind, JournalEntry, NewEntry } from './journal-types.ts';

/** See FORMAT.md: kind, version, time; then, for records, the payload's SHA-256; then the payload. */
const version = 1;
const headBytes = 8;

const kindCodes: Readonly<Record<EntryKind, number>> = {
  record: 1,
  ingested: 2,
  imported: 3,
  change: 4,
  event: 5,
};
const kindNames: ReadonlyMap<number, EntryKind> = new Map(
  Object.entries(kindCodes).map(([name, code]) => [code, name as EntryKind]),
);

/** An entry whose frame is whole but whose content this version cannot read. */
export class EntryFormatError extends Error {
  override name = 'EntryFormatError';
}

/** Whether the entry holds a CloudTrail record, and not something that travels with one. */
export function holdsRecord({ kind }: Pick<NewEntry, 'kind'>): boolean {
  return kind !== 'change' && kind !== 'event';
}

/** What the entry of a record has before its payload. */
export const entryRoomBytes = headBytes + sha256Bytes;

/** Makes the room before a payload, which stands at `start` in `memory`, ready for an entry that is `inPlace`. */
export function hashInPlace(memory: Buffer, start: number, end: number): void {
  writeSha256(memory.subarray(start, end), memory, start - sha256Bytes);
}

function payloadAtOf(kind: EntryKind): number {
  return holdsRecord({ kind }) ? entryRoomBytes : headBytes;
}

/**
 * The bytes of entries in the log: one view for each. Those that are not in place stand in memory that they share, so that a
 * large group costs one allocation. `time` is epoch milliseconds.
 */
export function encodeEntries(entries: readonly NewEntry[], time: number): Buffer[] {
  let sizeBytes = 0;
  for (const { kind, payload, inPlace } of entries)
    if (!inPlace) sizeBytes += payloadAtOf(kind) + payload.length;
  const all = Buffer.allocUnsafe(sizeBytes);
  const low = time % 0x1_0000_0000;
  const high = (time - low) / 0x1_0000_0000;
  let at = 0;
  return entries.map(({ kind, payload, inPlace }) => {
    const payloadAt = payloadAtOf(kind);
    let bytes: Buffer;
    if (inPlace) {
      assert(payload.byteOffset >= payloadAt, 'an entry in place has room before its payload');
      bytes = Buffer.from(payload.buffer, payload.byteOffset - payloadAt, payloadAt + payload.length);
    } else {
      bytes = all.subarray(at, at + payloadAt + payload.length);
      at += bytes.length;
      bytes.set(payload, payloadAt);
      if (holdsRecord({ kind })) writeSha256(payload, bytes, headBytes);
    }
    bytes[0] = kindCodes[kind];
    bytes[1] = version;
    bytes.writeUInt32LE(low, 2);
    bytes.writeUInt16LE(high, 6);
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
  const payloadAt = payloadAtOf(kind);
  if (bytes.length < payloadAt)
    throw new EntryFormatError(`entry ${sequence} is too short (${bytes.length} bytes)`);
  const low = (bytes[2] ?? 0) | ((bytes[3] ?? 0) << 8) | ((bytes[4] ?? 0) << 16) | ((bytes[5] ?? 0) << 24);
  const high = (bytes[6] ?? 0) | ((bytes[7] ?? 0) << 8);
  return {
    sequence,
    kind,
    time: high * 0x1_0000_0000 + (low >>> 0),
    hash: holdsRecord({ kind }) ? bytes.subarray(headBytes, payloadAt) : undefined,
    payload: bytes.subarray(payloadAt),
    note,
  };
}

/** Whether the kept hash is that of the payload; true for kinds that keep none. */
export function hashHolds(entry: JournalEntry): boolean {
  return entry.hash === undefined || hash('sha256', entry.payload, 'buffer').equals(entry.hash);
}
