import { AwsFault } from '../../kernel/index.ts';
import type { Tag } from './key-documents.ts';

interface GivenTag {
  readonly TagKey: string | undefined;
  readonly TagValue: string | undefined;
}

/** "Resource quotas": tags of one key. */
const tagsPerKey = 50;

/** Tags by their keys, for condition keys. */
export function tagRecord(tags: readonly GivenTag[] | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((tags ?? []).map(({ TagKey = '', TagValue = '' }) => [TagKey, TagValue]));
}

/** The tags with others added, or put in the place of those of the same key. Throws TagException. */
export function addTags(tags: readonly Tag[], given: readonly GivenTag[] | undefined): readonly Tag[] {
  const added = (given ?? []).map(({ TagKey: key = '', TagValue: value = '' }) => ({ key, value }));
  const keys = new Set(added.map(({ key }) => key));
  if (keys.size < added.length) throw new AwsFault('TagException', 'Duplicate tag keys');
  if (added.some(({ key }) => key.toLowerCase().startsWith('aws:'))) {
    throw new AwsFault('TagException', 'Tags beginning with aws: are reserved');
  }
  const all = [...tags.filter(({ key }) => !keys.has(key)), ...added];
  if (all.length > tagsPerKey) throw new AwsFault('TagException', 'Too many tags');
  return all;
}
