import { sequence, type Sequence } from '../kernel/index.ts';
import type { NewEntry, Reader, Stream } from '../journal/index.ts';
import { readCovers, readHolds, type PreparedChange } from './change.ts';
import { encodeChange } from './change-codec.ts';
import type { Documents } from './documents.ts';
import type { CommitResult } from './state-types.ts';

/** A commit that was handed to the journal and is not yet visible (or failed). */
interface PendingCommit {
  readonly keys: ReadonlySet<string>;
  /** Resolves when it is either; never rejects. */
  readonly settled: Promise<unknown>;
}

export interface Commits {
  commit(change: PreparedChange, records: readonly NewEntry[]): Promise<CommitResult>;
  /** Resolves once everything that is on its way is settled. */
  idle(): Promise<void>;
}

/** Commits changes: checks what they read, appends them, and waits until `reader` has made them visible. */
export function openCommits(parts: {
  readonly documents: Documents;
  readonly stream: Stream;
  readonly reader: Reader;
}): Commits {
  const { documents, stream, reader } = parts;
  const pending = new Set<PendingCommit>();

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
    const others = [...change.entries, ...records];
    if (!changes && others.length === 0) return stream.end;
    if (changes) documents.reserve();
    const payload = changes ? encodeChange(change.puts, [...change.deletes]) : undefined;
    const first = await stream.append(payload ? [{ kind: 'change', payload }, ...others] : others);
    if (changes) await reader.reached(sequence(first + 1));
    return first;
  }

  const holds = (change: PreparedChange) => change.reads.every((read) => readHolds(documents, read));

  return {
    async commit(change, records) {
      if (!holds(change)) return { kind: 'conflict' };
      for (let ahead = overlapping(change); ahead.length > 0; ahead = overlapping(change)) {
        await Promise.all(ahead.map(({ settled }) => settled));
      }
      if (!holds(change)) return { kind: 'conflict' };
      // From the check above to the registration below nothing else runs, so no commit slips in between.
      const appended = append(change, records);
      const keys = new Set([...change.puts.keys(), ...change.deletes]);
      const entry = { keys, settled: appended.catch(() => {}) };
      pending.add(entry);
      try {
        return { kind: 'committed', sequence: await appended };
      } finally {
        pending.delete(entry);
      }
    },
    async idle() {
      await Promise.all([...pending].map(({ settled }) => settled));
    },
  };
}
