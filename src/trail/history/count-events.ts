import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AttributeName, CountRow } from './history-types.ts';
import { compareCounts } from './count-order.ts';
import { openGroupCounts, type GroupCounts } from './count-groups.ts';
import { matchesIn, type EventQuery, type WorkMeter } from './event-query.ts';
import type { EventSource } from './event-source.ts';
import type { TermKey } from './term-hash.ts';
import { openValueNumbers, type SourceValues, type ValueNumbers } from './value-numbers.ts';

/** What is counted: by which attributes, and in which buckets of time. */
export interface CountGroups {
  readonly attributes: readonly AttributeName[];
  readonly bucketMs: number | undefined;
  readonly limit: number;
}

/** A source with access to all values of an attribute at once. */
export interface CountSource extends EventSource {
  valuesOf(attribute: AttributeName): SourceValues;
}

/** Documents after which a count lets others run. */
const sliceDocs = 65_536;

/** Marks the matching documents with a 1 in their place. */
async function markMatches(
  source: EventSource,
  query: EventQuery,
  pause: () => Promise<void>,
): Promise<{ readonly marks: Uint8Array; readonly count: number }> {
  const { documents } = source;
  const marks = new Uint8Array(documents);
  const { cursor, accepts } = matchesIn(source, query, 0);
  const meter: WorkMeter = { spent: 0 };
  let count = 0;
  let sinceLast = 0;
  for (let target = 0; target < documents;) {
    const limit = Math.min(documents, target + sliceDocs);
    const doc = cursor.seek(target, limit);
    if (doc < limit) {
      if (!accepts || accepts(doc, meter)) {
        marks[doc] = 1;
        count += 1;
      }
      target = doc + 1;
      sinceLast += 1;
    } else {
      target = doc;
      sinceLast += sliceDocs;
    }
    if (sinceLast < sliceDocs && meter.spent < 5000) continue;
    sinceLast = 0;
    meter.spent = 0;
    await pause();
  }
  return { marks, count };
}

/** The number of its bucket for each document: buckets are counted from the newest one, because documents are. */
async function bucketColumn(
  source: EventSource,
  bucketMs: number | undefined,
  pause: () => Promise<void>,
): Promise<{ readonly column: Int32Array; readonly starts: readonly number[] }> {
  const column = new Int32Array(source.documents);
  const starts: number[] = [];
  if (bucketMs === undefined) return { column, starts };
  let start = Infinity;
  for (let doc = 0; doc < source.documents; doc += 1) {
    const time = source.timeAt(doc);
    if (time < start) {
      start = Math.floor(time / bucketMs) * bucketMs;
      starts.push(start);
    }
    column[doc] = starts.length - 1;
    if (doc % sliceDocs === sliceDocs - 1) await pause();
  }
  return { column, starts };
}

/** Runs of documents of one value and one bucket are added as one. */
async function countSingle(
  values: SourceValues,
  marks: Uint8Array,
  buckets: Int32Array,
  add: (value: number, bucket: number, count: number) => void,
  pause: () => Promise<void>,
): Promise<void> {
  const hasValue = new Uint8Array(marks.length);
  let sinceLast = 0;
  const addRuns = (value: () => number, docs: Int32Array, length: number): void => {
    let bucket = -1;
    let run = 0;
    for (let index = 0; index < length; index += 1) {
      const doc = docs[index] as number;
      hasValue[doc] = 1;
      if (marks[doc] === 0) continue;
      const current = buckets[doc] as number;
      if (current !== bucket) {
        if (run > 0) add(value(), bucket, run);
        bucket = current;
        run = 0;
      }
      run += 1;
    }
    if (run > 0) add(value(), bucket, run);
  };
  for (const { value, docs, length } of values.lists()) {
    addRuns(value, docs, length);
    sinceLast += length;
    if (sinceLast < sliceDocs) continue;
    sinceLast = 0;
    await pause();
  }
  for (let doc = 0; doc < marks.length; doc += 1) {
    if (marks[doc] === 1 && hasValue[doc] === 0) add(0, buckets[doc] as number, 1);
  }
}

/** For each document its value of an attribute (0: none), and the further values of those that have several. */
interface ValueColumn {
  readonly first: Int32Array;
  readonly further: ReadonlyMap<number, readonly number[]>;
}

async function valueColumn(
  values: SourceValues,
  marks: Uint8Array,
  pause: () => Promise<void>,
): Promise<ValueColumn> {
  const first = new Int32Array(marks.length);
  const further = new Map<number, number[]>();
  let sinceLast = 0;
  for (const { value, docs, length } of values.lists()) {
    let number = 0;
    for (let index = 0; index < length; index += 1) {
      const doc = docs[index] as number;
      if (marks[doc] === 0) continue;
      number ||= value();
      if (first[doc] === 0) first[doc] = number;
      else further.set(doc, [...(further.get(doc) ?? []), number]);
    }
    sinceLast += length;
    if (sinceLast < sliceDocs) continue;
    sinceLast = 0;
    await pause();
  }
  return { first, further };
}

async function countTuples(
  columns: readonly ValueColumn[],
  marks: Uint8Array,
  buckets: Int32Array,
  counts: { add(tuple: readonly number[], bucket: number): void },
  pause: () => Promise<void>,
): Promise<void> {
  const tuple = columns.map(() => 0);
  const fill = (doc: number, level: number): void => {
    const column = columns[level];
    if (!column) {
      counts.add(tuple, buckets[doc] as number);
      return;
    }
    tuple[level] = column.first[doc] as number;
    fill(doc, level + 1);
    for (const value of column.further.get(doc) ?? []) {
      tuple[level] = value;
      fill(doc, level + 1);
    }
  };
  for (let doc = 0; doc < marks.length; doc += 1) {
    if (marks[doc] === 1) fill(doc, 0);
    if (doc % sliceDocs === sliceDocs - 1) await pause();
  }
}

async function countSource(
  source: CountSource,
  query: EventQuery,
  by: CountGroups,
  counts: GroupCounts,
  bucketNumbers: (starts: readonly number[]) => readonly number[],
  pause: () => Promise<void>,
): Promise<void> {
  const { marks, count } = await markMatches(source, query, pause);
  if (count === 0) return;
  const { column, starts } = await bucketColumn(source, by.bucketMs, pause);
  const numbers = by.bucketMs === undefined ? [0] : bucketNumbers(starts);
  await pause();
  const [only] = by.attributes;
  if (only !== undefined && by.attributes.length === 1) {
    const tuple = [0, 0];
    const add = (value: number, bucket: number, run: number) => {
      tuple[0] = value;
      tuple[1] = numbers[bucket] as number;
      counts.add(tuple, run);
    };
    await countSingle(source.valuesOf(only), marks, column, add, pause);
    return;
  }
  const columns: ValueColumn[] = [];
  for (const attribute of by.attributes) {
    columns.push(await valueColumn(source.valuesOf(attribute), marks, pause));
  }
  const full = [...by.attributes.map(() => 0), 0];
  const add = (tuple: readonly number[], bucket: number) => {
    for (let level = 0; level < tuple.length; level += 1) full[level] = tuple[level] as number;
    full[tuple.length] = numbers[bucket] as number;
    counts.add(full, 1);
  };
  await countTuples(columns, marks, column, { add }, pause);
}

/** The `limit` greatest groups, and only those, with their texts. */
function greatestRows(
  counts: GroupCounts,
  by: CountGroups,
  values: ReadonlyMap<AttributeName, ValueNumbers>,
  bucketStarts: readonly number[],
): readonly CountRow[] {
  const groups: { readonly numbers: readonly number[]; readonly count: number }[] = [];
  counts.each((numbers, count) => groups.push({ numbers: [...numbers], count }));
  const greatest = groups.toSorted((one, other) => other.count - one.count).slice(0, by.limit);
  const rows = greatest.map(({ numbers, count }): CountRow => {
    const texts = by.attributes.map((attribute, level) => {
      const number = numbers[level] as number;
      return number === 0 ? null : (values.get(attribute) as ValueNumbers).textOf(number);
    });
    const bucket =
      by.bucketMs === undefined ? {} : { bucket: bucketStarts[numbers.at(-1) as number] as number };
    return { values: texts, ...bucket, count };
  });
  return rows.toSorted(compareCounts);
}

/**
 * Counts matching events by attributes and buckets of time, from the index alone wherever the filter allows. Throws
 * `LimitExceededException` for more groups than can be kept.
 */
export async function countEvents(
  sources: readonly ((values: ReadonlyMap<AttributeName, ValueNumbers>) => CountSource)[],
  query: EventQuery,
  by: CountGroups,
  signal: AbortSignal | undefined,
  hashKey: TermKey,
): Promise<readonly CountRow[]> {
  const pause = async (): Promise<void> => {
    await nextTurn();
    signal?.throwIfAborted();
  };
  signal?.throwIfAborted();
  const values = new Map(by.attributes.map((attribute) => [attribute, openValueNumbers(attribute, hashKey)]));
  const counts = openGroupCounts(by.attributes.length + 1);
  const bucketStarts: number[] = [];
  const bucketNumber = new Map<number, number>();
  const bucketNumbers = (starts: readonly number[]) =>
    starts.map((start) => {
      const number = bucketNumber.get(start) ?? bucketStarts.push(start) - 1;
      bucketNumber.set(start, number);
      return number;
    });
  for (const open of sources) {
    const source = open(values);
    if (source.documents === 0 || source.newest < query.from || source.oldest > query.to) continue;
    await countSource(source, query, by, counts, bucketNumbers, pause);
    await pause();
  }
  return greatestRows(counts, by, values, bucketStarts);
}
