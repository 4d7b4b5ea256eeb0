import type { Clock, Random, Sequence } from '../../kernel/index.ts';
import type { StateDocument } from '../../state/index.ts';
import { positionOf, type DeliveryDocument, type LoggingSettings } from './delivery-documents.ts';

const firstRetryMs = 1_000;
const lastRetryMs = 60_000;

/** A trail as its delivery goes on: its document, and what is known beyond it. */
export interface TrailRunner {
  readonly arn: string;
  document: StateDocument<DeliveryDocument>;
  /** Everything before it is delivered or was looked at and is not logged; never behind the document's. */
  position: Sequence;
  /** As they are at `position`. */
  logging: LoggingSettings;
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

export function openRunner(document: StateDocument<DeliveryDocument>): TrailRunner {
  return {
    arn: document.value.trailArn,
    document,
    position: positionOf(document),
    logging: document.value.logging,
    busy: undefined,
    behind: false,
    failures: 0,
    retryAt: 0,
    bodies: undefined,
    alerted: undefined,
  };
}

/** Begins anew with a document that somebody else wrote: the trail was deleted and made again. */
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
