import { checksumOfBody } from '../../wire/index.ts';
import type { BucketDocument } from './bucket-documents.ts';
import { invalidRequest } from './faults.ts';
import type { ChecksumAlgorithm } from './object-documents.ts';
import { checksumAlgorithm, givenChecksum } from './object-facts.ts';
import type { S3Parts } from './operation.ts';

/** "Uploading objects": one PUT takes at most 5 GB. */
export const singlePutBytes = 5 * 1024 ** 3;

type Body = AsyncIterable<Uint8Array>;

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** The body as the wire hands it over; an absent one is empty. */
export const bodyOf = (input: { readonly Body?: unknown }): Body =>
  (input.Body as Body | undefined) ?? nothing();

/** The algorithm of the checksum that S3 keeps: the one that came with the body, else its own. */
export function algorithmFor(
  input: Parameters<typeof givenChecksum>[0] & { readonly ChecksumAlgorithm?: string | undefined },
  body: Body,
): ChecksumAlgorithm {
  return (
    givenChecksum(input)?.algorithm ??
    checksumAlgorithm(checksumOfBody(body)?.algorithm) ??
    checksumAlgorithm(input.ChecksumAlgorithm) ??
    'CRC64NVME'
  );
}

/**
 * A body that will be locked must come with a checksum, for a mistake on the way would stay as long ("PutObject": "required
 * for any request to upload an object with a retention period configured using Amazon S3 Object Lock"). Throws InvalidRequest.
 */
export function checkLockedBody(
  input: Parameters<typeof givenChecksum>[0] & { readonly ContentMD5?: string | undefined },
  body: Body,
  bucket: BucketDocument,
  lock: { readonly retention?: unknown; readonly legalHold?: boolean },
): void {
  const isLocked = lock.retention !== undefined || lock.legalHold !== undefined;
  if (!isLocked && !bucket.objectLock?.defaultRetention) return;
  if (input.ContentMD5 ?? givenChecksum(input) ?? checksumOfBody(body)) return;
  throw invalidRequest(
    'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
  );
}

/** Runs what follows the staging of a body; when it fails, the bytes are let go of at once. */
export async function orUnstage<T>(parts: S3Parts, input: object, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await parts.objects.unstage(input);
    throw error;
  }
}
