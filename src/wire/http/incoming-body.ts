import type { IncomingMessage } from 'node:http';
import { limits, type Clock } from '../../kernel/index.ts';
import type { BodyFaults } from './received.ts';

/**
 * A request's body as it arrives. Rejects with `faults.timeOut()` when nothing arrives for `limits.streamIdleMs`, and
 * with `faults.cutOff()` when the client goes away before the end. `onFirstRead` is called before the first byte is
 * waited for.
 */
export async function* readIncoming(
  message: IncomingMessage,
  clock: Clock,
  faults: BodyFaults,
  onFirstRead: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let wake: (() => void) | undefined;
  let ended = false;
  let failed = false;
  const notify = () => wake?.();
  const onEnd = () => {
    ended = true;
    notify();
  };
  const onFail = () => {
    failed = true;
    notify();
  };
  message.on('readable', notify).on('end', onEnd).on('error', onFail).on('close', onFail);
  onFirstRead();
  try {
    for (;;) {
      const piece = message.read() as Uint8Array | null;
      if (piece) {
        yield piece;
        continue;
      }
      if (ended || message.readableEnded) return;
      if (failed || message.destroyed) throw faults.cutOff();
      let late = false;
      await new Promise<void>((resolve) => {
        const timer = clock.after(limits.streamIdleMs, () => {
          late = true;
          notify();
        });
        wake = () => {
          timer.cancel();
          wake = undefined;
          resolve();
        };
      });
      if (late) throw faults.timeOut();
    }
  } finally {
    // What is left unread may still fail later, and that must not end the process.
    message.off('readable', notify).off('end', onEnd).off('close', onFail);
  }
}

/** Bytes held in memory by bodies, over all requests. */
export interface BodyMemory {
  /** False when there is no room for them. */
  take(bytes: number): boolean;
  release(bytes: number): void;
}

export function openBodyMemory(bound: number): BodyMemory {
  let held = 0;
  return {
    take(bytes) {
      if (held + bytes > bound) return false;
      held += bytes;
      return true;
    },
    release(bytes) {
      held -= bytes;
    },
  };
}

/** What a body that is read whole may take, and how each bound is refused. */
export interface WholeBodyBounds {
  readonly clock: Clock;
  readonly memory: BodyMemory;
  readonly bytes: number;
  readonly timeMs: number;
  tooLarge(): Error;
  timeOut(): Error;
  /** There is no memory for it at the moment. */
  overload(): Error;
}

/** A body in memory. Dispose of it when the request has been answered. */
export interface WholeBody extends Disposable {
  readonly bytes: Uint8Array;
}

/** Reads a body whole, within bounds. Rejects with the refusal of the bound that was reached, or as `source` does. */
export async function readWhole(
  source: AsyncIterable<Uint8Array>,
  bounds: WholeBodyBounds,
): Promise<WholeBody> {
  const pieces: Uint8Array[] = [];
  let held = 0;
  const release = () => bounds.memory.release(held);
  const deadline = bounds.clock.monotonic() + bounds.timeMs;
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await withinTime(iterator.next(), deadline - bounds.clock.monotonic(), bounds);
      if (next.done) break;
      if (held + next.value.length > bounds.bytes) throw bounds.tooLarge();
      if (!bounds.memory.take(next.value.length)) throw bounds.overload();
      held += next.value.length;
      pieces.push(next.value);
    }
  } catch (error) {
    release();
    throw error;
  }
  return {
    bytes: pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces),
    [Symbol.dispose]: release,
  };
}

function withinTime<Value>(work: Promise<Value>, leftMs: number, bounds: WholeBodyBounds): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = bounds.clock.after(Math.max(leftMs, 0), () => reject(bounds.timeOut()));
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}
