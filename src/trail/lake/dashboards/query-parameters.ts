import { invalidParameter } from '../api/lake-operation.ts';

/**
 * The parameters of a widget's query. `?` stands for them in the statement, in their order, also inside quotes: what
 * CloudTrail puts there is text ("Create a custom dashboard with the AWS CLI", QueryParameters).
 */
const names = ['$StartTime$', '$EndTime$', '$Period$'] as const;
type ParameterName = (typeof names)[number];

export type ParameterValues = Readonly<Record<ParameterName, string>>;

const dayMs = 86_400_000;

export function isParameterName(name: string): name is ParameterName {
  return (names as readonly string[]).includes(name);
}

const periods = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];

/** Milliseconds since 1970 of `2024-11-05` or `2024-11-05T10:45[:24[.00]][Z]`, in UTC; undefined for any other text. */
function timeOf(text: string): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?Z?)?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '0'] = match;
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const time = Date.parse(`${written}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  // Date.parse moves the 30th of February on to March.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 19) !== written ? undefined : time;
}

/**
 * Checks the value of one parameter, so that a value is never more than a value: it stands in a statement that somebody
 * else wrote. Throws InvalidParameterException.
 */
export function checkValue(name: ParameterName, value: string): string {
  if (name === '$Period$') {
    if (periods.includes(value.toLowerCase())) return value;
    throw invalidParameter(`${name} is a unit of date_trunc (${periods.join(', ')}), not ${value}.`);
  }
  if (timeOf(value) !== undefined) return value;
  throw invalidParameter(`${name} is a time such as 2024-11-05T10:45:24.00Z, not ${value}.`);
}

/**
 * The value of every parameter in a refresh at `now` (epoch milliseconds). Those that are not given: the 24 hours up to
 * the end ("View a managed dashboard with the CloudTrail console"), the end now, and the period an hour. Throws
 * InvalidParameterException.
 */
export function valuesFor(given: Readonly<Record<string, string>> | undefined, now: number): ParameterValues {
  const values: Partial<Record<ParameterName, string>> = {};
  for (const [name, value] of Object.entries(given ?? {})) {
    if (!isParameterName(name))
      throw invalidParameter(`${name} is no query parameter of custom dashboards: ${names.join(', ')}.`);
    values[name] = checkValue(name, value);
  }
  const end = values['$EndTime$'] ?? new Date(now).toISOString();
  const endMs = timeOf(end) ?? now;
  const start = values['$StartTime$'] ?? new Date(endMs - dayMs).toISOString();
  if ((timeOf(start) ?? 0) > endMs)
    throw invalidParameter(`$StartTime$ (${start}) is after $EndTime$ (${end}).`);
  return { $StartTime$: start, $EndTime$: end, $Period$: values['$Period$'] ?? 'hour' };
}

/** A statement with its question marks replaced, or why that cannot be. */
export type FilledStatement =
  | { readonly kind: 'filled'; readonly statement: string }
  | { readonly kind: 'refused'; readonly message: string };

/** Puts values in the place of the question marks. A statement of a widget without parameters stays as it is. */
export function fillStatement(statement: string, values: readonly string[] | undefined): FilledStatement {
  if (!values) return { kind: 'filled', statement };
  const parts = statement.split('?');
  const marks = parts.length - 1;
  if (marks !== values.length) {
    const message = `The statement has ${marks} question marks and ${values.length} query parameters; each question mark stands for one, also inside quotes.`;
    return { kind: 'refused', message };
  }
  return {
    kind: 'filled',
    statement: parts.map((part, at) => (at === 0 ? part : `${values[at - 1]}${part}`)).join(''),
  };
}

/** The statement of a widget with the values of a refresh. */
export function fillWidget(
  { statement, parameters }: { readonly statement: string; readonly parameters?: readonly string[] },
  values: ParameterValues,
): FilledStatement {
  return fillStatement(
    statement,
    parameters?.map((name) => (isParameterName(name) ? values[name] : '')),
  );
}
