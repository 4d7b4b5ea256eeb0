import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { manualClock, seededRandom, type ManualClock } from '../../kernel/index.ts';
import { ConnectionLostError } from '../connection/connection.ts';
import { pauseMs, withPatience } from './retry.ts';

const random = seededRandom(1);
const lost = () =>
  new ConnectionLostError(
    new URL('http://127.0.0.1:1'),
    Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
  );

function retryWith(patienceMs: number, signal = new AbortController().signal) {
  const clock = manualClock(0);
  const waits: string[] = [];
  const options = { clock, random, signal, patienceMs, onWait: (reason: string) => void waits.push(reason) };
  return { clock, waits, options };
}

/** Turns the clock in small steps, letting what falls due ask for its next pause. */
async function turn(clock: ManualClock, byMs: number): Promise<void> {
  for (let passed = 0; passed < byMs; passed += 100) {
    await nextTurn();
    await clock.advance(100);
  }
}

describe('pauseMs', () => {
  it('doubles up to ten seconds, half of it by chance, and heeds Retry-After', () => {
    for (let attempt = 0; attempt < 40; attempt++) {
      const whole = Math.min(10_000, 200 * 2 ** attempt);
      const pause = pauseMs(attempt, random, undefined);
      expect(pause).toBeGreaterThanOrEqual(whole / 2);
      expect(pause).toBeLessThanOrEqual(whole + 1);
    }
    expect(pauseMs(0, random, 30_000)).toBe(30_000);
    expect(pauseMs(0, random, 3_600_000)).toBe(60_000);
  });
});

describe('withPatience', () => {
  it('tries again after lost connections and setbacks until it succeeds', async () => {
    const { clock, waits, options } = retryWith(60_000);
    let attempts = 0;
    const done = withPatience(options, () => {
      attempts++;
      if (attempts === 1) return Promise.reject(lost());
      if (attempts === 2) {
        return Promise.resolve({ setback: { reason: 'busy', retryAfterMs: 5000, error: new Error('busy') } });
      }
      return Promise.resolve({ answer: 42 });
    });
    await turn(clock, 10_000);
    expect(await done).toEqual({ answer: 42 });
    expect(waits).toEqual([expect.stringContaining('no Cairn listens'), 'busy']);
  });

  it('gives up with the last error when patience ends', async () => {
    const { clock, options } = retryWith(30_000);
    const done = expect(withPatience(options, () => Promise.reject(lost()))).rejects.toThrow(
      ConnectionLostError,
    );
    await turn(clock, 60_000);
    await done;
  });

  it('lets other errors through at once, and stops when it is told to', async () => {
    const { options } = retryWith(30_000);
    await expect(withPatience(options, () => Promise.reject(new Error('other')))).rejects.toThrow('other');
    const stop = new AbortController();
    const told = retryWith(30_000, stop.signal);
    const done = withPatience(told.options, () => Promise.reject(lost()));
    stop.abort(new Error('enough'));
    await expect(done).rejects.toThrow('enough');
  });
});
