/**
 * A cache of bytes by key with a bound on their total size; what was not used for longest goes first. A map keeps the
 * order of insertion, so using an entry means putting it in anew.
 */
export interface ByteCache<Value> {
  get(key: number): Value | undefined;
  put(key: number, value: Value, sizeBytes: number): void;
  /** Lets go of everything. */
  clear(): void;
}

export function openByteCache<Value>(boundBytes: number): ByteCache<Value> {
  const entries = new Map<number, { readonly value: Value; readonly sizeBytes: number }>();
  let total = 0;
  let newest = -1;
  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      if (key !== newest) {
        entries.delete(key);
        entries.set(key, entry);
        newest = key;
      }
      return entry.value;
    },
    put(key, value, sizeBytes) {
      total += sizeBytes - (entries.get(key)?.sizeBytes ?? 0);
      entries.delete(key);
      entries.set(key, { value, sizeBytes });
      newest = key;
      for (const [oldest, entry] of entries) {
        if (total <= boundBytes || oldest === key) break;
        entries.delete(oldest);
        total -= entry.sizeBytes;
      }
    },
    clear() {
      entries.clear();
      total = 0;
      newest = -1;
    },
  };
}
