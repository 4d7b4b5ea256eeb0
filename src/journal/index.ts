/**
 * The journal: named, append-only streams of entries. Everything that happens becomes an entry; everything that
 * Cairn knows is a reader of them. Entries flow in through `append`, which resolves once they are durable, and out
 * through `follow` (backfill from files, cut over, live). FORMAT.md describes the bytes.
 */
export { openDamageList, type DamageList } from './damage-list.ts';
export {
  busEventText,
  decodeBusEvent,
  decodeHeaded,
  defaultBusArn,
  encodeBusEvent,
  encodeHeaded,
  type BusEvent,
  type BusEventHead,
} from './bus-event.ts';
export { entryRoomBytes, hashInPlace, holdsRecord } from './entry-codec.ts';
export { openHashArchive, type ArchivedHash, type ArchivedPage, type HashArchive } from './hash-archive.ts';
export { openJournal, type JournalOptions } from './journal.ts';
export { verifyStream, type Verification } from './verify.ts';
export type {
  EntryKind,
  Journal,
  JournalEntry,
  NewEntry,
  Reader,
  ReaderOptions,
  Stream,
  StreamName,
} from './journal-types.ts';
