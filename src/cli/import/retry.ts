import type { Clock, Random } from '../../kernel/index.ts';
import { AnswerBrokenError, ConnectionLostError } from '../connection/connection.ts';

/** How an attempt ended that may be made again. */
export interface Setback {
  /** What to tell the person who waits. */
  readonly reason: string;
  /** What the server asked for with Retry-After, if it did. */
  readonly retryAfterMs: number | undefined;
  /** What to throw when patience ends. */
  readonly error: Error;
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** How long setbacks may follow one another. */
  readonly patienceMs: number;
  /** Told before each pause. */
  onWait(reason: string): void;
}

const firstPauseMs = 200;
const longestPauseMs = 10_000;

/** The pause before attempt `attempt` + 1: twice as long each time, and half of it by chance, so that workers spread. */
export function pauseMs(attempt: number, random: Random, retryAfterMs: number | undefined): number {
  const whole = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 16));
  const drawn = whole / 2 + random.below(Math.ceil(whole / 2) + 1);
  return Math.max(drawn, Math.min(retryAfterMs ?? 0, 60_000));
}

/**
 * Runs `attempt` until it gives something other than a setback. A lost connection is a setback too, and so is one that breaks. Throws the last
 * setback's error once `patienceMs` have passed without success.
 */
export async function withPatience<T extends object>(
  options: RetryOptions,
  attempt: () => Promise<T | { readonly setback: Setback }>,
): Promise<T> {
  const { clock, random, signal, patienceMs } = options;
  const started = clock.monotonic();
  for (let count = 0; ; count++) {
    signal.throwIfAborted();
    const outcome = await attempt().catch((error: unknown) => {
      if (!(error instanceof ConnectionLostError || error instanceof AnswerBrokenError)) throw error;
      return { setback: { reason: error.message, retryAfterMs: undefined, error } };
    });
    if (!('setback' in outcome)) return outcome;
    const { setback } = outcome;
    const pause = pauseMs(count, random, setback.retryAfterMs);
    if (clock.monotonic() - started + pause > patienceMs) throw setback.error;
    options.onWait(setback.reason);
    await clock.sleep(pause, signal);
  }
}
