/** So many prefixes are remembered; the one that was asked for least recently makes room. */
const mostPrefixes = 64;

/**
 * How many documents stand under the prefixes that were asked for lately, kept true while documents come and go: counting
 * anew reads them all, and a quota asks at every call.
 */
export interface CountedPrefixes {
  count(prefix: string, countAnew: () => number): number;
  /** A document is about to be put or removed. `exists` says whether there is one of its key. */
  put(key: string, exists: () => boolean): void;
  remove(key: string, exists: () => boolean): void;
  /** Forgets everything: what was told did not come to pass. */
  forget(): void;
}

export function openCountedPrefixes(): CountedPrefixes {
  const counts = new Map<string, number>();

  function add(key: string, change: 1 | -1, isChange: () => boolean): void {
    const concerned = [...counts.keys()].filter((prefix) => key.startsWith(prefix));
    if (concerned.length === 0 || !isChange()) return;
    for (const prefix of concerned) counts.set(prefix, (counts.get(prefix) ?? 0) + change);
  }

  return {
    count(prefix, countAnew) {
      const count = counts.get(prefix) ?? countAnew();
      counts.delete(prefix);
      counts.set(prefix, count);
      const [oldest] = counts.keys();
      if (counts.size > mostPrefixes && oldest !== undefined) counts.delete(oldest);
      return count;
    },
    put: (key, exists) => add(key, 1, () => !exists()),
    remove: (key, exists) => add(key, -1, exists),
    forget: () => counts.clear(),
  };
}
