import type { Random } from '../../kernel/index.ts';

const firstMs = 1_000;
/** 185 attempts at this distance are about the 24 hours that EventBridge tries by default. */
const mostMs = 8 * 60_000;

/**
 * How long to wait after so many failed attempts: "an exponential back off and jitter, or randomized delay" ("How EventBridge
 * retries delivering events").
 */
export function retryDelayMs(failedAttempts: number, random: Pick<Random, 'below'>): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(failedAttempts - 1, 30));
  return whole / 2 + random.below(whole / 2);
}
