/**
 * Documents grouped by term, for posting lists. An attribute's pairs of document and term come in any order of the
 * documents; they leave as ascending documents for each term (a counting sort, twice linear).
 */
export interface TermGroups {
  /** For each term, where its documents start in `docs`; one more for the end. */
  readonly starts: Uint32Array;
  readonly docs: Int32Array;
}

/** Groups a column that has at most one term for each document (-1: none). */
export function groupColumn(column: Int32Array, terms: number): TermGroups {
  const starts = new Uint32Array(terms + 1);
  for (const term of column) if (term >= 0) starts[term + 1] = (starts[term + 1] as number) + 1;
  for (let term = 0; term < terms; term += 1)
    starts[term + 1] = (starts[term + 1] as number) + (starts[term] as number);
  const docs = new Int32Array(starts[terms] as number);
  const next = starts.slice();
  for (let doc = 0; doc < column.length; doc += 1) {
    const term = column[doc] as number;
    if (term < 0) continue;
    docs[next[term] as number] = doc;
    next[term] = (next[term] as number) + 1;
  }
  return { starts, docs };
}

/** Groups pairs of document and term, of which a document may have several (each once). */
export function groupPairs(
  pairDocs: Int32Array,
  pairTerms: Int32Array,
  documents: number,
  terms: number,
): TermGroups {
  // First by document, then by term: the second pass keeps the order of the first.
  const offsets = new Uint32Array(documents + 1);
  for (const doc of pairDocs) offsets[doc + 1] = (offsets[doc + 1] as number) + 1;
  for (let doc = 0; doc < documents; doc += 1)
    offsets[doc + 1] = (offsets[doc + 1] as number) + (offsets[doc] as number);
  const byDoc = new Int32Array(pairDocs.length);
  for (let pair = 0; pair < pairDocs.length; pair += 1) {
    const doc = pairDocs[pair] as number;
    byDoc[offsets[doc] as number] = pair;
    offsets[doc] = (offsets[doc] as number) + 1;
  }
  const starts = new Uint32Array(terms + 1);
  for (const term of pairTerms) starts[term + 1] = (starts[term + 1] as number) + 1;
  for (let term = 0; term < terms; term += 1)
    starts[term + 1] = (starts[term + 1] as number) + (starts[term] as number);
  const docs = new Int32Array(pairDocs.length);
  const next = starts.slice();
  for (const pair of byDoc) {
    const term = pairTerms[pair] as number;
    docs[next[term] as number] = pairDocs[pair] as number;
    next[term] = (next[term] as number) + 1;
  }
  return { starts, docs };
}
