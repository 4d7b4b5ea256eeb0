import type { Logger } from '../../../kernel/index.ts';
import { EngineDiedError, tookTooMuchMemory } from './engine-process.ts';
import { ownersOf, type SealedFile } from './manifest.ts';
import { planMerge, type MergePlan } from './merge-plan.ts';

/** Writes the files of a plan as one in their place; rows before `notBefore` (epoch milliseconds) are left out. */
export type MergeFiles = (plan: MergePlan, notBefore?: number) => Promise<void>;

export interface RewritingOptions {
  /** The files that count now. */
  readonly files: () => readonly SealedFile[];
  readonly merge: MergeFiles;
  /** Lets go of files. */
  readonly remove: (files: readonly SealedFile[]) => Promise<void>;
  readonly log: Logger;
}

/** What becomes of files once they are sealed: small ones are merged, old ones dropped; one of these at a time. */
export interface Rewriting {
  /** Begins the merges that are due, unless they are under way. */
  mergeSoon(): void;
  /** See `Columns.drop`. */
  drop(before: ReadonlyMap<string, number>): Promise<number>;
  /** Resolves when no merge is running or due. */
  settled(): Promise<void>;
  /** Begins nothing more. */
  close(): void;
  /** Resolves when what was begun has ended. */
  ended(): Promise<void>;
}

/** Whether a merge took more memory than there is for one; an engine that dies mostly did. */
function isTooLarge(error: unknown): boolean {
  return error instanceof EngineDiedError || tookTooMuchMemory(error);
}

const keyOf = ({ inputs }: MergePlan): string => inputs.map(({ name }) => name).join(' ');

export function openRewriting({ files, merge, remove, log }: RewritingOptions): Rewriting {
  let last: Promise<unknown> = Promise.resolve();
  let merging: Promise<void> | undefined;
  let isClosed = false;
  /** Plans that were too large for the memory, by the names of their files. */
  const tooLarge = new Set<string>();

  /** Runs `work` behind what is running. It chooses its files only then: they are still there, and stay until it has ended. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  /** The plan, or of one that was too large its first half; undefined where that is a single file. */
  const bearable = (plan: MergePlan): MergePlan | undefined => {
    if (!tooLarge.has(keyOf(plan))) return plan;
    const inputs = plan.inputs.slice(0, Math.ceil(plan.inputs.length / 2));
    return inputs.length < 2 ? undefined : bearable({ ...plan, inputs });
  };
  const nextPlan = (): MergePlan | undefined => {
    if (isClosed) return undefined;
    for (const owner of ownersOf(files())) {
      const planned = planMerge(files().filter((file) => file.owner === owner));
      const plan = planned && bearable(planned);
      if (plan) return plan;
    }
    return undefined;
  };
  const mergeNext = async (): Promise<void> => {
    const plan = nextPlan();
    if (!plan) return;
    try {
      await merge(plan);
    } catch (error) {
      if (isClosed || !isTooLarge(error)) throw error;
      tooLarge.add(keyOf(plan));
      log.warn(
        { err: error, files: plan.inputs.length },
        'merging files of the lake took too much memory; fewer of them are merged at a time',
      );
    }
  };
  const mergeSoon = (): void => {
    if (merging || !nextPlan()) return;
    merging = (async () => {
      while (nextPlan()) await inTurn(mergeNext);
    })()
      .catch((error: unknown) => {
        if (!isClosed)
          log.error(
            { err: error },
            'merging files of the lake failed; it is tried again after the next seal',
          );
      })
      .finally(() => {
        merging = undefined;
      });
  };
  /** Drops files whose rows are all too old, and writes those anew of whose time more than half is. */
  const drop = async (before: ReadonlyMap<string, number>): Promise<number> => {
    const limitOf = ({ owner }: SealedFile) => before.get(owner) ?? -Infinity;
    const gone = files().filter((file) => file.to < limitOf(file));
    if (gone.length > 0) await remove(gone);
    const halfGone = files().filter((file) => limitOf(file) > (file.from + file.to) / 2);
    for (const file of halfGone) if (!isClosed) await merge({ inputs: [file], sort: false }, limitOf(file));
    return gone.length + halfGone.length;
  };

  return {
    mergeSoon,
    // A merge that reads what is dropped meanwhile would bring it back.
    drop: (before) => inTurn(() => drop(before)),
    async settled() {
      mergeSoon();
      for (let running = merging; running; running = merging) await running;
    },
    close() {
      isClosed = true;
    },
    async ended() {
      await merging;
      await last;
    },
  };
}
