import { limits } from '../../kernel/index.ts';
import type { TrailDocument } from '../trails/trail-documents.ts';
import { isEnded, type EndedTrailDocument } from '../trails/ended-trails.ts';
import type { ChainDocument } from './digest-documents.ts';

/** What a chain of digests needs next. Times are epoch milliseconds. */
export type NextStep =
  /** The trail logs again: a new chain begins where this one ended. */
  | { readonly kind: 'begin' }
  /** A digest of `startTime` to `endTime`, not before `dueAt`. */
  | {
      readonly kind: 'digest';
      readonly startTime: number;
      readonly endTime: number;
      readonly dueAt: number;
      readonly isFinal: boolean;
      /** Lists what was delivered behind its end as well. */
      readonly listsAll?: true;
    }
  /** Nothing more comes, and the trail is gone. */
  | { readonly kind: 'forget' }
  /** Nothing comes until the trail logs again. */
  | { readonly kind: 'rest' };

export interface ScheduleSettings {
  readonly periodMs: number;
  /** How long after its end a digest is made, so that deliveries that began before the end are over. */
  readonly graceMs: number;
}

/** Whether a trail has digests of a region now: an empty one says that nothing happened there, so it must be logged. */
export function hasDigests(trail: TrailDocument, region: string): boolean {
  const isLoggedThere = trail.isMultiRegion || region === trail.homeRegion;
  return trail.isLogging && trail.logFileValidation && isLoggedThere;
}

/** The start of the second that `time` lies in, and of the next one unless `time` is one itself. */
export const floorSecond = (time: number): number => Math.floor(time / 1000) * 1000;
const ceilSecond = (time: number): number => Math.ceil(time / 1000) * 1000;

/**
 * Where the final digest of a deleted trail ends: with the second of the deletion. What was delivered a little later is in
 * it all the same. A trail that is made again under the name has digests that end later, so that their names differ.
 */
export function finalEnd({ nextStart, endsAt }: ChainDocument, deletedAt: number): number {
  return endsAt ?? Math.max(floorSecond(deletedAt), nextStart) + 1000;
}

/** What is left to do for the chain of a trail that was deleted. */
function stepOfEnded(
  chain: ChainDocument,
  { deletedAt, isDelivered }: EndedTrailDocument,
  hasFiles: boolean,
): NextStep {
  if (isDelivered !== true) return { kind: 'rest' };
  if (chain.isClosed && !hasFiles) return { kind: 'forget' };
  const endTime = finalEnd(chain, deletedAt);
  return {
    kind: 'digest',
    startTime: chain.nextStart,
    endTime,
    dueAt: endTime,
    isFinal: true,
    listsAll: true,
  };
}

/** The first boundary of the clock after `time`. */
function boundaryAfter(time: number, periodMs: number): number {
  return (Math.floor(time / periodMs) + 1) * periodMs;
}

/** What is known of a chain's log files and of the time, epoch milliseconds. */
export interface ChainTimes {
  readonly now: number;
  /** When the first log file was delivered that waits and is in no digest. */
  readonly firstFileAt: number | undefined;
}

/** Until when a trail has digests; later ones are not due, or are for another to say. */
function lastDue(chain: ChainDocument, trail: TrailDocument | undefined, dueEnd: number): number {
  if (!trail) return dueEnd;
  const { startedAt = 0, stoppedAt = Infinity } = trail;
  const isRestarted = startedAt > chain.loggingSince;
  const ends = [
    dueEnd,
    ...(isRestarted ? [Math.min(stoppedAt, startedAt)] : trail.isLogging ? [] : [stoppedAt]),
    ...(isEnded(trail) ? [floorSecond(trail.deletedAt)] : []),
  ];
  return Math.min(...ends);
}

/**
 * Where the next digest of a chain ends: at the next boundary of the clock. Where Cairn was off for very long, or the clock
 * went ahead by years, that would be digests by the ten thousand, each signed and put; so a long time without log files is
 * covered by one digest. The format allows any span ("CloudTrail digest file structure": the file says what it covers), and
 * the claim that nothing was delivered is the same.
 */
function nextEnd(nextStart: number, last: number, firstFileAt: number | undefined, periodMs: number): number {
  const usual = boundaryAfter(nextStart, periodMs);
  if (last - nextStart <= limits.digestsLate * periodMs) return usual;
  const emptyUntil = Math.min(last, firstFileAt ?? Infinity);
  return Math.max(usual, Math.floor(emptyUntil / periodMs) * periodMs);
}

/**
 * Says what a chain needs next. While the trail logs, that is a digest for every period, also for those that passed while
 * nobody could deliver. When logging stops, there or at all, or validation is switched off, the period is ended by a final digest, and when
 * the trail is deleted by one that comes once all of its log files are there; a trail that logs again gets a new chain ("Starting digest file", "Digest file chaining").
 */
export function nextStep(
  chain: ChainDocument,
  trail: TrailDocument | undefined,
  { now, firstFileAt }: ChainTimes,
  { periodMs, graceMs }: ScheduleSettings,
): NextStep {
  const { nextStart } = chain;
  const hasFiles = firstFileAt !== undefined;
  const boundary = nextEnd(nextStart, lastDue(chain, trail, now - graceMs), firstFileAt, periodMs);
  const digest = (endTime: number, isFinal: boolean) => ({
    kind: 'digest' as const,
    startTime: nextStart,
    endTime,
    dueAt: endTime + graceMs,
    isFinal,
  });
  // Only a clock that was put back leaves files of the future. Those are not kept without a digest until it is there.
  if (!chain.isClosed && firstFileAt !== undefined && firstFileAt - now > limits.digestsLate * periodMs) {
    return { ...digest(floorSecond(firstFileAt) + 1000, false), dueAt: now };
  }
  if (trail && hasDigests(trail, chain.region)) {
    if (chain.isClosed) return { kind: 'begin' };
    const restartedAt = trail.startedAt ?? 0;
    if (restartedAt <= chain.loggingSince) return digest(boundary, false);
    const end = Math.max(ceilSecond(restartedAt), nextStart + 1000);
    return end <= boundary
      ? digest(end, true)
      : digest(boundary, boundary >= (trail.stoppedAt ?? restartedAt));
  }
  if (trail && isEnded(trail)) {
    const isLast = chain.isClosed || chain.endsAt !== undefined || boundary > floorSecond(trail.deletedAt);
    if (isLast) return stepOfEnded(chain, trail, hasFiles);
  }
  if (chain.isClosed) {
    if (hasFiles) return digest(Math.max(boundary, boundaryAfter(now, periodMs) - periodMs), true);
    return trail ? { kind: 'rest' } : { kind: 'forget' };
  }
  const stoppedAt = trail && !trail.isLogging ? trail.stoppedAt : undefined;
  return digest(boundary, boundary >= (stoppedAt ?? floorSecond(now) - periodMs + 1));
}
