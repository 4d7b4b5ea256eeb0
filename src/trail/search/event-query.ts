import { isIP } from 'node:net';
import { AwsFault, isAccountId, isRegion } from '../../kernel/index.ts';
import { invalidRequest, type Call } from '../../wire/index.ts';
import {
  attributeNames,
  canonicalAddress,
  parseAddressRange,
  recordPath,
  type AttributeName,
  type CountedBy,
  type EventFilter,
} from '../history/index.ts';

/** Query parameters that stand for an attribute: its own name with a small first letter, and two short forms. */
const attributeParameters: ReadonlyMap<string, AttributeName> = new Map<string, AttributeName>([
  ...attributeNames.map((name): [string, AttributeName] => [
    name.charAt(0).toLowerCase() + name.slice(1),
    name,
  ]),
  ['account', 'AccountId'],
  ['category', 'EventCategory'],
  ['sourceIp', 'SourceIpAddress'],
]);

/** Parameters that every route with a filter takes, beside the attributes and `not.` before one of them. */
const filterParameters = ['from', 'to', 'text'];

type Condition = NonNullable<EventFilter['attributes']>[number];

/** The one value of a parameter that is not repeatable. */
export function single(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1)
    throw invalidRequest(`The parameter ${name} is given ${values.length} times; it is taken once.`);
  return values[0];
}

/** A whole number within bounds. */
export function wholeNumber(
  query: URLSearchParams,
  name: string,
  [least, most]: readonly [number, number],
): number | undefined {
  const text = single(query, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value < least || value > most) {
    throw invalidRequest(
      `The parameter ${name} takes a whole number from ${least} to ${most}, not "${text}".`,
    );
  }
  return value;
}

/** Refuses parameters that the route does not know, by name. `own` are those it knows beside the filter's. */
function refuseUnknown(query: URLSearchParams, own: readonly string[]): void {
  for (const name of query.keys()) {
    if (attributeParameters.has(name.replace(/^not\./, ''))) continue;
    if (filterParameters.includes(name) || own.includes(name)) continue;
    const known = [...attributeParameters.keys(), ...filterParameters, ...own].join(', ');
    throw invalidRequest(
      `The parameter "${name}" is not known. There are ${known}, and not. before an attribute.`,
    );
  }
}

/**
 * What the values of some attributes look like: others match nothing ever, which is a mistake and no answer. What Cairn records of a
 * caller whose region cannot be known has the region `unknown`.
 */
const forms: Partial<Record<AttributeName, { readonly what: string; fits(value: string): boolean }>> = {
  ReadOnly: { what: 'true or false', fits: (value) => value === 'true' || value === 'false' },
  AccountId: { what: 'twelve digits', fits: isAccountId },
  Region: {
    what: 'a region name such as eu-central-1',
    fits: (value) => isRegion(value) || value === 'unknown',
  },
};

function checkValues(name: string, attribute: AttributeName, values: readonly string[]): void {
  for (const value of values) {
    if (value === '') throw invalidRequest(`The parameter ${name} has an empty value.`);
    const form = forms[attribute];
    if (form && !form.fits(value))
      throw invalidRequest(`The parameter ${name} takes ${form.what}, not "${value}".`);
  }
}

function conditionsOf(query: URLSearchParams): readonly Condition[] {
  return [...new Set(query.keys())].flatMap((parameter): Condition[] => {
    const isNot = parameter.startsWith('not.');
    const name = attributeParameters.get(isNot ? parameter.slice(4) : parameter);
    if (!name || name === 'SourceIpAddress') return [];
    const values = query.getAll(parameter);
    checkValues(parameter, name, values);
    return [{ name, values, ...(isNot && { not: true }) }];
  });
}

/** `sourceIp`, or `sourceIpAddress`, takes addresses (or whatever else stands in sourceIPAddress), or one range. */
function sourceOf(query: URLSearchParams): { conditions: readonly Condition[]; cidr?: string } {
  const conditions: Condition[] = [];
  let cidr: string | undefined;
  for (const parameter of new Set(query.keys())) {
    const not = parameter.startsWith('not.');
    if (attributeParameters.get(not ? parameter.slice(4) : parameter) !== 'SourceIpAddress') continue;
    const given = query.getAll(parameter);
    checkValues(parameter, 'SourceIpAddress', given);
    const ranges = given.filter((value) => value.includes('/'));
    if (ranges.length === 0) {
      // As it was given, and as CloudTrail writes the address.
      const values = [...new Set([...given, ...given.map(canonicalAddress)])];
      conditions.push({ name: 'SourceIpAddress', values, ...(not && { not: true }) });
    } else if (not || given.length > 1 || cidr !== undefined) {
      throw invalidRequest(`The parameter ${parameter} takes a range only alone and without not.`);
    } else {
      [cidr] = ranges;
    }
  }
  if (cidr === undefined) return { conditions };
  if (isIP(cidr.replace(/\/.*$/, '')) === 0) throw invalidRequest(`The range "${cidr}" is not a CIDR range.`);
  parseAddressRange(cidr);
  return { conditions, cidr };
}

const isoForm = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/;

function isoTime(text: string): number | undefined {
  const match = isoForm.exec(text);
  if (!match) return undefined;
  const [, day = '', time = '00:00', zone = 'Z'] = match;
  const epochMs = Date.parse(`${day}T${time}${zone}`);
  if (Number.isNaN(epochMs)) return undefined;
  // Date.parse takes 30 February for 2 March; a day that does not exist is a mistake, not another day.
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? epochMs : undefined;
}

/** A moment: ISO 8601 (UTC unless it names a zone), epoch seconds, or epoch milliseconds (13 digits). */
function timeOf(query: URLSearchParams, name: string): number | undefined {
  const text = single(query, name);
  if (text === undefined) return undefined;
  if (/^\d{13}$/.test(text)) return Number(text);
  if (/^\d{1,11}(\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000);
  const epochMs = isoTime(text);
  if (epochMs !== undefined) return epochMs;
  throw invalidRequest(
    `The parameter ${name} takes ISO 8601 such as 2026-11-22T10:00:00Z, or epoch seconds, not "${text}".`,
  );
}

/**
 * What the caller may see: principals of the management account see every account, others their own alone. Asking for
 * another account is denied, not answered with nothing.
 */
function visibleTo(
  call: Call,
  managementAccountId: string,
  conditions: readonly Condition[],
): readonly Condition[] {
  if (call.accountId === managementAccountId) return conditions;
  const asked = conditions.filter(({ name, not }) => name === 'AccountId' && !not);
  const other = asked.flatMap(({ values }) => values).find((value) => value !== call.accountId);
  if (other !== undefined) {
    const text = `Principals of account ${call.accountId} may not see the events of account ${other}; only those of the management account may.`;
    throw new AwsFault('AccessDenied', text, { status: 403 });
  }
  return [{ name: 'AccountId', values: [call.accountId] }, ...conditions];
}

/**
 * Reads a filter from query parameters named after the attributes (`eventName`, `username`, …; a repeated one means any
 * of its values, different ones must all match; `not.` before one excludes), `sourceIp` (addresses or a CIDR range),
 * `from`, `to` and `text`. Throws ValidationException naming what it does not know, AccessDenied for other accounts.
 */
export function readFilter(
  query: URLSearchParams,
  own: readonly string[],
  call: Call,
  managementAccountId: string,
): EventFilter {
  refuseUnknown(query, own);
  const source = sourceOf(query);
  const attributes = visibleTo(call, managementAccountId, [...conditionsOf(query), ...source.conditions]);
  const from = timeOf(query, 'from');
  const to = timeOf(query, 'to');
  if (from !== undefined && to !== undefined && from > to)
    throw invalidRequest('The parameter from is after to.');
  const text = single(query, 'text');
  if (text === '') throw invalidRequest('The parameter text has an empty value.');
  return {
    ...(attributes.length > 0 && { attributes }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(source.cidr !== undefined && { sourceCidr: source.cidr }),
    ...(text !== undefined && { text }),
  };
}

const bucketUnits: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time bucket such as `15m`, `1h` or `1d`, in milliseconds. */
export function readBucket(query: URLSearchParams): number | undefined {
  const text = single(query, 'bucket');
  if (text === undefined) return undefined;
  const match = /^([1-9]\d{0,5})([smhdw])$/.exec(text);
  const unit = match?.[2] === 'w' ? 7 * 86_400_000 : bucketUnits[match?.[2] ?? ''];
  if (unit === undefined)
    throw invalidRequest(`The parameter bucket takes a duration such as 15m, 1h or 1d, not "${text}".`);
  return Number(match?.[1]) * unit;
}

/** What to count by: `by=eventName,requestParameters.bucketName` or repeated. At most three attributes or members of the record. */
export function readBy(query: URLSearchParams): readonly CountedBy[] {
  const names = query.getAll('by').flatMap((value) => value.split(','));
  const keys = names.map((name) => attributeParameters.get(name) ?? recordPath(name) ?? notCounted(name));
  if (keys.length > 3) throw invalidRequest('The parameter by takes at most three attributes.');
  if (new Set(names).size < names.length) throw invalidRequest('The parameter by names an attribute twice.');
  return keys;
}

function notCounted(name: string): never {
  throw invalidRequest(
    `"${name}" is no attribute, and no member of a record such as userAgent or requestParameters.bucketName. The attributes are ${[...attributeParameters.keys()].join(', ')}.`,
  );
}
