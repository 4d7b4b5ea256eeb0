import type { Tag } from '@aws-sdk/client-s3';
import { AwsFault } from '../../kernel/index.ts';
import { invalidTag } from './faults.ts';

/** "User-defined tag restrictions": what a bucket takes; objects take 10. */
const tagsPerBucket = 50;

/** The tags of a request, checked: at most `most`, each key once. Throws InvalidTag, or BadRequest where they are too many. */
export function checkTags(
  tags: readonly Tag[],
  most: number = tagsPerBucket,
): readonly { readonly Key: string; readonly Value: string }[] {
  if (tags.length > most) {
    throw new AwsFault('BadRequest', `Tags cannot be more than ${most}`, { status: 400 });
  }
  const seen = new Set<string>();
  return tags.map(({ Key = '', Value = '' }) => {
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(Key)) {
      throw invalidTag('The TagKey you have provided is invalid', Key);
    }
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u.test(Value)) {
      throw invalidTag('The TagValue you have provided is invalid', Key, Value);
    }
    if (/^aws:/i.test(Key)) throw invalidTag('System tags cannot be added/updated by requester', Key);
    if (seen.has(Key)) throw invalidTag('Cannot provide multiple Tags with the same key', Key);
    seen.add(Key);
    return { Key, Value };
  });
}
