import type { BucketDocument, StoredLifecycleRule } from './bucket-documents.ts';
import { scopeOf, type RuleScope } from './lifecycle-rules.ts';
import type { DeleteMarker, ObjectVersion, StoredVersion, UploadDocument } from './object-documents.ts';

const dayMs = 86_400_000;

/** A rule that is enabled, made ready for comparing. */
interface PlannedRule {
  readonly scope: RuleScope;
  readonly rule: StoredLifecycleRule;
  /** Epoch milliseconds. */
  readonly date: number | undefined;
}

/** What a bucket's lifecycle wants. */
export interface LifecyclePlan {
  readonly rules: readonly PlannedRule[];
  /** What the keys of everything that any rule may concern begin with. */
  readonly prefix: string;
  readonly wantsUploads: boolean;
}

function commonPrefix(texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  let length = first.length;
  for (const text of others) {
    while (length > 0 && !text.startsWith(first.slice(0, length))) length -= 1;
  }
  // Half of a character that takes two code units begins nothing.
  return first.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}

/** The plan of a bucket; undefined where no rule is enabled. */
export function planOf({ lifecycle = [] }: BucketDocument): LifecyclePlan | undefined {
  const rules = lifecycle
    .filter(({ Status }) => Status === 'Enabled')
    .map((rule) => ({
      rule,
      scope: scopeOf(rule),
      date: rule.Expiration?.Date === undefined ? undefined : Date.parse(rule.Expiration.Date),
    }));
  if (rules.length === 0) return undefined;
  return {
    rules,
    prefix: commonPrefix(rules.map(({ scope }) => scope.prefix)),
    wantsUploads: rules.some(({ rule }) => rule.AbortIncompleteMultipartUpload !== undefined),
  };
}

/**
 * When an action falls due that is counted in days: "S3 calculates the time by adding the number of days specified in the
 * rule to the object creation time and rounding up the resulting time to the next day at midnight UTC".
 */
export function dueAt(sinceMs: number, days: number): number {
  return Math.ceil((sinceMs + days * dayMs) / dayMs) * dayMs;
}

const isDue = (sinceMs: number, days: number | undefined, nowMs: number): boolean =>
  days !== undefined && dueAt(sinceMs, days) <= nowMs;

function covers(scope: RuleScope, version: StoredVersion): boolean {
  if (!version.key.startsWith(scope.prefix)) return false;
  const { tags, largerThan, smallerThan } = scope;
  const isPlain = tags.length === 0 && largerThan === undefined && smallerThan === undefined;
  // A marker has neither tags nor a size.
  if (version.kind === 'marker') return isPlain;
  if (largerThan !== undefined && version.sizeBytes <= largerThan) return false;
  if (smallerThan !== undefined && version.sizeBytes >= smallerThan) return false;
  return tags.every(({ Key, Value }) =>
    version.tags?.some((tag) => tag.Key === Key && tag.Value === (Value ?? '')),
  );
}

/** Whether a current object is to expire now. */
export function expiresCurrent(plan: LifecyclePlan, object: ObjectVersion, nowMs: number): boolean {
  return plan.rules.some(
    ({ rule, scope, date }) =>
      (isDue(object.lastModified, rule.Expiration?.Days, nowMs) || (date !== undefined && date <= nowMs)) &&
      covers(scope, object),
  );
}

/** What is due first of those that rules want, and the rule that wants it. */
function firstOf(
  wishes: readonly { readonly at: number | undefined; readonly ruleId: string }[],
): { readonly at: number; readonly ruleId: string } | undefined {
  const due = wishes.flatMap(({ at, ruleId }) => (at === undefined ? [] : [{ at, ruleId }]));
  return due.toSorted((one, other) => one.at - other.at)[0];
}

/** When a current object expires, and by which rule; undefined where no rule is about it. */
export function expirationOf(
  bucket: BucketDocument,
  object: ObjectVersion,
): { readonly at: number; readonly ruleId: string } | undefined {
  const wishes = (planOf(bucket)?.rules ?? [])
    .filter(({ scope }) => covers(scope, object))
    .map(({ rule, date }) => {
      const days = rule.Expiration?.Days;
      return { at: days === undefined ? date : dueAt(object.lastModified, days), ruleId: rule.ID };
    });
  return firstOf(wishes);
}

/** When an upload under way is aborted, and by which rule. */
export function abortOf(
  bucket: BucketDocument,
  upload: UploadDocument,
): { readonly at: number; readonly ruleId: string } | undefined {
  const wishes = (planOf(bucket)?.rules ?? [])
    .filter(({ scope }) => upload.key.startsWith(scope.prefix))
    .map(({ rule }) => {
      const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
      return { at: days === undefined ? undefined : dueAt(upload.initiated, days), ruleId: rule.ID };
    });
  return firstOf(wishes);
}

/**
 * Whether a delete marker that is the only version of its key is to go: by ExpiredObjectDeleteMarker at once, by an
 * expiration in days or by date when it is as old as that asks.
 */
export function expiresMarker(plan: LifecyclePlan, marker: DeleteMarker, nowMs: number): boolean {
  return plan.rules.some(
    ({ rule, scope, date }) =>
      (rule.Expiration?.ExpiredObjectDeleteMarker === true ||
        isDue(marker.lastModified, rule.Expiration?.Days, nowMs) ||
        (date !== undefined && date <= nowMs)) &&
      covers(scope, marker),
  );
}

/** What a version has to do with its neighbours. */
export interface Noncurrent {
  /** When the next newer version took its place, epoch milliseconds. */
  readonly since: number;
  /** Noncurrent versions of the same key that are newer. */
  readonly newer: number;
}

/** Whether a version that is not current any more is to expire now. */
export function expiresNoncurrent(
  plan: LifecyclePlan,
  version: StoredVersion,
  { since, newer }: Noncurrent,
  nowMs: number,
): boolean {
  return plan.rules.some(({ rule, scope }) => {
    const { NoncurrentDays, NewerNoncurrentVersions = 0 } = rule.NoncurrentVersionExpiration ?? {};
    return isDue(since, NoncurrentDays, nowMs) && newer >= NewerNoncurrentVersions && covers(scope, version);
  });
}

/** Whether an upload under way is to be aborted now. */
export function abortsUpload(plan: LifecyclePlan, upload: UploadDocument, nowMs: number): boolean {
  return plan.rules.some(
    ({ rule, scope }) =>
      isDue(upload.initiated, rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation, nowMs) &&
      upload.key.startsWith(scope.prefix),
  );
}
