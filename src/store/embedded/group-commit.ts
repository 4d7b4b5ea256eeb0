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

/** So many waiting entries are a write worth beginning at once. */
const aheadEntries = 256;

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
 * Runs one write at a time; everything that is handed in meanwhile is the next one. `write` never rejects; what it
 * resolves with answers the callers of the batch, whatever became of it.
 */
export function openGroupCommit(write: (batch: readonly WaitingGroup[]) => Promise<() => void>): GroupCommit {
  const queue: WaitingGroup[] = [];
  let waitingEntries = 0;
  let running: Promise<void> | undefined;

  function writeNext(): Promise<() => void> {
    const batch = takeBatch(queue);
    for (const group of batch) waitingEntries -= group.entries.length;
    return write(batch);
  }

  async function drain(): Promise<void> {
    await turn();
    let writing = writeNext();
    for (;;) {
      const answer = await writing;
      // When enough waits already, the disk goes on while the callers of this write are answered and do their work.
      const ahead = waitingEntries >= aheadEntries ? writeNext() : undefined;
      answer();
      if (!ahead) await turn();
      if (!ahead && queue.length === 0) break;
      writing = ahead ?? writeNext();
    }
    running = undefined;
  }

  return {
    enqueue(group) {
      queue.push(group);
      waitingEntries += group.entries.length;
      running ??= drain();
    },
    async idle() {
      await running;
    },
  };
}
