import type { State } from '../state/index.ts';
import { keys } from './documents.ts';

/**
 * A bounded cache of what is worked out from identity documents. Every change of one empties it, so that a change applies
 * to the very next call; identities change seldom, and are read on every call.
 */
export interface StateCache<T> {
  /** What is cached under `key`, else what `load` works out. A load that a change has overtaken is not kept. */
  get(key: string, load: () => Promise<T>): Promise<T>;
  [Symbol.dispose](): void;
}

/** Whether a change of this document changes who somebody is or what they may do. Being used does not. */
const matters = (key: string): boolean => key.startsWith('iam/') && !key.startsWith(keys.lastUsed);

/** Keeps at most `entries`, the oldest go first. */
export function openStateCache<T>(state: Pick<State, 'onChange'>, entries: number): StateCache<T> {
  const cached = new Map<string, T>();
  let changes = 0;
  const stop = state.onChange((changed) => {
    if (!changed.some(matters)) return;
    changes += 1;
    cached.clear();
  });
  return {
    async get(key, load) {
      const known = cached.get(key);
      if (known !== undefined) return known;
      const before = changes;
      const value = await load();
      if (changes !== before) return value;
      const [oldest] = cached.size >= entries ? cached.keys() : [];
      if (oldest !== undefined) cached.delete(oldest);
      cached.set(key, value);
      return value;
    },
    [Symbol.dispose]: stop,
  };
}
