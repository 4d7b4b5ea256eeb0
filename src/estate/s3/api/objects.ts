import type {
  GetObjectOutput,
  GetObjectRequest,
  HeadObjectOutput,
  HeadObjectRequest,
  PutObjectOutput,
  PutObjectRequest,
} from '@aws-sdk/client-s3';
import { assert } from '../../../kernel/index.ts';
import type { Change } from '../../../state/index.ts';
import type { Call } from '../../../wire/index.ts';
import type { BucketDocument } from '../bucket-documents.ts';
import { checkReadConditions, checkWriteConditions } from '../conditions.ts';
import { invalidArgument, invalidRequest, s3Fault } from '../faults.ts';
import { algorithmFor, bodyOf, checkLockedBody, orUnstage, singlePutBytes } from '../incoming-body.ts';
import { calledBucket, stillBucket } from '../needs.ts';
import {
  keyCaller,
  quoted,
  requireObject,
  shownChecksum,
  shownEncryption,
  shownExpiration,
  shownVersion,
} from '../object-answers.ts';
import { readCurrent, type ChecksumAlgorithm, type ObjectVersion } from '../object-documents.ts';
import {
  checkAcl,
  checkKey,
  checksumMember,
  headersOf,
  lockOf,
  metadataOf,
  refuseCustomerKeys,
  refuseUnknown,
  storageClassOf,
  tagsOfHeader,
  wishOf,
} from '../object-facts.ts';
import { legalHoldStatus } from '../object-lock.ts';
import { onExistingObject, onNewObject } from '../object-needs.ts';
import type { StagedContent } from '../object-store.ts';
import type { Given, S3Operation, S3Parts } from '../operation.ts';
import { contentRange, readRange, type ContentRange } from '../ranges.ts';
import { note } from '../recorded-call.ts';

type PutInput = Given<PutObjectRequest>;

function putAnswer(bucket: BucketDocument, version: ObjectVersion): PutObjectOutput {
  return {
    ETag: quoted(version.etag),
    ...shownExpiration(bucket, version),
    ...shownChecksum(version),
    // The version `null` that a bucket with suspended versioning gets is not told of.
    ...(bucket.versioning === 'Enabled' && { VersionId: version.versionId }),
    ...shownEncryption(version.encryption),
  };
}

async function linkPut(
  input: PutInput,
  change: Change,
  parts: S3Parts,
  put: {
    readonly call: Call;
    readonly before: BucketDocument;
    readonly staged: StagedContent;
    readonly algorithm: ChecksumAlgorithm;
  },
): Promise<PutObjectOutput> {
  const { staged, algorithm } = put;
  const bucket = await stillBucket(input, change, put.before);
  checkWriteConditions(input, input.Key, await readCurrent(change, bucket.name, input.Key));
  const value = staged.checksums[algorithm];
  assert(value !== undefined, 'the checksum that was asked for is there');
  const tags = tagsOfHeader(input.Tagging);
  const version = await parts.objects.link(change, bucket, input.Key, staged, {
    createdBy: 'PutObject',
    cause: { kind: 'call', call: put.call },
    headers: headersOf(input),
    metadata: metadataOf(input.Metadata),
    storageClass: storageClassOf(input.StorageClass),
    checksum: { algorithm, value, type: 'FULL_OBJECT' },
    ...(tags && { tags }),
    ...lockOf(input, bucket, parts.clock.now()),
  });
  return putAnswer(bucket, version);
}

export const PutObject: S3Operation<PutObjectRequest, PutObjectOutput> = {
  access: 'write',
  category: 'data',
  async needs(input, call, parts) {
    const bucket = await calledBucket(input, parts.state);
    return onNewObject(input, bucket, input.Key, call, { creates: true });
  },
  async handle(input, call, change, parts) {
    // What can be refused is refused before the body flows.
    const bucket = await calledBucket(input, parts.state);
    checkKey(bucket.name, input.Key);
    checkAcl(input, bucket);
    refuseUnknown(input);
    metadataOf(input.Metadata);
    storageClassOf(input.StorageClass);
    const lock = lockOf(input, bucket, parts.clock.now());
    checkWriteConditions(input, input.Key, await readCurrent(parts.state, bucket.name, input.Key));
    const body = bodyOf(input);
    checkLockedBody(input, body, bucket, lock);
    const algorithm = algorithmFor(input, body);
    const staged = await parts.objects.stage({
      call: input,
      bucket,
      key: input.Key,
      body,
      checksums: [algorithm],
      encryption: wishOf(input, bucket),
      as: keyCaller(call, bucket),
      mostBytes: singlePutBytes,
    });
    note(input, { bytesIn: staged.sizeBytes });
    return orUnstage(parts, input, () =>
      linkPut(input, change, parts, { call, before: bucket, staged, algorithm }),
    );
  },
};

interface Selected {
  readonly range: ContentRange | undefined;
  /** What of the object the answer has, both ends inclusive; `last` is -1 for nothing. */
  readonly first: number;
  readonly last: number;
  readonly partCount?: number;
  /** The checksum of the part. */
  readonly checksum?: string;
}

/** "Range" and "partNumber" each ask for a piece of the object, and not both at once. */
async function select(
  input: { readonly Range?: string | undefined; readonly PartNumber?: number | undefined },
  version: ObjectVersion,
  parts: S3Parts,
): Promise<Selected> {
  const { sizeBytes } = version;
  const { PartNumber: number } = input;
  if (number === undefined) {
    const range = readRange(input.Range, sizeBytes);
    return { range, first: range?.first ?? 0, last: range?.last ?? sizeBytes - 1 };
  }
  if (input.Range !== undefined)
    throw invalidRequest('Cannot specify both Range header and partNumber query parameter');
  if (number < 1 || number > 10_000)
    throw invalidArgument('Part number must be an integer between 1 and 10000, inclusive');
  const all = (await parts.objects.partsOf(version)) ?? [{ n: 1, s: sizeBytes, b: '' }];
  const place = number - 1;
  const part = all[place];
  if (!part)
    throw s3Fault('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable', {
      PartNumberRequested: number,
      ActualPartCount: all.length,
    });
  const first = all.slice(0, place).reduce((sum, { s }) => sum + s, 0);
  const last = first + part.s - 1;
  return {
    range: part.s > 0 ? { first, last } : undefined,
    first,
    last,
    ...(version.partCount !== undefined && { partCount: all.length }),
    ...(part.c !== undefined && { checksum: part.c }),
  };
}

function lockMembers({ retention, legalHold }: ObjectVersion) {
  return {
    ...(retention && {
      ObjectLockMode: retention.mode,
      ObjectLockRetainUntilDate: new Date(retention.until),
    }),
    ...(legalHold !== undefined && { ObjectLockLegalHoldStatus: legalHoldStatus(legalHold) }),
  };
}

/** The checksum belongs to the whole object, or to the part that was asked for. */
function checksumOf(version: ObjectVersion, { range, checksum, partCount }: Selected) {
  if (partCount !== undefined && version.checksum) {
    return checksum === undefined
      ? {}
      : { ...checksumMember(version.checksum.algorithm, checksum), ChecksumType: version.checksum.type };
  }
  const whole = !range || (range.first === 0 && range.last === version.sizeBytes - 1);
  return whole ? shownChecksum(version) : {};
}

interface Overrides {
  readonly VersionId?: string | undefined;
  readonly ChecksumMode?: string | undefined;
  readonly ResponseCacheControl?: string | undefined;
  readonly ResponseContentDisposition?: string | undefined;
  readonly ResponseContentEncoding?: string | undefined;
  readonly ResponseContentLanguage?: string | undefined;
  readonly ResponseContentType?: string | undefined;
  readonly ResponseExpires?: Date | undefined;
}

function describe(
  input: Overrides,
  bucket: BucketDocument,
  version: ObjectVersion,
  selected: Selected,
): HeadObjectOutput {
  const { headers, metadata, storageClass, tags } = version;
  const expires =
    input.ResponseExpires ?? (headers.expires === undefined ? undefined : new Date(headers.expires));
  return {
    AcceptRanges: 'bytes',
    LastModified: new Date(version.lastModified),
    ContentLength: selected.last - selected.first + 1,
    ...(selected.range && { ContentRange: contentRange(selected.range, version.sizeBytes) }),
    ETag: quoted(version.etag),
    // Rules about expiration are about current objects.
    ...(input.VersionId === undefined && shownExpiration(bucket, version)),
    ...(input.ChecksumMode === 'ENABLED' && checksumOf(version, selected)),
    ...shownVersion(bucket, version),
    ...shownEncryption(version.encryption),
    Metadata: { ...metadata },
    ...(storageClass !== 'STANDARD' && { StorageClass: storageClass as 'STANDARD_IA' }),
    ...(selected.partCount !== undefined && { PartsCount: selected.partCount }),
    ...(tags && { TagCount: tags.length }),
    ...lockMembers(version),
    ContentType: input.ResponseContentType ?? headers.contentType ?? 'binary/octet-stream',
    CacheControl: input.ResponseCacheControl ?? headers.cacheControl,
    ContentDisposition: input.ResponseContentDisposition ?? headers.contentDisposition,
    ContentEncoding: input.ResponseContentEncoding ?? headers.contentEncoding,
    ContentLanguage: input.ResponseContentLanguage ?? headers.contentLanguage,
    ...(expires && !Number.isNaN(expires.getTime()) && { Expires: expires }),
    WebsiteRedirectLocation: headers.websiteRedirectLocation,
  };
}

async function find(input: Given<GetObjectRequest | HeadObjectRequest>, parts: S3Parts) {
  refuseCustomerKeys(input);
  if (input.ChecksumMode !== undefined && input.ChecksumMode !== 'ENABLED') {
    throw invalidRequest('Value for x-amz-checksum-mode header is invalid.');
  }
  const bucket = await calledBucket(input, parts.state);
  const version = await requireObject(parts.state, bucket, input);
  checkReadConditions(input, version, parts.clock.now());
  const selected = await select(input, version, parts);
  return { bucket, version, selected };
}

async function readBody(
  found: Awaited<ReturnType<typeof find>>,
  call: Call,
  parts: S3Parts,
): Promise<GetObjectOutput['Body']> {
  const { bucket, version, selected } = found;
  const { first, last } = selected;
  const body = await parts.objects.read(bucket.name, version, { first, last, as: keyCaller(call, bucket) });
  return body as unknown as GetObjectOutput['Body'];
}

export const GetObject: S3Operation<GetObjectRequest, GetObjectOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => onExistingObject(['s3:GetObject'], input, call, parts),
  async handle(input, call, _, parts) {
    const found = await find(input, parts);
    const { ArchiveStatus: _archive, ...described } = describe(
      input,
      found.bucket,
      found.version,
      found.selected,
    );
    return { ...described, Body: await readBody(found, call, parts) };
  },
};

export const HeadObject: S3Operation<HeadObjectRequest, HeadObjectOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => onExistingObject(['s3:GetObject'], input, call, parts),
  async handle(input, _call, _, parts) {
    const { bucket, version, selected } = await find(input, parts);
    return describe(input, bucket, version, selected);
  },
};
