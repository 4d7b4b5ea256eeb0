import { limits, sequence, type Clock, type Logger } from '../../kernel/index.ts';
import type { JournalEntry, Stream } from '../../journal/index.ts';
import { decodeDelivery, type DeliveryHead } from './delivery-entry.ts';
import type { Progress } from './progress-file.ts';
import { heldCount, heldOf, newTargetQueue, type Held, type TargetQueue } from './target-queue.ts';

/** The deliveries that are not settled: of each target some in memory, and the others, further on, in the journal alone. */
export interface HeldDeliveries {
  readonly queues: ReadonlyMap<string, TargetQueue>;
  /** Everything before it was taken from the stream. */
  readonly position: number;
  /** Whether everything is taken again that was known before the start: until then, what was written down knows better. */
  readonly isCaughtUp: boolean;
  readonly waiting: number;
  /** Takes the next entry of the stream; the queue that holds more now. */
  take(entry: JournalEntry): TargetQueue | undefined;
  /** Takes from the journal, as far as there is room, what was passed over for want of it. */
  refill(queue: TargetQueue, signal: AbortSignal): Promise<void>;
  /** Whether a refill is worth while. */
  hasRoom(queue: TargetQueue): boolean;
  /** What a delivery sends; undefined where the journal is damaged. */
  bodyOf(held: Held): Promise<Uint8Array | undefined>;
  /** The same delivery after an attempt that failed, which it is to wait for. */
  again(queue: TargetQueue, held: Held, dueInMs: number): void;
  /** Lets go of a delivery that was made or given up. */
  settle(held: Held): void;
  /** Lets go of a queue that has nothing to do. */
  forget(queue: TargetQueue): void;
  /** Everything before it is settled. */
  safe(): number;
  progress(routed: Progress['routed']): Progress;
}

export function openHeldDeliveries(options: {
  readonly bus: Stream;
  readonly from: number;
  readonly known: Progress | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}): HeldDeliveries {
  const { bus, clock, log } = options;
  const queues = new Map<string, TargetQueue>();
  const known = new Map(options.known?.waiting.map(([at, failed, due]) => [at, { failed, due }]));
  const knownPassed = new Map(options.known?.passedOver);
  const knownUntil = options.known?.read ?? 0;
  let position = options.from;
  let heldTotal = 0;
  let bodyBytes = 0;

  const isFull = (queue: TargetQueue): boolean =>
    heldCount(queue) >= limits.busHeldPerTarget ||
    (heldTotal >= limits.busHeld && heldCount(queue) >= limits.busHeldAtLeast);

  /** Whether an entry of before the start was made or given up then. */
  const wasSettled = (at: number, target: string): boolean =>
    at < knownUntil && !known.has(at) && !(at >= (knownPassed.get(target) ?? Infinity));

  function queueOf(target: string): TargetQueue {
    const there = queues.get(target);
    if (there) return there;
    const made = newTargetQueue(target);
    queues.set(target, made);
    return made;
  }

  /** The delivery that an entry is, unless it is settled or cannot be read. */
  function decode({ payload, sequence: at }: JournalEntry) {
    try {
      const decoded = decodeDelivery(payload);
      return wasSettled(at, decoded.head.target) ? undefined : decoded;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      log.error(
        { err: error, sequence: at },
        'a delivery of the journal cannot be read; its target does not get it',
      );
      return undefined;
    }
  }

  function keepBody(bytes: Uint8Array): Uint8Array | undefined {
    if (bodyBytes + bytes.length > limits.busHeldBytes) return undefined;
    bodyBytes += bytes.length;
    // A copy: what it is cut from may be a whole batch of the journal.
    return Uint8Array.from(bytes);
  }

  function dropBody(held: Held): void {
    bodyBytes -= held.body?.length ?? 0;
    held.body = undefined;
  }

  function hold(queue: TargetQueue, entry: JournalEntry, head: DeliveryHead, body: Uint8Array): void {
    const before = known.get(entry.sequence);
    const wait = before ? Math.max(0, before.due - clock.now()) : 0;
    heldTotal += 1;
    queue.waiting.push({
      sequence: entry.sequence,
      head,
      body: keepBody(body),
      time: entry.time,
      attempts: before?.failed ?? 0,
      due: clock.monotonic() + wait,
    });
  }

  /** Goes through what stands before `until`; false when there was no room for something. */
  async function refillUntil(queue: TargetQueue, until: number, signal: AbortSignal): Promise<boolean> {
    for await (const { entries } of bus.read(sequence(queue.passedFrom ?? until))) {
      for (const entry of entries) {
        if (entry.sequence >= until || signal.aborted) return !signal.aborted;
        const decoded = decode(entry);
        if (decoded?.head.target !== queue.target) continue;
        if (isFull(queue)) return false;
        hold(queue, entry, decoded.head, decoded.body);
        queue.passedFrom = entry.sequence + 1;
        queue.passedCount -= 1;
      }
    }
    return true;
  }

  return {
    queues,
    get position() {
      return position;
    },
    get isCaughtUp() {
      return position >= knownUntil;
    },
    get waiting() {
      return heldTotal + [...queues.values()].reduce((sum, { passedCount }) => sum + passedCount, 0);
    },
    take(entry) {
      if (entry.sequence < position) return undefined;
      const decoded = decode(entry);
      position = entry.sequence + 1;
      if (!decoded) return undefined;
      const queue = queueOf(decoded.head.target);
      if (queue.passedFrom !== undefined || isFull(queue)) {
        queue.passedFrom ??= entry.sequence;
        queue.passedCount += 1;
        return undefined;
      }
      hold(queue, entry, decoded.head, decoded.body);
      return queue;
    },
    async refill(queue, signal) {
      while (queue.passedFrom !== undefined) {
        const until = position;
        if (!(await refillUntil(queue, until, signal))) return;
        // What was taken in the meantime was passed over as well.
        queue.passedFrom = position === until ? undefined : until;
      }
    },
    hasRoom: (queue) => heldCount(queue) <= limits.busHeldPerTarget / 2 && !isFull(queue),
    async bodyOf(held) {
      if (held.body) return held.body;
      for await (const { entries } of bus.read(sequence(held.sequence))) {
        const found = entries.find((entry) => entry.sequence === held.sequence);
        return found && decodeDelivery(found.payload).body;
      }
      return undefined;
    },
    again(queue, held, dueInMs) {
      if (bodyBytes > limits.busHeldBytes / 2) dropBody(held);
      queue.waiting.push({ ...held, attempts: held.attempts + 1, due: clock.monotonic() + dueInMs });
    },
    settle(held) {
      dropBody(held);
      heldTotal -= 1;
    },
    forget: (queue) => void queues.delete(queue.target),
    safe() {
      let least = position;
      for (const queue of queues.values()) {
        for (const held of heldOf(queue)) least = Math.min(least, held.sequence);
        least = Math.min(least, queue.passedFrom ?? Infinity);
      }
      return least;
    },
    progress(routed) {
      const [wall, monotonic] = [clock.now(), clock.monotonic()];
      const dueAt = ({ due }: Held) => Math.round(wall + Math.max(0, due - monotonic));
      const all = [...queues.values()];
      return {
        routed,
        read: position,
        waiting: all.flatMap(heldOf).map((held) => [held.sequence, held.attempts, dueAt(held)]),
        passedOver: all.flatMap(({ target, passedFrom }) =>
          passedFrom === undefined ? [] : [[target, passedFrom] as const],
        ),
      };
    },
  };
}
