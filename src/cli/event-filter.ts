import { isIP } from 'node:net';
import type { Command } from 'commander';
import type { Query } from './connection/connection.ts';
import { usageError } from './exit-codes.ts';
import { parseTime } from './times.ts';

/**
 * The attributes that events are filtered by: the option of the command line (without dashes), the query parameter of
 * `/_cairn/events`, and what the help says.
 */
export const filterAttributes = [
  { option: 'event-name', parameter: 'eventName', help: 'such as CreateUser' },
  { option: 'event-source', parameter: 'eventSource', help: 'such as iam.amazonaws.com' },
  { option: 'username', parameter: 'username', help: 'who made the call' },
  { option: 'access-key-id', parameter: 'accessKeyId', help: 'the key that signed the call' },
  { option: 'resource-name', parameter: 'resourceName', help: 'name or ARN of a resource' },
  { option: 'resource-type', parameter: 'resourceType', help: 'such as AWS::IAM::User' },
  { option: 'read-only', parameter: 'readOnly', help: 'true or false' },
  { option: 'event-id', parameter: 'eventId', help: 'one event' },
  { option: 'error-code', parameter: 'errorCode', help: 'such as AccessDenied' },
  { option: 'source-ip', parameter: 'sourceIp', help: 'an address, or a range such as 10.0.0.0/8' },
  { option: 'principal-arn', parameter: 'principalArn', help: "the caller's ARN" },
  { option: 'principal-type', parameter: 'principalType', help: 'such as IAMUser, AssumedRole, Root' },
  { option: 'account-id', parameter: 'accountId', help: 'the account the event belongs to' },
  { option: 'region', parameter: 'region', help: 'the region the event belongs to' },
  { option: 'event-category', parameter: 'eventCategory', help: 'Management, Data, …' },
  { option: 'event-type', parameter: 'eventType', help: 'such as AwsApiCall' },
] as const;
type Attribute = (typeof filterAttributes)[number];

/** What commander hands over: every repeatable option as the list of its values, under its camel-case name. */
export type FilterOptions = Readonly<Record<string, unknown>>;

/** Gathers the values of an option that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** The part of time that a command can ask for: any stretch, or everything from a moment on. */
export type TimeOptions = 'stretch' | 'start';

/** Declares the filter options on a command. */
export function addFilterOptions(command: Command, times: TimeOptions): Command {
  for (const { option, help } of filterAttributes) {
    command.option(`--${option} <value>`, help, collect);
  }
  command.option('--not <attribute=value>', 'leave these out, such as readOnly=true', collect);
  command.option('--text <text>', 'text that stands in the raw record, exactly so; once', collect);
  command.option('--from <time>', 'at or after: ISO 8601, epoch seconds, or how long ago, such as 2h');
  if (times === 'stretch') command.option('--to <time>', 'at or before; as --from');
  return command.addHelpText(
    'after',
    '\nAn attribute that is given several times matches any of its values; different attributes must all match.',
  );
}

function optionKey(option: string): string {
  return option.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function checkValue({ option, parameter }: Attribute, value: string): void {
  if (value === '') throw usageError(`--${option} takes a value that is not empty`);
  if (parameter === 'readOnly' && value !== 'true' && value !== 'false') {
    throw usageError(`--${option} takes true or false, not "${value}"`);
  }
  if (parameter === 'sourceIp' && value.includes('/')) {
    const [address = '', bits = ''] = value.split('/', 2);
    const most = isIP(address) === 6 ? 128 : 32;
    if (isIP(address) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most) {
      throw usageError(`--${option} takes an address or a range such as 10.0.0.0/8, not "${value}"`);
    }
  }
}

function attributeNamed(name: string): Attribute | undefined {
  const wanted = name.replaceAll('-', '').toLowerCase();
  return filterAttributes.find(({ parameter }) => parameter.toLowerCase() === wanted);
}

function findAttribute(name: string): Attribute {
  const found = attributeNamed(name);
  if (found) return found;
  const names = filterAttributes.map(({ parameter }) => parameter).join(', ');
  throw usageError(`"${name}" is no attribute; there are ${names}`);
}

function parseExclusion(text: string): readonly [Attribute, string] {
  const at = text.indexOf('=');
  if (at < 1) throw usageError(`--not takes ATTRIBUTE=VALUE such as readOnly=true, not "${text}"`);
  const attribute = findAttribute(text.slice(0, at));
  const value = text.slice(at + 1);
  checkValue(attribute, value);
  return [attribute, value];
}

/**
 * What to count by, as a query says it: an attribute that is named in any spelling (`EventName`, `eventName`, `event-name`), or a
 * member of the record as it is written there (`requestParameters.bucketName`), which the server knows.
 */
export function countParameter(name: string): string {
  return attributeNamed(name)?.parameter ?? name;
}

/** Turns the filter options into query parameters of `/_cairn/events`. Throws usage errors. */
export function filterQuery(options: FilterOptions, nowMs: number): Query {
  const query: Record<string, string | string[]> = {};
  for (const attribute of filterAttributes) {
    const values = options[optionKey(attribute.option)] as readonly string[] | undefined;
    if (values === undefined) continue;
    for (const value of values) checkValue(attribute, value);
    query[attribute.parameter] = [...values];
  }
  const excluded = new Map<string, string[]>();
  for (const text of (options['not'] as readonly string[] | undefined) ?? []) {
    const [{ parameter }, value] = parseExclusion(text);
    excluded.set(parameter, [...(excluded.get(parameter) ?? []), value]);
  }
  for (const [parameter, values] of excluded) query[`not.${parameter}`] = values;
  const { text, from, to } = options as { text?: readonly string[]; from?: string; to?: string };
  if (text !== undefined) query['text'] = [...text];
  if (from !== undefined) query['from'] = new Date(parseTime(from, '--from', nowMs)).toISOString();
  if (to !== undefined) query['to'] = new Date(parseTime(to, '--to', nowMs)).toISOString();
  return query;
}
