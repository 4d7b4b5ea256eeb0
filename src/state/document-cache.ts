import { limits } from '../kernel/index.ts';
import type { Documents, StoredDocument } from './documents.ts';

/** What is kept in memory. */
export interface DocumentCacheBounds {
  readonly documents: number;
  /** Of the text of one document; longer ones are not kept. */
  readonly characters: number;
}

/**
 * Keeps the documents that were read last, also that there is none of a key, because one call reads the same few several
 * times. Only `apply` changes documents, and what it touches is forgotten: what is kept is always what would be read.
 */
export function cacheDocuments(
  documents: Documents,
  bounds: DocumentCacheBounds = {
    documents: limits.stateCacheDocuments,
    characters: limits.stateCacheCharacters,
  },
): Documents {
  // Two generations: moving what is read again to the end of one map would cost as much as reading it.
  const half = Math.ceil(bounds.documents / 2);
  let young = new Map<string, StoredDocument | undefined>();
  let old = new Map<string, StoredDocument | undefined>();

  function keep(key: string, document: StoredDocument | undefined): void {
    if ((document?.json.length ?? 0) > bounds.characters) return;
    if (young.size >= half) {
      old = young;
      young = new Map();
    }
    young.set(key, document);
  }

  function forget(key: string): void {
    young.delete(key);
    old.delete(key);
  }

  function forgetAll(): void {
    young.clear();
    old.clear();
  }

  return {
    recover(stream) {
      forgetAll();
      return documents.recover(stream);
    },
    get(key) {
      const known = young.get(key);
      if (known !== undefined || young.has(key)) return known;
      const isOld = old.has(key);
      const document = isOld ? old.get(key) : documents.get(key);
      keep(key, document);
      return document;
    },
    list: (prefix, options) => documents.list(prefix, options),
    count: (prefix) => documents.count(prefix),
    apply(changes, cursor) {
      // Also when it fails: what is not kept is read again.
      for (const { puts, deletes } of changes) {
        for (const { key } of puts) forget(key);
        for (const key of deletes) forget(key);
      }
      documents.apply(changes, cursor);
    },
    reserve: () => documents.reserve(),
    checkpoint: (cursor) => documents.checkpoint(cursor),
    [Symbol.asyncDispose]() {
      forgetAll();
      return documents[Symbol.asyncDispose]();
    },
  };
}
