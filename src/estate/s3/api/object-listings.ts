import type {
  ListMultipartUploadsOutput,
  ListMultipartUploadsRequest,
  ListObjectsOutput,
  ListObjectsRequest,
  ListObjectsV2Output,
  ListObjectsV2Request,
  ListObjectVersionsOutput,
  ListObjectVersionsRequest,
  ObjectStorageClass,
} from '@aws-sdk/client-s3';
import type { Call, Need } from '../../../wire/index.ts';
import { canonicalUserId, type BucketDocument } from '../bucket-documents.ts';
import { isUploadId } from '../content/blob-names.ts';
import { invalidArgument } from '../faults.ts';
import {
  listObjects,
  listUploads,
  listVersions,
  startAt,
  type ListedVersion,
  type Listing,
  type ListingStart,
} from '../listing.ts';
import { calledBucket, onBucket, type BucketInput } from '../needs.ts';
import { quoted } from '../object-answers.ts';
import type { ObjectVersion } from '../object-documents.ts';
import type { S3Operation, S3Parts } from '../operation.ts';
import { findVersion } from '../version-chain.ts';

/** "ListObjectsV2": up to 1,000 keys and common prefixes a page. */
const pageKeys = 1000;

interface ListInput extends BucketInput {
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly EncodingType?: string | undefined;
}

async function onListing(
  action: string,
  input: ListInput,
  most: number | undefined,
  call: Call,
  parts: S3Parts,
): Promise<readonly Need[]> {
  const bucket = await calledBucket(input, parts.state);
  return [
    onBucket(action, bucket, call, {
      // A request without a prefix lists everything, which is the empty prefix.
      's3:prefix': [input.Prefix ?? ''],
      ...(input.Delimiter !== undefined && { 's3:delimiter': [input.Delimiter] }),
      ...(most !== undefined && { 's3:max-keys': [String(most)] }),
    }),
  ];
}

function requestOf({ Prefix: prefix = '', Delimiter: delimiter }: ListInput, most = pageKeys) {
  if (!(most >= 0)) {
    const message = 'Argument maxKeys must be an integer between 0 and 2147483647';
    throw invalidArgument(message, 'maxKeys', String(most));
  }
  return { prefix, delimiter: delimiter === '' ? undefined : delimiter, most: Math.min(most, pageKeys) };
}

/**
 * How keys are written into the answer. `url` keeps what XML cannot hold ("ListObjectsV2", encoding-type); a slash stays
 * itself, and a space is %20, which every client undoes.
 */
function writerOf({ EncodingType: type }: ListInput): (text: string) => string {
  if (type === undefined) return (text) => text;
  if (type !== 'url')
    throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', type);
  return (text) =>
    encodeURIComponent(text)
      .replaceAll('%2F', '/')
      .replaceAll(/[!'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Members that all listings share. Without a delimiter, or a prefix, v1 and v2 differ in what they say of it. */
function echo(input: ListInput, listing: Listing<unknown>, write: (text: string) => string) {
  return {
    Name: input.Bucket,
    Prefix: write(input.Prefix ?? ''),
    ...(input.Delimiter !== undefined && input.Delimiter !== '' && { Delimiter: write(input.Delimiter) }),
    ...(input.EncodingType !== undefined && { EncodingType: 'url' as const }),
    IsTruncated: listing.next !== undefined,
    CommonPrefixes: listing.commonPrefixes.map((prefix) => ({ Prefix: write(prefix) })),
  };
}

const ownerOf = ({ accountId }: BucketDocument) => ({ ID: canonicalUserId(accountId) });

function shownObject(version: ObjectVersion, write: (text: string) => string) {
  return {
    Key: write(version.key),
    LastModified: new Date(version.lastModified),
    ETag: quoted(version.etag),
    ...(version.checksum && {
      ChecksumAlgorithm: [version.checksum.algorithm],
      ChecksumType: version.checksum.type,
    }),
    Size: version.sizeBytes,
    StorageClass: version.storageClass as ObjectStorageClass,
  };
}

/** The last line of a page, as a marker. */
const lastLine = (next: Listing<{ readonly key: string }>['next']): string | undefined =>
  next && ('item' in next ? next.item.key : next.commonPrefix);

export const ListObjects: S3Operation<ListObjectsRequest, ListObjectsOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => onListing('s3:ListBucket', input, input.MaxKeys, call, parts),
  async handle(input, _call, _change, parts) {
    const bucket = await calledBucket(input, parts.state);
    const request = requestOf(input, input.MaxKeys);
    const write = writerOf(input);
    const start = startAt(input.Marker, request.prefix, request.delimiter);
    const listing = await listObjects(parts.state, bucket.name, request, start);
    const next = lastLine(listing.next);
    return {
      ...echo(input, listing, write),
      Marker: write(input.Marker ?? ''),
      // Without a delimiter clients go on behind the last key ("ListObjects", NextMarker).
      ...(next !== undefined && request.delimiter !== undefined && { NextMarker: write(next) }),
      MaxKeys: request.most,
      Contents: listing.items.map((item) => ({ ...shownObject(item, write), Owner: ownerOf(bucket) })),
    };
  },
};

/** Where a page ended, as an opaque token. */
function tokenOf(next: Listing<ObjectVersion>['next']): string | undefined {
  if (!next) return undefined;
  const [kind, text] = 'item' in next ? ['k', next.item.key] : ['p', next.commonPrefix];
  return Buffer.from(`1${kind}${text}`).toString('base64url');
}

function readToken(token: string): ListingStart {
  const text = Buffer.from(token, 'base64url').toString();
  const rest = text.slice(2);
  if (/^1[kp]./su.test(text) && Buffer.from(text).toString('base64url') === token) {
    return text[1] === 'k' ? { key: rest } : { commonPrefix: rest };
  }
  throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token);
}

export const ListObjectsV2: S3Operation<ListObjectsV2Request, ListObjectsV2Output> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => onListing('s3:ListBucket', input, input.MaxKeys, call, parts),
  async handle(input, _call, _change, parts) {
    const bucket = await calledBucket(input, parts.state);
    const request = requestOf(input, input.MaxKeys);
    const write = writerOf(input);
    const { ContinuationToken: token, StartAfter: startAfter } = input;
    const start =
      token === undefined ? startAt(startAfter, request.prefix, request.delimiter) : readToken(token);
    const listing = await listObjects(parts.state, bucket.name, request, start);
    const next = tokenOf(listing.next);
    return {
      ...echo(input, listing, write),
      MaxKeys: request.most,
      KeyCount: listing.items.length + listing.commonPrefixes.length,
      ...(token !== undefined && { ContinuationToken: token }),
      ...(next !== undefined && { NextContinuationToken: next }),
      ...(startAfter !== undefined && { StartAfter: write(startAfter) }),
      Contents: listing.items.map((item) => ({
        ...shownObject(item, write),
        ...(input.FetchOwner && { Owner: ownerOf(bucket) }),
      })),
    };
  },
};

async function versionStart(
  input: { readonly KeyMarker?: string | undefined; readonly VersionIdMarker?: string | undefined },
  request: ReturnType<typeof requestOf>,
  bucket: string,
  parts: S3Parts,
) {
  const { KeyMarker: key, VersionIdMarker: versionId } = input;
  if (versionId === undefined || versionId === '') return startAt(key, request.prefix, request.delimiter);
  if (key === undefined || key === '') {
    throw invalidArgument(
      'A version-id marker cannot be specified without a key marker.',
      'version-id-marker',
      versionId,
    );
  }
  const version = await findVersion(parts.state, bucket, key, versionId);
  // A version that is gone since has left its place, which its id says.
  const place = version?.place ?? versionId;
  if (!/^[0-9a-f]{32}$/.test(place))
    throw invalidArgument('Invalid version id specified', 'version-id-marker', versionId);
  return { key, place };
}

function shownVersions(
  listing: Listing<ListedVersion>,
  bucket: BucketDocument,
  write: (text: string) => string,
) {
  const shared = (one: ListedVersion) => ({
    Key: write(one.key),
    VersionId: one.versionId,
    IsLatest: one.isLatest,
    LastModified: new Date(one.lastModified),
    Owner: ownerOf(bucket),
  });
  return {
    Versions: listing.items.flatMap((one) =>
      one.kind === 'object'
        ? [{ ...shownObject(one, write), ...shared(one), StorageClass: 'STANDARD' as const }]
        : [],
    ),
    DeleteMarkers: listing.items.flatMap((one) => (one.kind === 'marker' ? [shared(one)] : [])),
  };
}

export const ListObjectVersions: S3Operation<ListObjectVersionsRequest, ListObjectVersionsOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => onListing('s3:ListBucketVersions', input, input.MaxKeys, call, parts),
  async handle(input, _call, _change, parts) {
    const bucket = await calledBucket(input, parts.state);
    const request = requestOf(input, input.MaxKeys);
    const write = writerOf(input);
    const start = await versionStart(input, request, bucket.name, parts);
    const listing = await listVersions(parts.state, bucket.name, request, start);
    const { next } = listing;
    return {
      ...echo(input, listing, write),
      KeyMarker: write(input.KeyMarker ?? ''),
      VersionIdMarker: input.VersionIdMarker ?? '',
      ...(next && { NextKeyMarker: write(lastLine(next) ?? '') }),
      ...(next && 'item' in next && { NextVersionIdMarker: next.item.versionId }),
      MaxKeys: request.most,
      ...shownVersions(listing, bucket, write),
    };
  },
};

export const ListMultipartUploads: S3Operation<ListMultipartUploadsRequest, ListMultipartUploadsOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => onListing('s3:ListBucketMultipartUploads', input, undefined, call, parts),
  async handle(input, _call, _change, parts) {
    const bucket = await calledBucket(input, parts.state);
    const request = requestOf(input, input.MaxUploads);
    const write = writerOf(input);
    const { KeyMarker: key, UploadIdMarker: uploadId } = input;
    if (uploadId !== undefined && uploadId !== '' && !isUploadId(uploadId)) {
      throw invalidArgument('Invalid uploadId marker', 'upload-id-marker', uploadId);
    }
    const start =
      key !== undefined && key !== '' && uploadId !== undefined && uploadId !== ''
        ? { key, uploadId }
        : startAt(key, request.prefix, request.delimiter);
    const listing = await listUploads(parts.state, bucket.name, request, start);
    const last = listing.items.at(-1);
    const next = listing.next ?? (last && { item: last });
    const { Name: _, ...shared } = echo(input, listing, write);
    return {
      ...shared,
      Bucket: bucket.name,
      KeyMarker: write(key ?? ''),
      UploadIdMarker: uploadId ?? '',
      // Unlike the other listings, this one has both also on its last page.
      NextKeyMarker: write(lastLine(next) ?? ''),
      NextUploadIdMarker: next && 'item' in next ? next.item.id : '',
      MaxUploads: request.most,
      Uploads: listing.items.map((upload) => ({
        UploadId: upload.id,
        Key: write(upload.key),
        Initiated: new Date(upload.initiated),
        StorageClass: upload.storageClass as 'STANDARD',
        Owner: ownerOf(bucket),
        Initiator: { ID: upload.initiator.arn, DisplayName: upload.initiator.name },
        ...(upload.checksum.asked && {
          ChecksumAlgorithm: upload.checksum.algorithm,
          ChecksumType: upload.checksum.type,
        }),
      })),
    };
  },
};
