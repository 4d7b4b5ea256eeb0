import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../../kernel/index.ts';
import { planMerge } from './compaction-plan.ts';
import type { Cutoffs } from './event-query.ts';
import { countExpired } from './expired-share.ts';
import type { SegmentList, ListedSegment } from './segment-list.ts';
import { sourceOfSegment } from './segment-source.ts';
import { missingReason, SegmentDamage } from './segment-format.ts';
import type { Tail } from './tail.ts';
import type { WorkerTasks } from './worker-tasks.ts';

/** Damage that was found, and what became of it. */
export interface HistoryDamage {
  readonly file: string;
  readonly offset: number;
  readonly reason: string;
  /**
   * Bytes of compressed records that could not be read. 0: nothing is lost, only the index was made anew. Undefined: the file, or
   * its end, is missing, and what that held is not known.
   */
  readonly lostBytes: number | undefined;
}

/** Seals tails, merges, expires and repairs segments in the worker, and makes each change durable. */
export interface SegmentKeeper {
  /** Writes the tail as a segment. `onDurable` runs together with the segment's appearance in the list. */
  seal(tail: Tail, durable: number, onDurable: () => void): Promise<void>;
  /** Sets a damaged segment aside and indexes what can be read of it anew; the list is whole again when it resolves. */
  repair(damage: SegmentDamage): Promise<void>;
  /** Drops segments of which everything has expired, and writes those anew of which half has. */
  expire(cutoffs: Cutoffs): Promise<number>;
  /** Resolves when no merge is running or due. */
  settled(): Promise<void>;
  readonly damage: readonly HistoryDamage[];
  /** No new merges from now on. */
  stop(): void;
}

/** A segment is written anew when at least this share of it has expired: so space comes back at bounded cost. */
const rewriteShare = 0.5;

export function openSegmentKeeper(options: {
  readonly list: SegmentList;
  /** Seals and repairs. */
  readonly tasks: WorkerTasks;
  readonly merges: WorkerTasks;
  readonly log: Logger;
  /** What has expired now; merges leave it out. */
  readonly cutoffs: () => Cutoffs;
}): SegmentKeeper {
  const { list, tasks, merges, log, cutoffs } = options;
  const damage: HistoryDamage[] = [];
  const repairs = new Map<string, Promise<void>>();
  let merging: Promise<void> | undefined;
  let isStopped = false;

  /** Writes segments anew as one, without what has expired. */
  const rewrite = async (segments: readonly ListedSegment[], by: Cutoffs): Promise<void> => {
    const result = await merges.run({
      kind: 'merge',
      files: segments.map(({ segment }) => segment.file),
      file: list.newFile(),
      dictionary: list.manifest.dictionary,
      cutoffs: by,
    });
    await list.change({ gone: segments, files: result.files });
  };

  const repairOnce = async (found: SegmentDamage): Promise<void> => {
    const listed = list.segments.find(({ segment }) => segment.file === found.file);
    if (!listed && !list.broken.some(({ file }) => file === found.file)) return;
    log.error(
      { file: found.file, offset: found.offset, reason: found.reason },
      'a segment of the history is damaged',
    );
    const result =
      found.reason === missingReason
        ? { files: [], lost: [], isEndKnown: false }
        : await tasks.run({
            kind: 'repair',
            file: found.file,
            prefix: list.newFile(''),
            dictionary: list.manifest.dictionary,
          });
    await list.change({
      gone: listed ? [listed] : [],
      quarantine: true,
      ...(listed ? {} : { mended: found.file }),
      files: result.files,
    });
    const readableLost = result.lost.reduce((sum, one) => sum + one.length, 0);
    const lostBytes = result.isEndKnown ? readableLost : undefined;
    damage.push({ file: found.file, offset: found.offset, reason: found.reason, lostBytes });
    log.error(
      { file: found.file, lost: result.lost, lostBytes },
      found.reason === missingReason
        ? 'a segment is gone with its events; importing their log files again (`cairn import --again`), or a backup, brings them back'
        : 'the damaged segment is in quarantine; what could be read of it is searchable, and importing its log files again (`cairn import --again`) brings back the rest',
    );
  };
  const repair = (found: SegmentDamage): Promise<void> => {
    const running = repairs.get(found.file);
    if (running) return running;
    const done = repairOnce(found).finally(() => repairs.delete(found.file));
    repairs.set(found.file, done);
    return done;
  };

  const mergeNext = async (): Promise<void> => {
    for (;;) {
      const { segments } = list;
      const plan = planMerge(segments.map(({ segment }) => segment.documents));
      if (!plan || isStopped) return;
      try {
        await rewrite(segments.slice(plan.first, plan.first + plan.count), cutoffs());
      } catch (error) {
        if (isStopped) return;
        if (!(error instanceof SegmentDamage)) throw error;
        await repair(error);
      }
    }
  };
  const mergeSoon = (): void => {
    if (merging || isStopped) return;
    merging = mergeNext()
      .catch((error: unknown) => {
        if (!isStopped)
          log.error({ err: error }, 'merging segments failed; it is tried again after the next seal');
      })
      .finally(() => {
        merging = undefined;
      });
  };

  return {
    damage,
    async seal(tail, durable, onDurable) {
      const { files, dictionary } = await tasks.run({
        kind: 'seal',
        tail: tail.pack(),
        file: list.newFile(),
        dictionary: list.manifest.dictionary,
      });
      await list.change({ gone: [], files, manifest: { durable, dictionary }, onDurable });
      mergeSoon();
    },
    repair,
    async expire(by) {
      let dropped = 0;
      for (const listed of list.segments) {
        const source = sourceOfSegment(listed.segment);
        const expired = countExpired(source, by);
        await nextTurn();
        if (expired === source.documents)
          dropped += (await list.change({ gone: [listed], files: [] })) ? 1 : 0;
        else if (expired >= source.documents * rewriteShare) await rewrite([listed], by);
      }
      return dropped;
    },
    async settled() {
      mergeSoon();
      for (let running = merging; running; running = merging) await running;
    },
    stop() {
      isStopped = true;
    },
  };
}
