import type { Call, Need } from '../../wire/index.ts';
import { readBucket, type BucketDocument } from './bucket-documents.ts';
import { checkCopyConditions } from './conditions.ts';
import { accessDenied, invalidArgument, invalidRequest, noSuchBucket } from './faults.ts';
import { keyCaller, requireObject } from './object-answers.ts';
import type { ObjectTag, ObjectVersion } from './object-documents.ts';
import type { Conditions } from './needs.ts';
import { onExistingObject, type ObjectInput } from './object-needs.ts';
import type { S3Parts } from './operation.ts';
import { findVersion } from './version-chain.ts';

/** What CopyObject and UploadPartCopy say of their source. */
export interface CopyInput {
  readonly CopySource: string;
  readonly CopySourceIfMatch?: string | undefined;
  readonly CopySourceIfNoneMatch?: string | undefined;
  readonly CopySourceIfModifiedSince?: Date | undefined;
  readonly CopySourceIfUnmodifiedSince?: Date | undefined;
  readonly ExpectedSourceBucketOwner?: string | undefined;
}

/** Reads `x-amz-copy-source`: `[/]BUCKET/KEY[?versionId=ID]`, the key percent-encoded. */
export function parseCopySource({ CopySource, ExpectedSourceBucketOwner }: CopyInput): ObjectInput {
  const invalid = () => invalidArgument('Invalid copy source object key', 'x-amz-copy-source', CopySource);
  const match = /^(?<path>.*?)(?:\?versionId=(?<version>[^?&]*))?$/su.exec(CopySource);
  const { path = '', version } = match?.groups ?? {};
  let decoded: string;
  try {
    decoded = decodeURIComponent(path).replace(/^\//, '');
  } catch {
    throw invalid();
  }
  if (decoded.startsWith('arn:')) {
    throw invalidArgument(
      'Access points and other ARNs are not offered as a copy source.',
      'x-amz-copy-source',
      CopySource,
    );
  }
  const slash = decoded.indexOf('/');
  if (slash < 1 || slash === decoded.length - 1) throw invalid();
  return {
    Bucket: decoded.slice(0, slash),
    Key: decoded.slice(slash + 1),
    VersionId: version,
    ...(ExpectedSourceBucketOwner !== undefined && { ExpectedBucketOwner: ExpectedSourceBucketOwner }),
  };
}

/** `s3:x-amz-copy-source`: the bucket and key of the source, without a version. */
export function copySourceCondition(input: CopyInput): Conditions {
  const { Bucket, Key } = parseCopySource(input);
  return { 's3:x-amz-copy-source': [`${Bucket}/${Key}`] };
}

/** What reading the source needs; its tags too, where they are copied. */
export function onCopySource(
  input: CopyInput,
  call: Call,
  parts: S3Parts,
  withTags: boolean,
): Promise<readonly Need[]> {
  const actions = withTags ? ['s3:GetObject', 's3:GetObjectTagging'] : ['s3:GetObject'];
  return onExistingObject(actions, parseCopySource(input), call, parts);
}

/** The tags that a copy takes over from its source, if any; what the source lacks is said later. */
export async function copiedTags(
  input: CopyInput & { readonly TaggingDirective?: string | undefined },
  { state }: Pick<S3Parts, 'state'>,
): Promise<readonly ObjectTag[] | undefined> {
  if (input.TaggingDirective === 'REPLACE') return undefined;
  const { Bucket, Key, VersionId } = parseCopySource(input);
  const version = await findVersion(state, Bucket, Key, VersionId);
  return version?.kind === 'object' ? version.tags : undefined;
}

export interface CopySource {
  readonly bucket: BucketDocument;
  readonly version: ObjectVersion;
  /** Bytes from `first` to `last`, both inclusive; the data key is asked for when the first byte is. */
  open(first: number, last: number): AsyncIterable<Uint8Array>;
}

/** The id of the version that was copied, where it has one. */
export const copiedVersion = ({ version: { versionId } }: CopySource) =>
  versionId === 'null' ? {} : { CopySourceVersionId: versionId };

async function refuseNamedMarker({ state }: S3Parts, { Bucket, Key, VersionId }: ObjectInput): Promise<void> {
  if (VersionId === undefined) return;
  const version = await findVersion(state, Bucket, Key, VersionId);
  if (version?.kind !== 'marker') return;
  throw invalidRequest(
    'The source of a copy request may not specifically refer to a delete marker by version id.',
  );
}

/** The source as it is committed. Throws as GetObject does, and PreconditionFailed. */
export async function readSource(input: CopyInput, call: Call, parts: S3Parts): Promise<CopySource> {
  const source = parseCopySource(input);
  const bucket = await readBucket(parts.state, source.Bucket);
  if (!bucket) throw noSuchBucket(source.Bucket);
  if (source.ExpectedBucketOwner !== undefined && source.ExpectedBucketOwner !== bucket.accountId)
    throw accessDenied();
  await refuseNamedMarker(parts, source);
  const version = await requireObject(parts.state, bucket, source);
  checkCopyConditions(input, version, parts.clock.now());
  return {
    bucket,
    version,
    async *open(first, last) {
      yield* await parts.objects.read(bucket.name, version, { first, last, as: keyCaller(call, bucket) });
    },
  };
}
