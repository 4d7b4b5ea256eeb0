import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../kernel/index.ts';
import {
  openCollectPass,
  type CollectBounds,
  type CollectingTrail,
  type CollectPass,
} from './collect-pass.ts';

/** Where passes are made: in place, or in a thread of their own. What comes out is the same. */
export interface Collecting {
  /** `entries` are about so many as there are to come. A pass that fails, as by the death of its thread, rejects. */
  open(trails: readonly CollectingTrail[], bounds: CollectBounds, entries: number): CollectPass;
}

/** How long the main thread works before it lets others in, and how many records pass between looks at the clock. */
const sliceMs = 2;
const recordsBetweenLooks = 32;

/** Lets others use the main thread whenever it was held for a while. */
function openSlices(clock: Clock): () => Promise<void> | undefined {
  let looks = 0;
  let since = clock.monotonic();
  const letOthersIn = async (): Promise<void> => {
    await nextTurn();
    since = clock.monotonic();
  };
  return () => {
    if (++looks % recordsBetweenLooks !== 0 || clock.monotonic() - since < sliceMs) return undefined;
    return letOthersIn();
  };
}

/** Makes passes in the calling thread, in slices. */
export function collectInPlace(clock: Clock): Collecting {
  return { open: (trails, bounds) => openCollectPass(trails, bounds, openSlices(clock)) };
}
