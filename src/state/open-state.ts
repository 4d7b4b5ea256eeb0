import { assert, sequence, type Clock, type Logger } from '../kernel/index.ts';
import type { JournalEntry, Stream } from '../journal/index.ts';
import type { LogDamage } from '../store/index.ts';
import { beginChange, copyOf, type PreparedChange } from './change.ts';
import { decodeChange } from './change-codec.ts';
import { keepCheckpoints } from './checkpoints.ts';
import { openCommits } from './commits.ts';
import { cacheDocuments } from './document-cache.ts';
import { checkDocumentKey } from './document-key.ts';
import { StateLostError, type Documents, type DurableChange } from './documents.ts';
import type { Change, State } from './state-types.ts';

export interface StateOptions {
  /** The journal's `audit` stream, which holds the changes. */
  readonly stream: Stream;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Opens control state over `stored` documents, and brings these up to the end of the journal before it resolves. Rejects with
 * StateLostError when the journal is damaged where changes may stand that were not applied yet, and with
 * ChangeFormatError when it holds a change that this version cannot read.
 */
export async function openState(stored: Documents, options: StateOptions): Promise<State> {
  const documents = cacheDocuments(stored);
  const { stream, clock } = options;
  const log = options.log.child({ part: 'state' });
  const listeners = new Set<(keys: readonly string[]) => void>();
  const begun = new WeakSet<Change>();
  let closed = false;
  const unreadable = Promise.withResolvers<never>();
  unreadable.promise.catch(() => {});

  /** The changes among `entries`. One that cannot be read is never passed over: the state would be another one. */
  function changesIn(entries: readonly JournalEntry[]): readonly DurableChange[] {
    try {
      return entries
        .filter((entry) => entry.kind === 'change')
        .map((entry) => decodeChange(entry.sequence, entry.payload));
    } catch (error) {
      unreadable.reject(error);
      throw error;
    }
  }

  async function apply(entries: readonly JournalEntry[]): Promise<void> {
    const changes = changesIn(entries);
    if (changes.length === 0) return;
    documents.apply(changes, sequence((entries.at(-1)?.sequence ?? 0) + 1));
    for (const { puts, deletes } of changes) {
      const keys = [...puts.map(({ key }) => key), ...deletes];
      for (const listener of listeners) listener(keys);
    }
  }

  /**
   * A change may stand where the journal is damaged, such as the one that took a key away from somebody. Before the
   * state is open, that keeps it shut; once it is open, it has applied that change already or the reader says so.
   */
  function refuse({ file, offset, reason }: LogDamage): void {
    const said = `changes of the control state may be lost: ${file}, byte ${offset}: ${reason}; restore the data directory from a backup`;
    unreadable.reject(new StateLostError(said));
  }

  await using opening = new AsyncDisposableStack();
  opening.use(documents);
  const from = await documents.recover({ start: stream.start, end: stream.end });
  const reader = opening.use(await stream.follow({ name: 'state', from, apply, onDamage: refuse }));
  await Promise.race([reader.reached(stream.end), unreadable.promise]);

  const commits = openCommits({ documents, stream, reader });
  opening.use(keepCheckpoints(documents, reader, { clock, log }));
  const opened = opening.move();
  return {
    async get<T>(key: string) {
      checkDocumentKey(key);
      const document = documents.get(key);
      return document && copyOf<T>(document);
    },
    list: async <T>(prefix: string, listOptions = {}) =>
      documents.list(prefix, listOptions).map((document) => copyOf<T>(document)),
    count: async (prefix) => documents.count(prefix),
    begin() {
      const change = beginChange(documents);
      begun.add(change);
      return change;
    },
    async commit(change, records) {
      assert(!closed, 'a commit to a closed state');
      assert(begun.delete(change), 'a change is committed once, by the state that began it');
      return commits.commit(change as PreparedChange, records);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    reader,
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      await commits.idle();
      try {
        // Spares the next start reading again what held no changes.
        documents.apply([], reader.applied);
      } finally {
        await opened.disposeAsync();
      }
    },
  };
}
