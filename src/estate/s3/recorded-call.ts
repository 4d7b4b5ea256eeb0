import { s3RequestIds, type AuditResource, type Call, type RecordedPart } from '../../wire/index.ts';
import { bucketArn, objectArn, type BucketDocument } from './bucket-documents.ts';

/** What is known of a call's input beyond its members, for its record. */
interface CallNotes {
  bucket?: BucketDocument;
  bytesIn?: number;
  /** What became of each object of DeleteObjects. */
  deletions?: readonly Deletion[];
}

export interface Deletion {
  readonly key: string;
  readonly versionId?: string | undefined;
  /** As the answer of DeleteObject has them. */
  readonly output?: { readonly VersionId?: string; readonly DeleteMarker?: boolean };
  readonly error?: { readonly code: string; readonly message: string };
}

/** By input: the object is the same for the needs, the handler and the record of one call. */
const notes = new WeakMap<object, CallNotes>();

/** Remembers something about the call that has this input. */
export function note(input: object, more: CallNotes): void {
  notes.set(input, { ...notes.get(input), ...more });
}

/**
 * Names in requestParameters, as records of real accounts show them: what is a header or a query parameter on the wire
 * stands under its name there ("Amazon S3 CloudTrail events"). Members that are not here keep their own name.
 */
const wireNames: Readonly<Record<string, string>> = {
  Bucket: 'bucketName',
  Key: 'key',
  VersionId: 'versionId',
  UploadId: 'uploadId',
  PartNumber: 'partNumber',
  Prefix: 'prefix',
  Delimiter: 'delimiter',
  Marker: 'marker',
  KeyMarker: 'key-marker',
  VersionIdMarker: 'version-id-marker',
  UploadIdMarker: 'upload-id-marker',
  PartNumberMarker: 'part-number-marker',
  MaxKeys: 'max-keys',
  MaxParts: 'max-parts',
  MaxUploads: 'max-uploads',
  EncodingType: 'encoding-type',
  ContinuationToken: 'continuation-token',
  StartAfter: 'start-after',
  FetchOwner: 'fetch-owner',
  ACL: 'x-amz-acl',
  Range: 'Range',
  IfMatch: 'If-Match',
  IfNoneMatch: 'If-None-Match',
  IfModifiedSince: 'If-Modified-Since',
  IfUnmodifiedSince: 'If-Unmodified-Since',
  CopySource: 'x-amz-copy-source',
  CopySourceRange: 'x-amz-copy-source-range',
  MetadataDirective: 'x-amz-metadata-directive',
  TaggingDirective: 'x-amz-tagging-directive',
  ServerSideEncryption: 'x-amz-server-side-encryption',
  SSEKMSKeyId: 'x-amz-server-side-encryption-aws-kms-key-id',
  BucketKeyEnabled: 'x-amz-server-side-encryption-bucket-key-enabled',
  StorageClass: 'x-amz-storage-class',
  ChecksumAlgorithm: 'x-amz-sdk-checksum-algorithm',
  ChecksumMode: 'x-amz-checksum-mode',
  ChecksumType: 'x-amz-checksum-type',
  BypassGovernanceRetention: 'x-amz-bypass-governance-retention',
  ObjectLockMode: 'x-amz-object-lock-mode',
  ObjectLockRetainUntilDate: 'x-amz-object-lock-retain-until-date',
  ObjectLockLegalHoldStatus: 'x-amz-object-lock-legal-hold',
  ObjectLockEnabledForBucket: 'x-amz-bucket-object-lock-enabled',
  ObjectOwnership: 'x-amz-object-ownership',
  ExpectedBucketOwner: 'x-amz-expected-bucket-owner',
  Tagging: 'x-amz-tagging',
  ContentLength: 'Content-Length',
  ContentType: 'Content-Type',
  ContentMD5: 'Content-MD5',
  ContentEncoding: 'Content-Encoding',
  ContentDisposition: 'Content-Disposition',
  ContentLanguage: 'Content-Language',
  CacheControl: 'Cache-Control',
  ChecksumCRC32: 'x-amz-checksum-crc32',
  ChecksumCRC32C: 'x-amz-checksum-crc32c',
  ChecksumCRC64NVME: 'x-amz-checksum-crc64nvme',
  ChecksumSHA1: 'x-amz-checksum-sha1',
  ChecksumSHA256: 'x-amz-checksum-sha256',
  ObjectAttributes: 'x-amz-object-attributes',
  WebsiteRedirectLocation: 'x-amz-website-redirect-location',
  ConfirmRemoveSelfBucketAccess: 'x-amz-confirm-remove-self-bucket-access',
};

/** Bodies, and keys and their names that only clients need. */
const leftOut = /^(?:Body|Metadata|SSECustomer|CopySourceSSECustomer)/;

/** What a write answers in headers; CloudTrail shows no more of it. */
const answered: Readonly<Record<string, string>> = {
  ServerSideEncryption: 'x-amz-server-side-encryption',
  SSEKMSKeyId: 'x-amz-server-side-encryption-aws-kms-key-id',
  VersionId: 'x-amz-version-id',
  DeleteMarker: 'x-amz-delete-marker',
};

function shown(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((one) => shown(one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) => (one === undefined ? [] : [[name, shown(one)]])),
  );
}

function renamed(
  members: Readonly<Record<string, unknown>>,
  names: Readonly<Record<string, string>>,
  keepOthers: boolean,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name in members) {
    const value = members[name];
    if (value === undefined || value === null || leftOut.test(name)) continue;
    // A header's name is no name for what stood in the body, as the tags of PutBucketTagging do.
    const isHeader = typeof value !== 'object' || value instanceof Date;
    const known = isHeader && Object.hasOwn(names, name) ? names[name] : undefined;
    if (known === undefined && !keepOthers) continue;
    result[known ?? name] =
      typeof value === 'number' || typeof value === 'boolean' ? String(value) : shown(value);
  }
  return result;
}

/** A bucket policy stands in the record as the object that it is, under the name that CloudTrail gives it. */
function withPolicy({ Policy, ...others }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (typeof Policy !== 'string') return others;
  try {
    return { ...others, bucketPolicy: JSON.parse(Policy) as unknown };
  } catch {
    return { ...others, bucketPolicy: Policy };
  }
}

function additionalData(
  name: string,
  input: object,
  output: Readonly<Record<string, unknown>> | undefined,
  call: Call,
) {
  const sent = typeof output?.['ContentLength'] === 'number' && output['Body'] !== undefined;
  return {
    SignatureVersion: call.signature?.version ?? 'SigV4',
    ...(call.tls && call.tls.cipher !== '-' && { CipherSuite: call.tls.cipher }),
    bytesTransferredIn: notes.get(input)?.bytesIn ?? 0,
    ...encryptionApplied(name, input as Readonly<Record<string, unknown>>, output),
    AuthenticationMethod: call.authenticationMethod ?? 'AuthHeader',
    'x-amz-id-2': s3RequestIds(call.requestId)['x-amz-id-2'],
    bytesTransferredOut: sent ? output['ContentLength'] : 0,
  };
}

interface NamingInput {
  readonly Bucket?: string;
  /** Of S3 Control, which names buckets so. */
  readonly ResourceArn?: string;
  readonly Key?: string;
  readonly Prefix?: string;
}

/**
 * The object and the bucket. A data event that names no object is about all those of the bucket, or of the prefix that is
 * listed: without that, no selector of objects would choose it.
 */
function namedResources(input: NamingInput, isDataEvent: boolean): readonly AuditResource[] {
  const { ResourceArn, Key, Prefix = '' } = input;
  if (ResourceArn !== undefined) return [{ type: 'AWS::S3::Bucket', ARN: ResourceArn }];
  const { Bucket } = input;
  if (Bucket === undefined) return [];
  const type = 'AWS::S3::Object';
  const objects =
    Key === undefined
      ? { type, ARNPrefix: objectArn(Bucket, Prefix) }
      : { type, ARN: objectArn(Bucket, Key) };
  const owner = notes.get(input)?.bucket?.accountId;
  return [
    ...(Key !== undefined || isDataEvent ? [objects] : []),
    {
      ...(owner !== undefined && { accountId: owner }),
      type: 'AWS::S3::Bucket',
      ARN: bucketArn(Bucket),
    },
  ];
}

/** The encryption that was applied to what the call made, and whether by the bucket's default ("Default encryption FAQ"). */
function encryptionApplied(
  name: string,
  { ServerSideEncryption: asked }: Readonly<Record<string, unknown>>,
  output: Readonly<Record<string, unknown>> | undefined,
): { readonly SSEApplied?: string } {
  const applied = output?.['ServerSideEncryption'];
  if (typeof applied !== 'string' || !makesObjects.has(name)) return {};
  const kind = applied === 'AES256' ? 'SSE_S3' : 'SSE_KMS';
  return { SSEApplied: asked === undefined ? `Default_${kind}` : kind };
}

/** Of a multipart upload the encryption stands in the record of its beginning. */
const makesObjects: ReadonlySet<string> = new Set(['PutObject', 'CopyObject', 'CreateMultipartUpload']);

/** What the wire has beside the members: ListObjectsV2 is recorded as the ListObjects that it is there. */
const onTheWire: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ListObjectsV2: { 'list-type': '2' },
  DeleteObjects: { delete: '' },
};

function requestParametersOf(name: string, input: Readonly<Record<string, unknown>>, call: Call) {
  // Each object of a batch has its own record.
  const { Delete: _, ...members } = input;
  return {
    ...onTheWire[name],
    ...renamed(withPolicy(members), wireNames, true),
    Host: call.host,
  };
}

/**
 * The record of each object of a batch: "CloudTrail enhances logging for Amazon S3 DeleteObjects API" has a DeleteObject
 * for each beside the DeleteObjects of the call.
 */
export function recordedDeletions(input: { readonly Bucket: string }, call: Call): readonly RecordedPart[] {
  return (notes.get(input)?.deletions ?? []).map(({ key, versionId, output, error }) => {
    const one = { Bucket: input.Bucket, Key: key, VersionId: versionId };
    note(one, { ...notes.get(input) });
    const response = output && renamed(output, answered, false);
    return {
      eventName: 'DeleteObject',
      ...(error && { error }),
      requestParameters: requestParametersOf('DeleteObject', one, call),
      responseElements: response && Object.keys(response).length > 0 ? response : null,
      additionalEventData: additionalData('DeleteObject', one, undefined, call),
      resources: namedResources(one, true),
    };
  });
}

/**
 * What the record of a call to S3 shows, as CloudTrail writes it ("CloudTrail log file entries for Amazon S3"): names of
 * the wire, the host, no bodies; and resources and additionalEventData.
 */
export function recordedCall(name: string, category: 'data' | undefined) {
  return {
    shownWhenDenied: true as const,
    resources: (input: object): readonly AuditResource[] => namedResources(input, category === 'data'),
    recorded(input: object, output: Readonly<Record<string, unknown>> | undefined, call: Call) {
      const response = output && renamed(output, answered, false);
      return {
        requestParameters: requestParametersOf(name, input as Record<string, unknown>, call),
        responseElements: response && Object.keys(response).length > 0 ? response : null,
        additionalEventData: additionalData(name, input, output, call),
      };
    },
  };
}
