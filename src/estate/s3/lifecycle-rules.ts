import type { LifecycleRule, LifecycleRuleFilter, Tag } from '@aws-sdk/client-s3';
import type { AwsFault, Random } from '../../kernel/index.ts';
import type { StoredLifecycleRule } from './bucket-documents.ts';
import { malformedXml } from './bucket-faults.ts';
import { invalidArgument, invalidRequest, notImplemented } from './faults.ts';

/** "A lifecycle configuration can have up to 1,000 rules." */
const rulesPerBucket = 1_000;
const dayMs = 86_400_000;

/** What a rule applies to, taken together from its filter. */
export interface RuleScope {
  readonly prefix: string;
  readonly tags: readonly Tag[];
  /** Exclusive bounds, in bytes. */
  readonly largerThan: number | undefined;
  readonly smallerThan: number | undefined;
}

/** The scope of a rule, wherever its members stand: `Prefix` of the rule itself is the older form. */
export function scopeOf({ Prefix, Filter }: Pick<LifecycleRule, 'Prefix' | 'Filter'>): RuleScope {
  const all = Filter?.And ?? Filter;
  const tags = Filter?.And ? (Filter.And.Tags ?? []) : Filter?.Tag ? [Filter.Tag] : [];
  return {
    prefix: all?.Prefix ?? Prefix ?? '',
    tags,
    largerThan: all?.ObjectSizeGreaterThan,
    smallerThan: all?.ObjectSizeLessThan,
  };
}

function checkFilter(filter: LifecycleRuleFilter | undefined, prefix: string | undefined): void {
  if ((filter === undefined) === (prefix === undefined)) {
    throw malformedXml('a rule has either a Filter or the older Prefix');
  }
  const { Prefix, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan, And } = filter ?? {};
  const given = [Prefix, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan, And].filter(
    (one) => one !== undefined,
  );
  if (given.length > 1) {
    throw malformedXml('a Filter has one of Prefix, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan and And');
  }
  if (!And) return;
  const conditions = [And.Prefix, And.ObjectSizeGreaterThan, And.ObjectSizeLessThan, ...(And.Tags ?? [])];
  if (conditions.filter((one) => one !== undefined).length < 2) {
    throw malformedXml('And joins two conditions or more');
  }
}

function checkScope(scope: RuleScope): void {
  const { largerThan, smallerThan, tags, prefix } = scope;
  if (Buffer.byteLength(prefix) > 1_024) throw invalidRequest('The maximum size of a prefix is 1024.');
  if (new Set(tags.map(({ Key }) => Key)).size < tags.length) {
    throw invalidRequest('Duplicate Tag Keys are not allowed.');
  }
  for (const size of [largerThan, smallerThan]) {
    if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
      throw invalidRequest('An object size of a filter is a whole number of bytes from 0.');
    }
  }
  if (largerThan !== undefined && smallerThan !== undefined && smallerThan <= largerThan + 1) {
    throw invalidRequest(
      "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan' by more than 1.",
    );
  }
}

/** `where` is what a member stands in, such as ` for Expiration action`. */
const positive = (name: string, value: number | undefined, where = ''): AwsFault | undefined =>
  value !== undefined && (!Number.isInteger(value) || value < 1)
    ? invalidArgument(`'${name}'${where} must be a positive integer`)
    : undefined;

function checkExpiration({ Expiration }: LifecycleRule, scope: RuleScope): void {
  if (!Expiration) return;
  const { Date: date, Days, ExpiredObjectDeleteMarker } = Expiration;
  if ([date, Days, ExpiredObjectDeleteMarker].filter((one) => one !== undefined).length !== 1) {
    throw malformedXml('an Expiration has one of Date, Days and ExpiredObjectDeleteMarker');
  }
  const problem = positive('Days', Days, ' for Expiration action');
  if (problem) throw problem;
  if (date && (Number.isNaN(date.getTime()) || date.getTime() % dayMs !== 0)) {
    throw invalidArgument("'Date' must be at midnight GMT", 'Date');
  }
  if (ExpiredObjectDeleteMarker === undefined) return;
  refuseWith('ExpiredObjectDeleteMarker', scope);
}

/** Some actions concern what has neither tags nor a size. */
function refuseWith(action: string, { tags, largerThan, smallerThan }: RuleScope): void {
  if (tags.length > 0) throw invalidRequest(`${action} cannot be specified with Tags.`);
  if (largerThan !== undefined || smallerThan !== undefined) {
    throw invalidRequest(`${action} cannot be specified with an object size.`);
  }
}

function checkNoncurrent({ NoncurrentVersionExpiration, Filter }: LifecycleRule): void {
  if (!NoncurrentVersionExpiration) return;
  const { NoncurrentDays, NewerNoncurrentVersions } = NoncurrentVersionExpiration;
  if (NoncurrentDays === undefined) throw malformedXml('a NoncurrentVersionExpiration has NoncurrentDays');
  const problem =
    positive('NoncurrentDays', NoncurrentDays, ' for NoncurrentVersionExpiration action') ??
    positive('NewerNoncurrentVersions', NewerNoncurrentVersions);
  if (problem) throw problem;
  if (NewerNoncurrentVersions === undefined) return;
  if (NewerNoncurrentVersions > 100) throw invalidArgument("'NewerNoncurrentVersions' is at most 100");
  if (!Filter) throw invalidRequest('NewerNoncurrentVersions goes with a Filter, which may be empty.');
}

function checkActions(rule: LifecycleRule, scope: RuleScope): void {
  if (rule.Transitions?.length || rule.NoncurrentVersionTransitions?.length) {
    throw notImplemented(
      `The rule${rule.ID ? ` ${rule.ID}` : ''} moves objects to another storage class; transitions do not exist here, expirations do.`,
    );
  }
  const { Expiration, NoncurrentVersionExpiration, AbortIncompleteMultipartUpload } = rule;
  if (!Expiration && !NoncurrentVersionExpiration && !AbortIncompleteMultipartUpload) {
    throw invalidRequest('At least one action needs to be specified in a rule');
  }
  checkExpiration(rule, scope);
  checkNoncurrent(rule);
  if (!AbortIncompleteMultipartUpload) return;
  const { DaysAfterInitiation } = AbortIncompleteMultipartUpload;
  if (DaysAfterInitiation === undefined) {
    throw malformedXml('an AbortIncompleteMultipartUpload has DaysAfterInitiation');
  }
  const where = ' for AbortIncompleteMultipartUpload action';
  const problem = positive('DaysAfterInitiation', DaysAfterInitiation, where);
  if (problem) throw problem;
  refuseWith('AbortIncompleteMultipartUpload', scope);
}

function toStored({ Expiration, ID, ...rule }: LifecycleRule, random: Random): StoredLifecycleRule {
  const { Date: date, ...others } = Expiration ?? {};
  return {
    ...rule,
    // S3 gives a rule without an ID one.
    ID: ID === undefined || ID === '' ? Buffer.from(random.bytes(36)).toString('base64url') : ID,
    ...(Expiration && { Expiration: { ...others, ...(date && { Date: date.toISOString() }) } }),
  };
}

/**
 * Checks the rules of a lifecycle configuration ("PutBucketLifecycleConfiguration", "Elements to describe lifecycle
 * actions") and makes them ready to be kept. Throws MalformedXML, InvalidArgument or InvalidRequest as S3 does, and
 * NotImplemented for transitions.
 */
export function checkLifecycleRules(
  rules: readonly LifecycleRule[],
  random: Random,
): readonly StoredLifecycleRule[] {
  if (rules.length === 0) throw malformedXml('a lifecycle configuration has at least one rule');
  if (rules.length > rulesPerBucket) throw malformedXml(`there are at most ${rulesPerBucket} rules`);
  const seen = new Set<string>();
  return rules.map((rule) => {
    const { ID } = rule;
    if (ID !== undefined && ID.length > 255)
      throw invalidArgument('ID length should not exceed allowed limit of 255');
    if (rule.Status === undefined) throw malformedXml('a rule has a Status');
    checkFilter(rule.Filter, rule.Prefix);
    const scope = scopeOf(rule);
    checkScope(scope);
    checkActions(rule, scope);
    const stored = toStored(rule, random);
    if (seen.has(stored.ID))
      throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule');
    seen.add(stored.ID);
    return stored;
  });
}

/** The rules as they are shown, with their dates as dates. */
export function shownRules(rules: readonly StoredLifecycleRule[]): LifecycleRule[] {
  return rules.map(({ Expiration, ...rule }) => {
    const { Date: date, ...others } = Expiration ?? {};
    return {
      ...rule,
      ...(Expiration && { Expiration: { ...others, ...(date !== undefined && { Date: new Date(date) }) } }),
    };
  });
}
