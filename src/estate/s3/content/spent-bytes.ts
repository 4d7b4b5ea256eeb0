import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Told of buffers that have been used up, by their bytes. */
export type SpentBytes = (bytes: number) => void;

/** How much may wait for the garbage collector: a little of what a transfer may cost, and many times one collection. */
const collectEveryBytes = 16 * 1024 ** 2;

type Collect = (options: { readonly type: 'minor'; readonly execution: 'sync' }) => void;

/** V8's collector as a function; undefined where this Node does not hand it out. */
function findCollector(): Collect | undefined {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('typeof gc === "function" ? gc : undefined') as Collect | undefined;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

/**
 * Keeps transfers from filling the memory with buffers that nobody needs any more. Each buffer of a transfer lives for an
 * instant, and V8 looks at their memory only when 64 MB of it have gathered, by a full collection of some 15 ms, many times
 * a second. A collection of the young generation frees them as well and takes half a millisecond, so it is asked for after
 * every 16 MB.
 */
export function openSpentBytes(): SpentBytes {
  const collect = findCollector();
  if (!collect) return () => undefined;
  let spent = 0;
  return (bytes) => {
    spent += bytes;
    if (spent < collectEveryBytes) return;
    spent = 0;
    collect({ type: 'minor', execution: 'sync' });
  };
}
