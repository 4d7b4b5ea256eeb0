import type { Tag } from '@aws-sdk/client-cloudtrail';
import { AwsFault } from '../../kernel/index.ts';
import type { Need } from '../../wire/index.ts';

const mostTags = 50;

export interface TagDocument {
  readonly Key: string;
  readonly Value: string;
}

function invalidTag(message: string): AwsFault {
  return new AwsFault('InvalidTagParameterException', message);
}

/** Checks tags that are given with a request. Throws InvalidTagParameterException. */
function checkTags(tags: readonly Tag[]): readonly TagDocument[] {
  const keys = tags.map(({ Key }) => Key ?? '');
  const twice = keys.find((key, place) => keys.indexOf(key) !== place);
  if (twice !== undefined) throw invalidTag(`The tag key ${twice} stands more than once.`);
  const reserved = keys.find((key) => key.toLowerCase().startsWith('aws:'));
  if (reserved !== undefined) throw invalidTag(`Tag keys cannot begin with aws: (${reserved}).`);
  return tags.map(({ Key = '', Value = '' }) => ({ Key, Value }));
}

/** The tags with others added or replaced. Throws InvalidTagParameterException and, above 50, TagsLimitExceededException. */
export function addTags(
  tags: readonly Tag[],
  added: readonly Tag[] | undefined,
  arn: string,
): readonly TagDocument[] {
  const merged = new Map(tags.map(({ Key = '', Value = '' }) => [Key, { Key, Value }]));
  for (const tag of checkTags(added ?? [])) merged.set(tag.Key, tag);
  if (merged.size > mostTags) {
    const message = `${arn} would have ${merged.size} tags; it can have ${mostTags}.`;
    throw new AwsFault('TagsLimitExceededException', message);
  }
  return [...merged.values()];
}

/** The tags without some of them, by key; where a value is given, it has to be the tag's. */
export function removeTags(tags: readonly Tag[], removed: readonly Tag[]): readonly TagDocument[] {
  const goes = ({ Key, Value }: Tag) =>
    removed.some((one) => one.Key === Key && (one.Value === undefined || one.Value === Value));
  return tags.filter((tag) => !goes(tag)).map(({ Key = '', Value = '' }) => ({ Key, Value }));
}

/** The tags of a request, for aws:RequestTag and aws:TagKeys. */
export function requestTags(tags: readonly Tag[] | undefined): Pick<Need, 'requestTags'> {
  if (!tags || tags.length === 0) return {};
  return { requestTags: Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value])) };
}
