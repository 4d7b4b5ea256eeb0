/**
 * The journal: named, append-only streams of entries. Everything that happens becomes an entry; everything that
 * Cairn knows is a reader of them.
 */
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
