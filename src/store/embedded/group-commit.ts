import { limits, type Sequence } from '../../kernel/index.ts';

/** What one `append` handed in, waiting for its turn. */
export interface WaitingGroup {
  readonly entries: readonly Uint8Array[];
  readonly bytes: number;
  /** Takes the sequence of the group's first entry. */
  resolve(first: Sequence): void;
  reject(error: unknown): void;
}

export interface GroupCommit {
  enqueue(group: WaitingGroup): void;
  /** Resolves once everything that was enqueued is settled. */
  idle(): Promise<void>;
}

/** Lets everybody who was just answered hand in their next group, so that it shares the next write. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** The groups of the next write: at least one, else as many as fit the bounds. */
function takeBatch(queue: WaitingGroup[]): readonly WaitingGroup[] {
  let entries = 0;
  let bytes = 0;
  const over = queue.findIndex((group) => {
    entries += group.entries.length;
    bytes += group.bytes;
    return entries > limits.journalBatchEntries || bytes > limits.journalBatchBytes;
  });
  return queue.splice(0, over < 0 ? queue.length : Math.max(1, over));
}

/**
 * Runs one write at a time; everything that is handed in meanwhile is the next one. `write` settles the groups of
 * its batch by itself and never rejects.
 */
export function openGroupCommit(write: (batch: readonly WaitingGroup[]) => Promise<void>): GroupCommit {
  const queue: WaitingGroup[] = [];
  let running: Promise<void> | undefined;
  async function drain(): Promise<void> {
    await turn();
    while (queue.length > 0) {
      await write(takeBatch(queue));
      await turn();
    }
    running = undefined;
  }
  return {
    enqueue(group) {
      queue.push(group);
      running ??= drain();
    },
    async idle() {
      await running;
    },
  };
}
