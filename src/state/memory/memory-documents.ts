import { sequence } from '../../kernel/index.ts';
import { compareKeys, keyBehind } from '../document-key.ts';
import { StateLostError, type Documents, type StoredDocument } from '../documents.ts';

/** The first index in `keys` (sorted) whose key is not before `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(keys[middle] ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Opens empty documents in memory; they are applied from the journal's start every time. */
export function openMemoryDocuments(): Documents {
  const documents = new Map<string, StoredDocument>();
  const keys: string[] = [];
  const put = (document: StoredDocument): void => {
    if (!documents.has(document.key)) keys.splice(lowerBound(keys, document.key), 0, document.key);
    documents.set(document.key, document);
  };
  const remove = (key: string): void => {
    if (documents.delete(key)) keys.splice(lowerBound(keys, key), 1);
  };
  return {
    async recover({ start }) {
      if (start === 0) return sequence(0);
      throw new StateLostError(`control state in memory needs the whole journal, which begins at ${start}`);
    },
    get: (key) => documents.get(key),
    list(prefix, options = {}) {
      const found: StoredDocument[] = [];
      const after = options.after;
      const begin = after !== undefined && compareKeys(after, prefix) > 0 ? after : prefix;
      for (let at = lowerBound(keys, begin); at < keys.length; at += 1) {
        const key = keys[at] ?? '';
        if (found.length >= (options.limit ?? Infinity) || !key.startsWith(prefix)) break;
        const document = key === after ? undefined : documents.get(key);
        if (document) found.push(document);
      }
      return found;
    },
    count: (prefix) => {
      const behind = keyBehind(prefix);
      return (behind === undefined ? keys.length : lowerBound(keys, behind)) - lowerBound(keys, prefix);
    },
    apply(changes) {
      for (const { puts, deletes, version } of changes) {
        for (const { key, json } of puts) put({ key, json, version });
        for (const key of deletes) remove(key);
      }
    },
    reserve() {},
    // Nothing in memory outlives the process, so the journal has to be kept from its start.
    checkpoint: async () => sequence(0),
    async [Symbol.asyncDispose]() {},
  };
}
