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
  const kept = new Map<string, StoredDocument | undefined>();

  function keep(key: string, document: StoredDocument | undefined): void {
    if ((document?.json.length ?? 0) > bounds.characters) return;
    if (kept.size >= bounds.documents) {
      const oldest = kept.keys().next();
      if (!oldest.done) kept.delete(oldest.value);
    }
    kept.set(key, document);
  }

  return {
    recover(stream) {
      kept.clear();
      return documents.recover(stream);
    },
    get(key) {
      const known = kept.get(key);
      if (known !== undefined) {
        kept.delete(key);
        kept.set(key, known);
        return known;
      }
      if (kept.has(key)) return undefined;
      const document = documents.get(key);
      keep(key, document);
      return document;
    },
    list: (prefix, options) => documents.list(prefix, options),
    count: (prefix) => documents.count(prefix),
    apply(changes, cursor) {
      // Also when it fails: what is not kept is read again.
      for (const { puts, deletes } of changes) {
        for (const { key } of puts) kept.delete(key);
        for (const key of deletes) kept.delete(key);
      }
      documents.apply(changes, cursor);
    },
    checkpoint: (cursor) => documents.checkpoint(cursor),
    [Symbol.asyncDispose]() {
      kept.clear();
      return documents[Symbol.asyncDispose]();
    },
  };
}
