import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AttributeName, CountedBy, CountRow } from './history-types.ts';
import { compareCounts } from './count-order.ts';
import { openGroupCounts, type GroupCounts } from './count-groups.ts';
import { matchesIn, type EventQuery, type WorkMeter } from './event-query.ts';
import type { EventSource } from './event-source.ts';
import { openTextBound, valuesOfPath } from './record-path.ts';
import type { TermKey } from './term-hash.ts';
import { openValueNumbers, type SourceValues, type ValueNumbers } from './value-numbers.ts';

/** What is counted: by which attributes and members, and in which buckets of time. */
export interface CountGroups {
  readonly attributes: readonly CountedBy[];
  readonly bucketMs: number | undefined;
  readonly limit: number;
}

/** A source with access to all values of an attribute at once. */
export interface CountSource extends EventSource {
  valuesOf(attribute: AttributeName): SourceValues;
}

/** Documents after which a count lets others run. */
const sliceDocs = 65_536;

/** The matching documents of a source, by bucket of time. */
interface Buckets {
  /** For each document the number of its bucket, -1 where it does not match. Buckets are numbered from the newest. */
  readonly column: Int32Array;
  /** Start of each bucket, epoch milliseconds. */
  readonly starts: readonly number[];
  /** Matching documents in each bucket. */
  readonly counts: readonly number[];
}

/** The end of the run of documents from `from` on whose time is `start` or later; found by strides that double. */
function endOfBucket(source: EventSource, from: number, high: number, start: number): number {
  let low = from + 1;
  let stride = 1;
  while (low + stride < high && source.timeAt(low + stride) >= start) {
    low += stride;
    stride *= 2;
  }
  let end = Math.min(high, low + stride);
  while (low < end) {
    const middle = (low + end) >> 1;
    if (source.timeAt(middle) >= start) low = middle + 1;
    else end = middle;
  }
  return low;
}

/** Buckets of a range of which every document matches: run by run. */
function bucketRange(
  source: EventSource,
  low: number,
  high: number,
  startOf: (time: number) => number,
): Buckets {
  const column = new Int32Array(source.documents).fill(-1);
  const starts: number[] = [];
  const counts: number[] = [];
  for (let doc = low; doc < high;) {
    const start = startOf(source.timeAt(doc));
    const end = start === -Infinity ? high : endOfBucket(source, doc, high, start);
    column.fill(starts.length, doc, end);
    starts.push(start);
    counts.push(end - doc);
    doc = end;
  }
  return { column, starts, counts };
}

/** Finds the matching documents and their buckets. */
async function bucketMatches(
  source: EventSource,
  query: EventQuery,
  bucketMs: number | undefined,
  pause: () => Promise<void>,
): Promise<Buckets> {
  const { documents } = source;
  const startOf = (time: number) =>
    bucketMs === undefined ? -Infinity : Math.floor(time / bucketMs) * bucketMs;
  const { cursor, accepts, range } = matchesIn(source, query, 0);
  if (range) return bucketRange(source, range.low, range.high, startOf);
  const column = new Int32Array(documents).fill(-1);
  const starts: number[] = [];
  const counts: number[] = [];
  const meter: WorkMeter = { spent: 0 };
  let start = Infinity;
  let sinceLast = 0;
  for (let target = 0; target < documents;) {
    const limit = Math.min(documents, target + sliceDocs);
    const doc = cursor.seek(target, limit);
    if (doc < limit && (!accepts || accepts(doc, meter))) {
      const time = source.timeAt(doc);
      if (time < start) {
        start = startOf(time);
        starts.push(start);
        counts.push(0);
      }
      column[doc] = starts.length - 1;
      counts[starts.length - 1] = (counts.at(-1) ?? 0) + 1;
    }
    sinceLast += doc < limit ? 1 : sliceDocs;
    target = doc < limit ? doc + 1 : doc;
    if (sinceLast < sliceDocs && meter.spent < 5000) continue;
    sinceLast = 0;
    meter.spent = 0;
    await pause();
  }
  return { column, starts, counts };
}

/** Counts by one attribute: runs of documents of one value and one bucket are added as one. */
async function countSingle(
  values: SourceValues,
  buckets: Buckets,
  add: (value: number, bucket: number, count: number) => void,
  pause: () => Promise<void>,
): Promise<void> {
  const { column } = buckets;
  // Where a document has one value at most, those without are what is left of each bucket; else they are marked.
  const left = [...buckets.counts];
  const hasValue = values.isMultiple ? new Uint8Array(column.length) : undefined;
  let sinceLast = 0;
  for (const { value, docs, length } of values.lists()) {
    let number = 0;
    let bucket = -1;
    let run = 0;
    for (let index = 0; index <= length; index += 1) {
      const doc = docs[index] as number;
      const current = index < length ? (column[doc] as number) : -1;
      if (current >= 0 && hasValue) hasValue[doc] = 1;
      if (current === bucket) {
        run += 1;
        continue;
      }
      if (bucket >= 0) {
        number ||= value();
        add(number, bucket, run);
        left[bucket] = (left[bucket] as number) - run;
      }
      bucket = current;
      run = 1;
    }
    sinceLast += length;
    if (sinceLast < sliceDocs) continue;
    sinceLast = 0;
    await pause();
  }
  if (hasValue) {
    for (let doc = 0; doc < column.length; doc += 1) {
      if ((column[doc] as number) >= 0 && hasValue[doc] === 0) add(0, column[doc] as number, 1);
    }
  } else for (const [bucket, count] of left.entries()) if (count > 0) add(0, bucket, count);
}

/** For each document its value of an attribute (0: none), and the further values of those that have several. */
interface ValueColumn {
  readonly first: Int32Array;
  readonly further: ReadonlyMap<number, readonly number[]>;
}

async function valueColumn(
  values: SourceValues,
  { column }: Buckets,
  pause: () => Promise<void>,
): Promise<ValueColumn> {
  const first = new Int32Array(column.length);
  const further = new Map<number, number[]>();
  let sinceLast = 0;
  for (const { value, docs, length } of values.lists()) {
    let number = 0;
    for (let index = 0; index < length; index += 1) {
      const doc = docs[index] as number;
      if ((column[doc] as number) < 0) continue;
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

/** Most cells of a table that is counted in at once, instead of group by group. */
const mostCells = 2 ** 22;

/** The number of cells that all tuples of these columns and buckets need. */
function cellsOf(columns: readonly ValueColumn[], { starts }: Buckets): readonly number[] {
  const sizes = columns.map(({ first, further }) => {
    let most = 0;
    for (const value of first) if (value > most) most = value;
    for (const values of further.values()) most = Math.max(most, ...values);
    return most + 1;
  });
  return [...sizes, starts.length];
}

/** Counts tuples in a table in memory, where it is small enough, and adds its cells as groups. */
function openCells(sizes: readonly number[], add: (tuple: readonly number[], count: number) => void) {
  const cells = new Uint32Array(sizes.reduce((product, size) => product * size, 1));
  return {
    add(tuple: readonly number[]): void {
      let cell = 0;
      for (let level = 0; level < sizes.length; level += 1) {
        cell = cell * (sizes[level] as number) + (tuple[level] as number);
      }
      cells[cell] = (cells[cell] as number) + 1;
    },
    finish(): void {
      const tuple = sizes.map(() => 0);
      for (const [cell, count] of cells.entries()) {
        if (count === 0) continue;
        let rest = cell;
        for (let level = sizes.length - 1; level >= 0; level -= 1) {
          tuple[level] = rest % (sizes[level] as number);
          rest = Math.floor(rest / (sizes[level] as number));
        }
        add(tuple, count);
      }
    },
  };
}

/** Counts by several attributes, or by none: a tuple for each combination of a document's values, and its bucket. */
async function countTuples(
  columns: readonly ValueColumn[],
  buckets: Buckets,
  add: (tuple: readonly number[], count: number) => void,
  pause: () => Promise<void>,
): Promise<void> {
  const { column } = buckets;
  const sizes = cellsOf(columns, buckets);
  const isSmall = sizes.reduce((product, size) => product * size, 1) <= mostCells;
  const cells = isSmall ? openCells(sizes, add) : undefined;
  const tuple = sizes.map(() => 0);
  const fill = (doc: number, level: number): void => {
    const values = columns[level];
    if (!values) {
      if (cells) cells.add(tuple);
      else add(tuple, 1);
      return;
    }
    tuple[level] = values.first[doc] as number;
    fill(doc, level + 1);
    if (values.further.size === 0) return;
    for (const value of values.further.get(doc) ?? []) {
      tuple[level] = value;
      fill(doc, level + 1);
    }
  };
  for (let doc = 0; doc < column.length; doc += 1) {
    if ((column[doc] as number) >= 0) {
      tuple[columns.length] = column[doc] as number;
      fill(doc, 0);
    }
    if (doc % sliceDocs === sliceDocs - 1) await pause();
  }
  cells?.finish();
}

async function countSource(
  source: CountSource,
  query: EventQuery,
  by: CountGroups,
  counts: GroupCounts,
  bucketNumbers: (starts: readonly number[]) => readonly number[],
  valuesOf: (source: CountSource, key: CountedBy, buckets: Buckets) => Promise<SourceValues>,
  pause: () => Promise<void>,
): Promise<void> {
  const buckets = await bucketMatches(source, query, by.bucketMs, pause);
  if (buckets.starts.length === 0) return;
  const numbers = bucketNumbers(buckets.starts);
  await pause();
  const [only] = by.attributes;
  if (only !== undefined && by.attributes.length === 1) {
    const tuple = [0, 0];
    const add = (value: number, bucket: number, run: number) => {
      tuple[0] = value;
      tuple[1] = numbers[bucket] as number;
      counts.add(tuple, run);
    };
    await countSingle(await valuesOf(source, only, buckets), buckets, add, pause);
    return;
  }
  const columns: ValueColumn[] = [];
  for (const key of by.attributes) {
    columns.push(await valueColumn(await valuesOf(source, key, buckets), buckets, pause));
    await pause();
  }
  const full = [...by.attributes.map(() => 0), 0];
  const add = (tuple: readonly number[], count: number) => {
    for (let level = 0; level < columns.length; level += 1) full[level] = tuple[level] as number;
    full[columns.length] = numbers[tuple[columns.length] as number] as number;
    counts.add(full, count);
  };
  await countTuples(columns, buckets, add, pause);
}

/** The `limit` greatest groups, and only those, with their texts. */
function greatestRows(
  counts: GroupCounts,
  by: CountGroups,
  values: ReadonlyMap<CountedBy, ValueNumbers>,
  bucketStarts: readonly number[],
): readonly CountRow[] {
  const rows = counts.greatest(by.limit).map(({ numbers, count }): CountRow => {
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
 * Counts matching events by attributes and buckets of time, from the index alone wherever the filter allows, and by other members
 * from the records. Throws `LimitExceededException` for more groups, or longer values, than can be kept.
 */
export async function countEvents(
  sources: readonly ((values: ReadonlyMap<CountedBy, ValueNumbers>) => CountSource)[],
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
  const bound = openTextBound();
  const values = new Map(
    by.attributes.map((key) => [
      key,
      typeof key === 'string' ? openValueNumbers(hashKey) : openValueNumbers(hashKey, bound),
    ]),
  );
  const counts = openGroupCounts(by.attributes.length + 1);
  const bucketStarts: number[] = [];
  const bucketNumber = new Map<number, number>();
  const bucketNumbers = (starts: readonly number[]) =>
    starts.map((start) => {
      const number = bucketNumber.get(start) ?? bucketStarts.push(start) - 1;
      bucketNumber.set(start, number);
      return number;
    });
  const valuesOf = async (source: CountSource, key: CountedBy, { column }: Buckets) =>
    typeof key === 'string'
      ? source.valuesOf(key)
      : valuesOfPath(source, key, { column, numbers: values.get(key) as ValueNumbers, pause });
  for (const open of sources) {
    const source = open(values);
    if (source.documents === 0 || source.newest < query.from || source.oldest > query.to) continue;
    await countSource(source, query, by, counts, bucketNumbers, valuesOf, pause);
    await pause();
  }
  return greatestRows(counts, by, values, bucketStarts);
}
