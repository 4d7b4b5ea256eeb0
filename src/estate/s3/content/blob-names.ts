import type { Random } from '../../../kernel/index.ts';

/**
 * How contents and their blobs are named. A content's id says what it is: `o` and 32 hexadecimal digits for one blob, `m`
 * and 32 for one that a multipart upload composes of many. The name of a blob begins with 64 bytes that are the same for a
 * 256th of all contents, because a directory store keeps what shares them in a directory of its own.
 */
const shardBytes = 64;

export function newContentId(random: Random): string {
  return `o${Buffer.from(random.bytes(16)).toString('hex')}`;
}

/** Ids of uploads come in the order in which the uploads were begun. */
export function newUploadId(random: Random, nowMs: number): string {
  const time = Math.max(0, nowMs).toString(16).padStart(12, '0');
  return `m${time}${Buffer.from(random.bytes(10)).toString('hex')}`;
}

export const isUploadId = (text: string): boolean => /^m[0-9a-f]{32}$/.test(text);

export const shards: readonly string[] = Array.from({ length: 256 }, (_, at) =>
  at.toString(16).padStart(2, '0'),
);

export const shardPrefix = (shard: string): string => shard.padEnd(shardBytes, '-');

/** What the names of all blobs of a content begin with; the whole name where there is one blob. */
export const blobPrefix = (content: string): string => shardPrefix(content.slice(-2)) + content;

/** Each upload of a part is a blob of its own, so that the one before stays whole until the new one is committed. */
export function newPartSuffix(partNumber: number, random: Random): string {
  return `.${String(partNumber).padStart(5, '0')}.${Buffer.from(random.bytes(6)).toString('hex')}`;
}

/** Takes a blob's name apart; undefined for one that is none of ours. */
export function parseBlobName(
  name: string,
): { readonly content: string; readonly suffix: string; readonly partNumber: number } | undefined {
  const match = /^([om][0-9a-f]{32})(\.(\d{5})\.[0-9a-f]{12})?$/.exec(name.slice(shardBytes));
  const [, content, suffix = '', part = '0'] = match ?? [];
  if (content === undefined || content.startsWith('m') !== (suffix !== '')) return undefined;
  return { content, suffix, partNumber: Number(part) };
}
