import type { AttributeName, EventFilter } from './history-types.ts';
import { isInRange, parseAddressRange, type AddressRange } from './address-range.ts';
import { intersectDocs, withinDocs, withoutDocs, type DocCursor } from './doc-cursor.ts';
import { firstAtMost, type EventSource } from './event-source.ts';
import { scanRecord } from './scan-record.ts';

/** From when on an account's events are still shown, epoch milliseconds: what is older is hidden. */
export type Cutoffs = ReadonlyMap<string, number>;

/** A filter made ready: parsed once, for all sources. */
export interface EventQuery {
  readonly filter: EventFilter;
  readonly from: number;
  readonly to: number;
  readonly range: AddressRange | undefined;
  readonly text: Buffer | undefined;
  readonly cutoffs: Cutoffs;
}

/** Attributes that say little: many events have one of their values. Last those that say least. */
const common: readonly AttributeName[] = [
  'PrincipalType',
  'ReadOnly',
  'AccountId',
  'Region',
  'EventType',
  'EventCategory',
];

/** In the order in which it pays to look: where a rare attribute has no events the others need not be looked for. */
function rarestFirst(attributes: NonNullable<EventFilter['attributes']>) {
  return attributes.toSorted((one, other) => common.indexOf(one.name) - common.indexOf(other.name));
}

/** Throws `InvalidParameterException` for an address range that is none. */
export function prepareQuery(filter: EventFilter, cutoffs: Cutoffs): EventQuery {
  return {
    filter: { ...filter, attributes: rarestFirst(filter.attributes ?? []) },
    from: filter.from ?? -Infinity,
    to: filter.to ?? Infinity,
    range: filter.sourceCidr === undefined ? undefined : parseAddressRange(filter.sourceCidr),
    text: filter.text === undefined || filter.text === '' ? undefined : Buffer.from(filter.text),
    cutoffs,
  };
}

/** Work that a search has done since it last let others run. One unit is about a microsecond. */
export interface WorkMeter {
  spent: number;
}

/** Unpacking a block of records, in units. */
const blockWork = 50;

/** The documents of one source that a query finds. */
export interface Matches {
  /** Candidates by the index; those that `accepts` are matches. */
  readonly cursor: DocCursor;
  /** Looks at the record where the index does not tell; undefined where it does. */
  readonly accepts: ((doc: number, meter: WorkMeter) => boolean) | undefined;
  /** Set when all documents from `low` up to, not including, `high` match, and no others. */
  readonly range: { readonly low: number; readonly high: number } | undefined;
}

function hidesAny(source: EventSource, cutoffs: Cutoffs): boolean {
  return [...cutoffs.values()].some((cutoff) => source.oldest < cutoff);
}

/** Hides what has expired: for each account with a retention, its documents from the cut-off on. */
function withoutExpired(source: EventSource, cursor: DocCursor, cutoffs: Cutoffs): DocCursor {
  let shown = cursor;
  for (const [account, cutoff] of cutoffs) {
    if (source.oldest >= cutoff) continue;
    const first = firstAtMost(source, Math.ceil(cutoff) - 1);
    const expired = withinDocs(
      source.withValues('AccountId', [account]),
      first,
      source.documents,
      source.documents,
    );
    shown = withoutDocs(shown, expired, source.documents);
  }
  return shown;
}

function addressAccepts(source: EventSource, range: AddressRange) {
  return (doc: number): boolean => {
    const scan = scanRecord(source.raw(doc));
    const address = scan.kind === 'record' ? scan.record.sourceIpAddress : undefined;
    return address !== undefined && isInRange(address, range);
  };
}

function textAccepts(source: EventSource, text: Buffer) {
  let group = -1;
  let isInGroup = true;
  return (doc: number, meter: WorkMeter): boolean => {
    const current = source.groups?.of(doc) ?? -1;
    if (source.groups && current !== group) {
      isInGroup = source.groups.bytes(current).includes(text);
      group = current;
      meter.spent += blockWork;
    }
    return isInGroup && source.raw(doc).includes(text);
  };
}

/** Finds the documents of `source` from `start` on that match. */
export function matchesIn(source: EventSource, query: EventQuery, start: number): Matches {
  const { documents } = source;
  const low = Math.max(start, source.newest <= query.to ? 0 : firstAtMost(source, Math.floor(query.to)));
  const high = source.oldest >= query.from ? documents : firstAtMost(source, Math.ceil(query.from) - 1);
  const conditions = query.filter.attributes ?? [];
  const required: DocCursor[] = [];
  for (const one of conditions.filter(({ not }) => !not)) {
    const docs = source.withValues(one.name, one.values);
    if (docs.isEmpty) return { cursor: docs, accepts: undefined, range: undefined };
    required.push(docs);
  }
  const inRange = query.range && source.inRange(query.range);
  if (inRange) required.push(inRange);
  let cursor = withinDocs(intersectDocs(required, documents), low, high, documents);
  for (const one of conditions) {
    if (one.not) cursor = withoutDocs(cursor, source.withValues(one.name, one.values), documents);
  }
  cursor = withoutExpired(source, cursor, query.cutoffs);
  const checks: ((doc: number, meter: WorkMeter) => boolean)[] = [];
  if (query.range && !inRange) checks.push(addressAccepts(source, query.range));
  if (query.text) checks.push(textAccepts(source, query.text));
  const [first] = checks;
  const accepts = first && ((doc: number, meter: WorkMeter) => checks.every((check) => check(doc, meter)));
  const isPlain = conditions.length === 0 && !query.range && !first && !hidesAny(source, query.cutoffs);
  return { cursor, accepts, range: isPlain ? { low, high } : undefined };
}
