import type { Random } from '../../../kernel/index.ts';

/** An id of 16 digits, larger than the last one's: the milliseconds since 1970, and three more. */
export function newRefreshId(last: string | undefined, now: number, random: Random): string {
  return String(Math.max(now * 1000 + random.below(1000), Number(last ?? 0) + 1));
}
