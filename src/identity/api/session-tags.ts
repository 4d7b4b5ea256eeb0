import type { Tag } from '@aws-sdk/client-sts';
import { AwsFault } from '../../kernel/index.ts';
import type { Principal } from '../../wire/index.ts';
import { validationError } from '../faults.ts';
import { quotas } from '../quotas.ts';

/** The tags of a role session, those handed on from the session that assumes it included. */
export interface SessionTags {
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly transitiveTagKeys: readonly string[];
}

const badTags = (message: string): AwsFault => new AwsFault('InvalidParameterValue', message);

function checkDuplicates(keys: readonly string[]): void {
  if (new Set(keys.map((key) => key.toLowerCase())).size < keys.length) {
    throw badTags('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
  }
}

/** What the calling session hands on. */
export function inheritedTags(principal: Principal): SessionTags {
  const { session } = principal;
  const keys = session?.transitiveTagKeys ?? [];
  const values = session?.tags ?? {};
  return {
    tags: Object.entries(values).filter(([key]) => keys.includes(key)),
    transitiveTagKeys: keys,
  };
}

/**
 * The tags that a role session gets ("Passing session tags in AWS STS" in the IAM user guide): those passed, and the
 * transitive ones of the calling session, which cannot be replaced. Throws InvalidParameterValue, and ValidationError past 50.
 */
export function sessionTags(
  principal: Principal,
  passed: readonly Tag[] = [],
  transitive: readonly string[] = [],
): SessionTags {
  const handedOn = inheritedTags(principal);
  const fixed = new Set(handedOn.tags.map(([key]) => key.toLowerCase()));
  const own = passed.map(({ Key = '', Value = '' }) => [Key, Value] as const);
  const ownKeys = own.map(([key]) => key);
  checkDuplicates(ownKeys);
  checkDuplicates(transitive);
  for (const key of ownKeys) {
    if (key.toLowerCase().startsWith('aws:')) throw badTags(`Tag keys cannot begin with aws: ${key}`);
    if (fixed.has(key.toLowerCase())) {
      throw badTags(
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
      );
    }
  }
  for (const key of transitive) {
    const isPassed = ownKeys.some((other) => other.toLowerCase() === key.toLowerCase());
    if (!isPassed && !fixed.has(key.toLowerCase())) {
      throw badTags('The specified transitive tag key must be included in the requested tags.');
    }
  }
  const tags = [...handedOn.tags, ...own];
  if (tags.length > quotas.TagsPerResource) {
    throw validationError(`A session can have up to ${quotas.TagsPerResource} tags.`);
  }
  const spelling = new Map(tags.map(([key]) => [key.toLowerCase(), key]));
  const keys = [...handedOn.transitiveTagKeys, ...transitive].map(
    (key) => spelling.get(key.toLowerCase()) ?? key,
  );
  return { tags, transitiveTagKeys: [...new Set(keys)] };
}
