import type * as S3 from '@aws-sdk/client-s3';
import type { BucketDocument } from './bucket-documents.ts';
import { encryptionOf } from './content/object-keys.ts';
import { invalidArgument, invalidRequest, invalidTag, notImplemented, s3Fault } from './faults.ts';
import {
  versionKey,
  type ChecksumAlgorithm,
  type ObjectHeaders,
  type ObjectTag,
  type Retention,
} from './object-documents.ts';
import type { EncryptionWish } from './object-store.ts';

/** What a request says of a new object, read from its headers and checked. Throws S3's faults. */

const keyBytes = 1024;
const documentKeyBytes = 2048;
const metadataBytes = 2048;
const tagsOfObject = 10;

/** "Creating object key names"; some control characters take two bytes where the key is kept. */
export function checkKey(bucket: string, key: string): void {
  const size = Buffer.byteLength(key);
  const kept = Buffer.byteLength(versionKey(bucket, key, 'f'.repeat(33)));
  if (size > keyBytes || kept > documentKeyBytes) {
    throw s3Fault('KeyTooLongError', 400, 'Your key is too long', { Size: size, MaxSizeAllowed: keyBytes });
  }
  if (!key.isWellFormed()) throw s3Fault('InvalidURI', 400, "Couldn't parse the specified URI.");
}

type HeaderInput = Pick<
  S3.PutObjectRequest,
  | 'ContentType'
  | 'CacheControl'
  | 'ContentDisposition'
  | 'ContentEncoding'
  | 'ContentLanguage'
  | 'Expires'
  | 'WebsiteRedirectLocation'
>;

export function headersOf(input: HeaderInput): ObjectHeaders {
  return {
    ...(input.ContentType !== undefined && { contentType: input.ContentType }),
    ...(input.CacheControl !== undefined && { cacheControl: input.CacheControl }),
    ...(input.ContentDisposition !== undefined && { contentDisposition: input.ContentDisposition }),
    ...(input.ContentEncoding !== undefined && { contentEncoding: input.ContentEncoding }),
    ...(input.ContentLanguage !== undefined && { contentLanguage: input.ContentLanguage }),
    ...(input.Expires !== undefined && { expires: input.Expires.toUTCString() }),
    ...(input.WebsiteRedirectLocation !== undefined && {
      websiteRedirectLocation: input.WebsiteRedirectLocation,
    }),
  };
}

export function metadataOf(metadata: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const size = entries.reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
    0,
  );
  if (size > metadataBytes) {
    throw s3Fault('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size', {
      Size: size,
      MaxSizeAllowed: metadataBytes,
    });
  }
  return Object.fromEntries(entries);
}

const storageClasses = new Set([
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
]);

/** The classes from which an object is read at once; those that need RestoreObject are not offered. */
export function storageClassOf(given: string | undefined): string {
  if (given === undefined) return 'STANDARD';
  if (!storageClasses.has(given)) {
    throw s3Fault('InvalidStorageClass', 400, 'The storage class you specified is not valid', {
      StorageClassRequested: given,
    });
  }
  return given;
}

/** Tags of an object ("Categorizing your objects using tags"); undefined for none. */
export function checkObjectTags(tags: readonly S3.Tag[]): readonly ObjectTag[] | undefined {
  if (tags.length > tagsOfObject) {
    throw s3Fault('BadRequest', 400, `Object tags cannot be greater than ${tagsOfObject}`);
  }
  const seen = new Set<string>();
  const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
  const checked = tags.map(({ Key = '', Value = '' }) => {
    if (Key.startsWith('aws:')) throw invalidTag('Your TagKey cannot be prefixed with aws:', Key);
    if (Key === '' || Key.length > 128 || !allowed.test(Key)) {
      throw invalidTag('The TagKey you have provided is invalid', Key);
    }
    if (Value.length > 256 || !allowed.test(Value)) {
      throw invalidTag('The TagValue you have provided is invalid', Key, Value);
    }
    if (seen.has(Key)) throw invalidTag('Cannot provide multiple Tags with the same key', Key);
    seen.add(Key);
    return { Key, Value };
  });
  return checked.length === 0 ? undefined : checked;
}

/** Tags as `x-amz-tagging` has them, encoded as a query string: `=` stands once in each, and no key twice. */
export function tagsOfHeader(header: string | undefined): readonly ObjectTag[] | undefined {
  if (header === undefined) return undefined;
  const tags = [...new URLSearchParams(header)].map(([Key, Value]) => ({ Key, Value }));
  const twice = new Set(tags.map(({ Key }) => Key)).size < tags.length;
  if (twice || header.split('&').some((pair) => pair.split('=').length > 2)) {
    throw invalidArgument(
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      'x-amz-tagging',
      header,
    );
  }
  return checkObjectTags(tags);
}

interface LockInput {
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockRetainUntilDate?: Date | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
}

export const missingLock = () => invalidRequest('Bucket is missing Object Lock Configuration');

/** Checks a retention that a request gives. */
export function retentionOf(mode: string | undefined, until: Date | undefined, nowMs: number): Retention {
  if (mode === undefined || until === undefined) {
    throw invalidArgument(
      'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied',
      'x-amz-object-lock-mode',
    );
  }
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') {
    throw invalidArgument('Unknown wormMode directive.', 'x-amz-object-lock-mode', mode);
  }
  if (until.getTime() <= nowMs) throw invalidArgument('The retain until date must be in the future!');
  return { mode, until: until.getTime() };
}

/** Protection that the request of a new object asks for. */
export function lockOf(
  input: LockInput,
  bucket: BucketDocument,
  nowMs: number,
): { readonly retention?: Retention; readonly legalHold?: boolean } {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold } = input;
  if (mode === undefined && until === undefined && hold === undefined) return {};
  if (!bucket.objectLock) throw missingLock();
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF')
    throw invalidArgument("Legal Hold must be either of 'ON' or 'OFF'", 'x-amz-object-lock-legal-hold', hold);
  return {
    ...((mode !== undefined || until !== undefined) && { retention: retentionOf(mode, until, nowMs) }),
    ...(hold !== undefined && { legalHold: hold === 'ON' }),
  };
}

interface EncryptionInput {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly SSEKMSEncryptionContext?: string | undefined;
  readonly BucketKeyEnabled?: boolean | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
  readonly SSECustomerKey?: string | undefined;
}

/** Keys that the caller keeps are refused by name, for every operation that takes them. */
export function refuseCustomerKeys(
  input: EncryptionInput & { readonly CopySourceSSECustomerKey?: string | undefined },
): void {
  const { SSECustomerAlgorithm, SSECustomerKey, CopySourceSSECustomerKey } = input;
  if (SSECustomerAlgorithm ?? SSECustomerKey ?? CopySourceSSECustomerKey) {
    throw notImplemented(
      'Encryption with customer-provided keys (SSE-C) is not offered; use SSE-S3 or SSE-KMS.',
    );
  }
}

/** How a new object is to be encrypted: as the request says, else as the bucket says. */
export function wishOf(input: EncryptionInput, bucket: BucketDocument): EncryptionWish {
  refuseCustomerKeys(input);
  const usual = encryptionOf(bucket);
  const { ServerSideEncryption: algorithm, SSEKMSKeyId: keyId, BucketKeyEnabled: bucketKey } = input;
  if (input.SSEKMSEncryptionContext !== undefined) {
    throw notImplemented(
      'x-amz-server-side-encryption-context is not offered; the context is the ARN of the object.',
    );
  }
  if (keyId !== undefined && algorithm !== 'aws:kms') {
    throw invalidArgument(
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
      'x-amz-server-side-encryption',
    );
  }
  if (algorithm === undefined) return usual;
  if (algorithm === 'AES256') return { algorithm };
  if (algorithm !== 'aws:kms') {
    throw algorithm === 'aws:kms:dsse'
      ? notImplemented('Dual-layer encryption (aws:kms:dsse) is not offered; use aws:kms.')
      : invalidArgument(
          'The encryption method specified is not supported',
          'x-amz-server-side-encryption',
          algorithm,
        );
  }
  const kmsKeyId = keyId ?? (usual.algorithm === 'aws:kms' ? usual.kmsKeyId : undefined);
  const bucketKeyEnabled = bucketKey ?? (usual.algorithm === 'aws:kms' && usual.bucketKeyEnabled);
  return { algorithm: 'aws:kms', bucketKeyEnabled, ...(kmsKeyId !== undefined && { kmsKeyId }) };
}

interface AclInput {
  readonly ACL?: string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
}

/**
 * Access control lists grant nothing here: of those that a request may carry only the ones are taken that say what holds
 * anyway ("Controlling ownership of objects and disabling ACLs").
 */
export function checkAcl(input: AclInput, bucket: BucketDocument): void {
  const { ACL: acl, GrantFullControl, GrantRead, GrantReadACP, GrantWriteACP } = input;
  const grants = GrantFullControl ?? GrantRead ?? GrantReadACP ?? GrantWriteACP;
  if (acl === undefined && grants === undefined) return;
  if (acl === 'bucket-owner-full-control' && grants === undefined) return;
  if (bucket.ownership === 'BucketOwnerEnforced') {
    throw s3Fault('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs');
  }
  if (acl === 'private' && grants === undefined) return;
  throw notImplemented('Access control lists that grant access are not offered; use the bucket policy.');
}

const algorithms: readonly ChecksumAlgorithm[] = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'];

export function checksumAlgorithm(name: string | undefined): ChecksumAlgorithm | undefined {
  if (name === undefined) return undefined;
  const known = algorithms.find((one) => one === name.toUpperCase());
  if (!known) {
    throw invalidRequest(
      `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${algorithms.join(', ')}]`,
    );
  }
  return known;
}

type ChecksumMembers = { readonly [Name in ChecksumAlgorithm as `Checksum${Name}`]?: string | undefined };

/** The checksum that a request gives in a member, whatever its algorithm. */
export function givenChecksum(
  input: ChecksumMembers,
): { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined {
  for (const algorithm of algorithms) {
    const value = input[`Checksum${algorithm}`];
    if (value !== undefined) return { algorithm, value };
  }
  return undefined;
}

/** The member of an answer that holds a checksum. */
export function checksumMember(algorithm: ChecksumAlgorithm, value: string): ChecksumMembers {
  return { [`Checksum${algorithm}`]: value };
}

/** Members that newer clients know and that would change what is stored; refused rather than passed over. */
export function refuseUnknown(input: {
  readonly WriteOffsetBytes?: number | undefined;
  readonly ObjectLockEventHold?: unknown;
}): void {
  if (input.WriteOffsetBytes !== undefined) throw notImplemented('Appending to objects is not offered.');
  if (input.ObjectLockEventHold !== undefined) throw notImplemented('Event holds are not offered.');
}
