import { assert, sequence, type Clock, type Logger, type Sequence } from '../kernel/index.ts';
import type { JournalEntry, NewEntry, Stream } from '../journal/index.ts';
import { beginChange, copyOf, readCovers, readHolds, type PreparedChange } from './change.ts';
import { decodeChange, encodeChange } from './change-codec.ts';
import { keepCheckpoints } from './checkpoints.ts';
import { checkDocumentKey } from './document-key.ts';
import type { Documents } from './documents.ts';
import type { Change, CommitResult, State } from './state-types.ts';

export interface StateOptions {
  /** The journal's `audit` stream, which holds the changes. */
  readonly stream: Stream;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A commit that was handed to the journal and is not yet visible (or failed). */
interface PendingCommit {
  readonly keys: ReadonlySet<string>;
  readonly settled: Promise<unknown>;
}

/** Opens control state over `documents`, and brings these up to the end of the journal before it resolves. */
export async function openState(documents: Documents, options: StateOptions): Promise<State> {
  const { stream, clock } = options;
  const log = options.log.child({ part: 'state' });
  const listeners = new Set<(keys: readonly string[]) => void>();
  const begun = new WeakSet<Change>();
  const pending = new Set<PendingCommit>();

  async function apply(entries: readonly JournalEntry[]): Promise<void> {
    const changes = entries
      .filter((entry) => entry.kind === 'change')
      .map((entry) => decodeChange(entry.sequence, entry.payload));
    if (changes.length === 0) return;
    documents.apply(changes, sequence((entries.at(-1)?.sequence ?? 0) + 1));
    for (const { puts, deletes } of changes) {
      const keys = [...puts.map(({ key }) => key), ...deletes];
      for (const listener of listeners) listener(keys);
    }
  }

  await using opening = new AsyncDisposableStack();
  opening.use(documents);
  const from = await documents.recover({ start: stream.start, end: stream.end });
  const reader = opening.use(await stream.follow({ name: 'state', from, apply }));
  await reader.reached(stream.end);

  /** The pending commits that touch what the change read, so that its check has to wait for their outcome. */
  function overlapping(change: PreparedChange): readonly PendingCommit[] {
    return [...pending].filter(({ keys }) =>
      change.reads.some((read) =>
        read.kind === 'get' ? keys.has(read.key) : [...keys].some((key) => readCovers(read, key)),
      ),
    );
  }

  /** Appends the group; resolves once the change in it, if there is one, is visible. */
  async function append(change: PreparedChange, records: readonly NewEntry[]): Promise<Sequence> {
    const changes = change.puts.size + change.deletes.size > 0;
    if (!changes && records.length === 0) return stream.end;
    const payload = changes ? encodeChange(change.puts, [...change.deletes]) : undefined;
    const group = payload ? [{ kind: 'change' as const, payload }, ...records] : records;
    const first = await stream.append(group);
    if (changes) await reader.reached(sequence(first + 1));
    return first;
  }

  async function commit(given: Change, records: readonly NewEntry[]): Promise<CommitResult> {
    assert(begun.delete(given), 'a change is committed once, by the state that began it');
    const change = given as PreparedChange;
    if (!change.reads.every((read) => readHolds(documents, read))) return { kind: 'conflict' };
    for (let ahead = overlapping(change); ahead.length > 0; ahead = overlapping(change)) {
      await Promise.all(ahead.map(({ settled }) => settled));
    }
    if (!change.reads.every((read) => readHolds(documents, read))) return { kind: 'conflict' };
    // From the check above to the registration below nothing else runs, so no commit slips in between.
    const appended = append(change, records);
    const entry = {
      keys: new Set([...change.puts.keys(), ...change.deletes]),
      settled: appended.catch(() => {}),
    };
    pending.add(entry);
    try {
      return { kind: 'committed', sequence: await appended };
    } finally {
      pending.delete(entry);
    }
  }

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
    begin() {
      const change = beginChange(documents);
      begun.add(change);
      return change;
    },
    commit,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    reader,
    async [Symbol.asyncDispose]() {
      await Promise.all([...pending].map(({ settled }) => settled));
      try {
        // Spares the next start reading again what held no changes.
        documents.apply([], reader.applied);
      } finally {
        await opened.disposeAsync();
      }
    },
  };
}
