import { AwsFault } from '../../kernel/index.ts';
import type { WireRequest } from '../protocol/index.ts';

/**
 * Operations of S3 whose body must come with a checksum beside the signature's hash, because a body that was changed by
 * mistake would delete or lock what nobody meant ("DeleteObjects" and "PutObjectRetention" in the S3 API reference).
 */
const operations: ReadonlySet<string> = new Set([
  'DeleteObjects',
  'PutObjectLegalHold',
  'PutObjectLockConfiguration',
  'PutObjectRetention',
]);

/** Throws InvalidRequest when such a body comes without one. */
export function requireChecksum(operationName: string, { headers }: WireRequest): void {
  if (!operations.has(operationName)) return;
  const given = Object.keys(headers).some(
    (name) =>
      name === 'content-md5' ||
      name === 'x-amz-trailer' ||
      /^x-amz-checksum-(?:crc32|crc32c|crc64nvme|sha1|sha256)$/.test(name),
  );
  if (given) return;
  throw new AwsFault(
    'InvalidRequest',
    'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    { status: 400 },
  );
}
