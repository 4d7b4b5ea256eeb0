import type { Timer } from '../../kernel/index.ts';
import type { DeliveryHead } from './delivery-entry.ts';
import { openDueHeap, type DueHeap } from './due-heap.ts';

/** A delivery that is not settled. */
export interface Held {
  readonly sequence: number;
  readonly head: DeliveryHead;
  /** What is sent, as long as there is room for it in memory; otherwise it is read from the journal again. */
  body: Uint8Array | undefined;
  /** When it was routed, epoch milliseconds. */
  readonly time: number;
  /** Attempts that failed. */
  readonly attempts: number;
  /** When the next attempt is due, on the monotonic clock. */
  readonly due: number;
}

/** What waits for one target. */
export interface TargetQueue {
  /** Its ARN. */
  readonly target: string;
  readonly waiting: DueHeap<Held>;
  readonly inFlight: Set<Held>;
  /** Attempts that may be under way at once: few while they fail, many while they succeed. */
  allowed: number;
  /** Before it no attempt may begin, on the monotonic clock: the invocation rate. */
  nextSlot: number;
  /** From this sequence on, its deliveries are in the journal alone; undefined when all that were read are here. */
  passedFrom: number | undefined;
  passedCount: number;
  isRefilling: boolean;
  isPumping: boolean;
  /** Whether it is to be pumped once more afterwards. */
  isPumpedAgain: boolean;
  timer: Timer | undefined;
  /** Since when every attempt has failed, on the monotonic clock. */
  failingSince: number | undefined;
}

const firstAllowed = 8;
const mostAllowed = 50;

export function newTargetQueue(target: string): TargetQueue {
  return {
    target,
    waiting: openDueHeap(),
    inFlight: new Set(),
    allowed: firstAllowed,
    nextSlot: 0,
    passedFrom: undefined,
    passedCount: 0,
    isRefilling: false,
    isPumping: false,
    isPumpedAgain: false,
    timer: undefined,
    failingSince: undefined,
  };
}

export const heldCount = (queue: TargetQueue): number => queue.waiting.size + queue.inFlight.size;

export const heldOf = (queue: TargetQueue): readonly Held[] => [...queue.waiting.all(), ...queue.inFlight];

/** A target that answers gets more at once; one that does not is asked by fewer and fewer, so that it keeps no others waiting. */
export function noteOutcome(queue: TargetQueue, isDelivered: boolean, now: number): void {
  if (isDelivered) {
    queue.allowed = Math.min(queue.allowed + 1, mostAllowed);
    queue.failingSince = undefined;
    return;
  }
  queue.allowed = Math.max(1, queue.allowed >> 1);
  queue.failingSince ??= now;
}
