import { hashTerm, type TermKey } from './term-hash.ts';
import { type HashTerms, type Terms } from './term-table.ts';
import type { TermGroups } from './term-groups.ts';
import type { IndexedAttribute } from './segment-format.ts';

/** How terms are kept. */
export interface TermOptions {
  /** Secret key of the hashes of terms. */
  readonly hashKey: TermKey;
  /** Most distinct values of an attribute that are kept as text. */
  readonly mostTextTerms: number;
}

/** Addresses stay text longer than others, because ranges of addresses are looked up among them. */
function mostTexts(attribute: IndexedAttribute, options: TermOptions): number {
  return attribute === 'SourceIpAddress' ? 4 * options.mostTextTerms : options.mostTextTerms;
}

/** The terms of several lists, each once and sorted, and for each list where its terms went. */
export interface MergedTerms {
  readonly terms: Terms;
  readonly numbers: readonly Int32Array[];
}

/** Hashes in ascending order, with the number that each has in its own list. */
interface SortedHashes extends HashTerms {
  readonly numbers: Int32Array | undefined;
}

function hashesOf(
  terms: Terms | { readonly kind: 'loose'; readonly texts: readonly string[] },
  key: TermKey,
): SortedHashes {
  if (terms.kind === 'hash') return { ...terms, numbers: undefined };
  const hashed = terms.texts.map((text, number) => [...hashTerm(key, text), number] as const);
  hashed.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  return {
    kind: 'hash',
    high: Uint32Array.from(hashed, (one) => one[0]),
    low: Uint32Array.from(hashed, (one) => one[1]),
    numbers: Int32Array.from(hashed, (one) => one[2]),
  };
}

function mergeHashes(lists: readonly SortedHashes[]): MergedTerms {
  const total = lists.reduce((sum, list) => sum + list.high.length, 0);
  const high = new Uint32Array(total);
  const low = new Uint32Array(total);
  const numbers = lists.map((list) => new Int32Array(list.high.length));
  const next = new Int32Array(lists.length);
  let count = 0;
  for (;;) {
    let least = Infinity;
    let leastLow = 0;
    for (const [index, list] of lists.entries()) {
      const at = next[index] as number;
      if (at >= list.high.length) continue;
      const [one, other] = [list.high[at] as number, list.low[at] as number];
      if (one < least || (one === least && other < leastLow)) [least, leastLow] = [one, other];
    }
    if (least === Infinity) break;
    high[count] = least;
    low[count] = leastLow;
    for (const [index, list] of lists.entries()) {
      const at = next[index] as number;
      if (list.high[at] !== least || list.low[at] !== leastLow) continue;
      (numbers[index] as Int32Array)[list.numbers?.[at] ?? at] = count;
      next[index] = at + 1;
    }
    count += 1;
  }
  return { terms: { kind: 'hash', high: high.slice(0, count), low: low.slice(0, count) }, numbers };
}

/**
 * Merges the terms of several lists. They stay text while all are text and they are few; hashed terms never become
 * text again. `loose` texts are distinct and in no order.
 */
export function mergeTerms(
  attribute: IndexedAttribute,
  lists: readonly (Terms | { readonly kind: 'loose'; readonly texts: readonly string[] })[],
  options: TermOptions,
): MergedTerms {
  const texts = new Set<string>();
  for (const list of lists) if (list.kind !== 'hash') for (const text of list.texts) texts.add(text);
  if (lists.every((list) => list.kind !== 'hash') && texts.size <= mostTexts(attribute, options)) {
    const sorted = [...texts].toSorted((one, other) => (one < other ? -1 : 1));
    const byText = new Map(sorted.map((text, number) => [text, number]));
    const numbers = lists.map((list) => Int32Array.from(list.texts, (text) => byText.get(text) ?? -1));
    return { terms: { kind: 'text', texts: sorted }, numbers };
  }
  return mergeHashes(lists.map((list) => hashesOf(list, options.hashKey)));
}

/** Leaves out terms without documents (their events have expired). */
export function withoutEmptyTerms(
  terms: Terms,
  groups: TermGroups,
): { readonly terms: Terms; readonly groups: TermGroups } {
  const count = groups.starts.length - 1;
  const kept: number[] = [];
  for (let term = 0; term < count; term += 1)
    if (groups.starts[term] !== groups.starts[term + 1]) kept.push(term);
  if (kept.length === count) return { terms, groups };
  const starts = Uint32Array.from([...kept.map((term) => groups.starts[term] as number), groups.docs.length]);
  const keptTerms: Terms =
    terms.kind === 'text'
      ? { kind: 'text', texts: kept.map((term) => terms.texts[term] as string) }
      : {
          kind: 'hash',
          high: Uint32Array.from(kept, (term) => terms.high[term] as number),
          low: Uint32Array.from(kept, (term) => terms.low[term] as number),
        };
  return { terms: keptTerms, groups: { starts, docs: groups.docs } };
}
