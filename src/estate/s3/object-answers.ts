import { AwsFault } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import type { KeyCaller } from '../kms/data-keys.ts';
import type { BucketDocument } from './bucket-documents.ts';
import { invalidVersionId, noSuchKey, noSuchVersion } from './faults.ts';
import { abortOf, expirationOf } from './lifecycle-plan.ts';
import { checksumMember } from './object-facts.ts';
import type { ObjectEncryption, ObjectVersion, StoredVersion, UploadDocument } from './object-documents.ts';
import { findVersion, isVersionId } from './version-chain.ts';

/** The caller of S3, as KMS sees it. */
export const keyCaller = (call: Call, bucket: BucketDocument): KeyCaller => ({
  kind: 'call',
  call,
  via: `s3.${bucket.region}.amazonaws.com`,
});

/** Version ids are shown once a bucket has versions. */
export const shownVersion = (bucket: BucketDocument, { versionId }: { readonly versionId: string }) =>
  bucket.versioning === undefined ? {} : { VersionId: versionId };

export function shownEncryption(encryption: ObjectEncryption) {
  if (encryption.algorithm === 'AES256') return { ServerSideEncryption: 'AES256' as const };
  return {
    ServerSideEncryption: 'aws:kms' as const,
    SSEKMSKeyId: encryption.keyArn,
    ...(encryption.bucketKeyEnabled && { BucketKeyEnabled: true }),
  };
}

export function shownChecksum({ checksum }: Pick<ObjectVersion, 'checksum'>) {
  if (!checksum) return {};
  return { ...checksumMember(checksum.algorithm, checksum.value), ChecksumType: checksum.type };
}

/** "x-amz-expiration … includes the expiry-date and rule-id …. The value of the rule-id is URL-encoded." */
export function shownExpiration(bucket: BucketDocument, version: ObjectVersion) {
  const found = expirationOf(bucket, version);
  if (!found) return {};
  const date = new Date(found.at).toUTCString();
  return { Expiration: `expiry-date="${date}", rule-id="${encodeURIComponent(found.ruleId)}"` };
}

/** `x-amz-abort-date` and `x-amz-abort-rule-id`. */
export function shownAbort(bucket: BucketDocument, upload: UploadDocument) {
  const found = abortOf(bucket, upload);
  return found ? { AbortDate: new Date(found.at), AbortRuleId: found.ruleId } : {};
}

export const quoted = (etag: string): string => `"${etag}"`;

/**
 * A delete marker is told apart in headers ("Working with delete markers"). `method` is set for the operations on tags and
 * for PutObjectAcl, which refuse a marker alike whether the request names it or not.
 */
function markerFault(marker: StoredVersion, asked: string | undefined, method: string | undefined): AwsFault {
  const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.versionId };
  if (asked === undefined && method === undefined) {
    const { message, members } = noSuchKey(marker.key);
    return new AwsFault('NoSuchKey', message, { status: 404, members, headers });
  }
  return new AwsFault('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    status: 405,
    members: { Method: method ?? 'GET', ResourceType: 'DeleteMarker' },
    headers: { ...headers, allow: 'DELETE', 'last-modified': new Date(marker.lastModified).toUTCString() },
  });
}

/** The object that a request is about. Throws NoSuchKey, NoSuchVersion, InvalidArgument for what is no version's id, and MethodNotAllowed for a delete marker. */
export async function requireObject(
  view: Pick<StateView, 'get' | 'list'>,
  bucket: BucketDocument,
  { Key, VersionId }: { readonly Key: string; readonly VersionId?: string | undefined },
  method?: 'GET' | 'PUT' | 'DELETE',
): Promise<ObjectVersion> {
  if (VersionId !== undefined && !isVersionId(VersionId)) throw invalidVersionId(VersionId);
  const version = await findVersion(view, bucket.name, Key, VersionId);
  if (version?.kind === 'object') return version;
  if (version) throw markerFault(version, VersionId, method);
  throw VersionId === undefined ? noSuchKey(Key) : noSuchVersion(Key, VersionId);
}
