import type { Clock } from '../../kernel/index.ts';

/**
 * How many failed authentications are recorded. Anyone who reaches the port can cause them, so without a bound they
 * would fill the journal. What goes over it is answered and counted.
 */
export interface RejectionBudget {
  /** Takes one; false when there is none left at the moment. */
  spend(): boolean;
  /** How many were refused since the start. */
  readonly suppressed: number;
}

/** Opens a budget of `burst` at once that grows by `perSecond`. */
export function openRejectionBudget(
  clock: Clock,
  { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
): RejectionBudget {
  let left = burst;
  let last = clock.monotonic();
  let suppressed = 0;
  return {
    get suppressed() {
      return suppressed;
    },
    spend() {
      const now = clock.monotonic();
      left = Math.min(burst, left + ((now - last) / 1000) * perSecond);
      last = now;
      if (left < 1) {
        suppressed++;
        return false;
      }
      left -= 1;
      return true;
    },
  };
}
