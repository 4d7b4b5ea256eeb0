import { limits, type Clock, type Random, type Sequence } from '../../kernel/index.ts';
import type { StateDocument } from '../../state/index.ts';
import type { EndedTrailDocument } from '../trails/ended-trails.ts';
import { trailId } from '../trails/trail-documents.ts';
import {
  positionOf,
  trailNameOf,
  type DeliveryDocument,
  type LoggingSettings,
} from './delivery-documents.ts';

const firstRetryMs = 1_000;
const lastRetryMs = 60_000;

/** A trail as its delivery goes on: its document, and what is known beyond it. */
export interface TrailRunner {
  /** The trail's id, and its ARN for the log. */
  readonly id: string;
  readonly arn: string;
  document: StateDocument<DeliveryDocument>;
  /** Everything before it is delivered or was looked at and is not logged; never behind the document's. */
  position: Sequence;
  /** As they are at `position`. */
  logging: LoggingSettings;
  /** Set when the trail was deleted. */
  ended: TrailEnd | undefined;
  /** The work that is under way, a pass or an attempt: only that ends it. */
  busy: object | undefined;
  /** There was more than one pass takes, so the next follows at once. */
  behind: boolean;
  /** Attempts that failed one after the other. */
  failures: number;
  /** Monotonic milliseconds before which nothing is tried. */
  retryAt: number;
  /** The bytes of the plan's files, where there is room to keep them until the next attempt. */
  bodies: readonly Uint8Array[] | undefined;
  /** What the last attempt failed with, so that it is said once. */
  alerted: string | undefined;
}

/** The end of a trail: what it logged before is still to be delivered. */
export interface TrailEnd {
  /** Behind the record of the call that deleted it, the last that it logs. */
  readonly at: number;
  /** Epoch milliseconds. */
  readonly deletedAt: number;
}

/** The end of a trail whose deletion is in the journal at `version`; the call's record stands right behind it. */
export function trailEnd({ version, value }: StateDocument<EndedTrailDocument>): TrailEnd {
  return { at: version + 2, deletedAt: value.deletedAt };
}

/**
 * Whether nothing more is tried for a trail that was deleted. CloudTrail tries for 30 days ("Getting and viewing your
 * CloudTrail log files"); a bucket that was deleted as well is not waited for that long.
 */
export function isHopeless({ ended }: TrailRunner, code: string, now: number): boolean {
  if (!ended) return false;
  const patienceMs = code === 'NoSuchBucket' ? limits.deletedBucketMs : limits.deletedTrailMs;
  return now - ended.deletedAt > patienceMs;
}

export function openRunner(document: StateDocument<DeliveryDocument>): TrailRunner {
  return {
    id: trailId(trailNameOf(document.value)),
    arn: document.value.trailArn,
    document,
    position: positionOf(document),
    logging: document.value.logging,
    ended: undefined,
    busy: undefined,
    behind: false,
    failures: 0,
    retryAt: 0,
    bodies: undefined,
    alerted: undefined,
  };
}

/** Begins anew with a document that somebody else wrote. */
export function reload(runner: TrailRunner, document: StateDocument<DeliveryDocument>): void {
  Object.assign(runner, openRunner(document));
}

/** Puts the next attempt off: longer each time, and not at the same moment for all trails. */
export function backOff(runner: TrailRunner, clock: Clock, random: Random): number {
  const delayMs = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(runner.failures, 10));
  const jittered = delayMs / 2 + random.below(delayMs / 2);
  runner.failures++;
  runner.retryAt = clock.monotonic() + jittered;
  return Math.round(jittered);
}
