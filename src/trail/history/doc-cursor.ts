/**
 * A set of documents of one segment (or of the hot tail), walked from the newest. Documents are numbered 0, 1, 2, …
 * from the newest; the number of documents stands for "none".
 */
export interface DocCursor {
  /**
   * The first document of the set that is at or behind `target`. Targets never go back. With a `limit`, an answer at or
   * behind the limit only says that there is nothing before it; whether it is in the set itself is for the next call to
   * say. So a search for what is hard to find can pause.
   */
  seek(target: number, limit?: number): number;
  /** Set when it is known at once that nothing is in the set. */
  readonly isEmpty?: true;
}

/** Every document. */
export function rangeDocs(documents: number): DocCursor {
  return { seek: (target) => Math.min(target, documents) };
}

export function noDocs(documents: number): DocCursor {
  return { seek: () => documents, isEmpty: true };
}

/** Ascending documents in memory. */
export function arrayDocs(docs: Int32Array, documents: number): DocCursor {
  if (docs.length === 0) return noDocs(documents);
  let index = 0;
  return {
    seek(target) {
      // Gallop, then halve: targets may be near or far.
      let step = 1;
      while (index + step < docs.length && (docs[index + step] as number) < target) {
        index += step;
        step *= 2;
      }
      let high = Math.min(docs.length, index + step + 1);
      while (index < high) {
        const middle = (index + high) >> 1;
        if ((docs[middle] as number) < target) index = middle + 1;
        else high = middle;
      }
      return index < docs.length ? (docs[index] as number) : documents;
    },
  };
}

/** In any of the sets. */
export function unionDocs(cursors: readonly DocCursor[], documents: number): DocCursor {
  const [first, second] = cursors;
  if (!first) return noDocs(documents);
  if (!second) return first;
  const heads = cursors.map((cursor) => ({ cursor, doc: -1 }));
  return {
    seek(target) {
      let least = documents;
      for (const head of heads) {
        if (head.doc < target) head.doc = head.cursor.seek(target);
        if (head.doc < least) least = head.doc;
      }
      return least;
    },
  };
}

/** In all of the sets. */
export function intersectDocs(cursors: readonly DocCursor[], documents: number): DocCursor {
  const [first, second] = cursors;
  if (!first) return rangeDocs(documents);
  if (!second) return first;
  return {
    seek(target, limit = documents) {
      let doc = first.seek(target);
      for (let index = 1; doc < limit && index < cursors.length;) {
        const found = (cursors[index] as DocCursor).seek(doc);
        if (found === doc) index += 1;
        else {
          doc = first.seek(found);
          index = 1;
        }
      }
      return doc;
    },
  };
}

/** In `cursor` and not in `excluded`. */
export function withoutDocs(cursor: DocCursor, excluded: DocCursor, documents: number): DocCursor {
  return {
    seek(target, limit = documents) {
      let doc = cursor.seek(target, limit);
      while (doc < limit && excluded.seek(doc) === doc) doc = cursor.seek(doc + 1, limit);
      return doc;
    },
  };
}

/** The documents of `cursor` from `low` up to, not including, `high`. */
export function withinDocs(cursor: DocCursor, low: number, high: number, documents: number): DocCursor {
  return {
    seek(target, limit = documents) {
      const start = Math.max(target, low);
      if (start >= high) return documents;
      const doc = cursor.seek(start, limit);
      return doc < high ? doc : documents;
    },
  };
}
