import type { Tag } from '@aws-sdk/client-eventbridge';
import type { Need } from '../wire/index.ts';
import { busQuotas } from './bus-quotas.ts';
import { invalid, limitExceeded } from './faults.ts';

/** Tags by their keys, for condition keys. */
export const tagRecord = (tags: readonly Tag[] | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));

/** The tags that a request sets, for aws:RequestTag and aws:TagKeys. */
export const requestTags = (tags: readonly Tag[] | undefined): Pick<Need, 'requestTags'> =>
  tags && tags.length > 0 ? { requestTags: tagRecord(tags) } : {};

/** The tags with others added, or put in the place of those of the same key. Throws ValidationException, LimitExceededException. */
export function addTags(tags: readonly Tag[], given: readonly Tag[] | undefined = []): readonly Tag[] {
  const added = given.map(({ Key = '', Value = '' }) => ({ Key, Value }));
  const keys = new Set(added.map(({ Key }) => Key));
  if (keys.size < added.length) throw invalid('A tag key stands more than once in the request.');
  const reserved = added.find(({ Key }) => Key.toLowerCase().startsWith('aws:'));
  if (reserved) throw invalid(`Tag keys that begin with aws: are for AWS alone (${reserved.Key}).`);
  const all = [...tags.filter(({ Key = '' }) => !keys.has(Key)), ...added];
  if (all.length > busQuotas.tagsPerResource) {
    throw limitExceeded(`${busQuotas.tagsPerResource} tags of one resource`);
  }
  return all;
}
