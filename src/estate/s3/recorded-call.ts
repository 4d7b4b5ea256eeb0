import { s3RequestIds, type AuditResource, type Call } from '../../wire/index.ts';
import { bucketArn, objectArn, type BucketDocument } from './bucket-documents.ts';

/** What is known of a call's input beyond its members, for its record. */
interface CallNotes {
  bucket?: BucketDocument;
  bytesIn?: number;
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
    const known = Object.hasOwn(names, name) ? names[name] : undefined;
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

function additionalData(input: object, output: Readonly<Record<string, unknown>> | undefined, call: Call) {
  const sent = typeof output?.['ContentLength'] === 'number' && output['Body'] !== undefined;
  return {
    SignatureVersion: call.signature?.version ?? 'SigV4',
    ...(call.tls && call.tls.cipher !== '-' && { CipherSuite: call.tls.cipher }),
    bytesTransferredIn: notes.get(input)?.bytesIn ?? 0,
    AuthenticationMethod: call.authenticationMethod ?? 'AuthHeader',
    'x-amz-id-2': s3RequestIds(call.requestId)['x-amz-id-2'],
    bytesTransferredOut: sent ? output['ContentLength'] : 0,
  };
}

function namedResources(input: {
  readonly Bucket?: string;
  readonly Key?: string;
}): readonly AuditResource[] {
  if (input.Bucket === undefined) return [];
  const owner = notes.get(input)?.bucket?.accountId;
  return [
    ...(input.Key === undefined
      ? []
      : [{ type: 'AWS::S3::Object', ARN: objectArn(input.Bucket, input.Key) }]),
    {
      ...(owner !== undefined && { accountId: owner }),
      type: 'AWS::S3::Bucket',
      ARN: bucketArn(input.Bucket),
    },
  ];
}

/**
 * What the record of a call to S3 shows, as CloudTrail writes it ("CloudTrail log file entries for Amazon S3"): names of
 * the wire, the host, no bodies; and resources and additionalEventData.
 */
export function recordedCall(operation: {
  readonly resources?: (input: never, call: Call) => readonly AuditResource[];
}) {
  return {
    shownWhenDenied: true as const,
    resources: (input: object, _output: unknown, call: Call): readonly AuditResource[] => [
      ...(operation.resources?.(input as never, call) ?? []),
      ...namedResources(input),
    ],
    recorded(input: object, output: Readonly<Record<string, unknown>> | undefined, call: Call) {
      const response = output && renamed(output, answered, false);
      return {
        requestParameters: {
          ...renamed(withPolicy(input as Record<string, unknown>), wireNames, true),
          Host: call.host,
        },
        responseElements: response && Object.keys(response).length > 0 ? response : null,
        additionalEventData: additionalData(input, output, call),
      };
    },
  };
}
