import type { CopyObjectOutput, CopyObjectRequest } from '@aws-sdk/client-s3';
import { assert } from '../../../kernel/index.ts';
import type { Change } from '../../../state/index.ts';
import type { Call } from '../../../wire/index.ts';
import type { BucketDocument } from '../bucket-documents.ts';
import { checkWriteConditions } from '../conditions.ts';
import {
  copiedTags,
  copySourceCondition,
  onCopySource,
  copiedVersion,
  parseCopySource,
  readSource,
  type CopySource,
} from '../copy-source.ts';
import { invalidArgument, invalidRequest } from '../faults.ts';
import { orUnstage, singlePutBytes } from '../incoming-body.ts';
import { calledBucket, onObject, stillBucket } from '../needs.ts';
import {
  keyCaller,
  quoted,
  shownChecksum,
  shownEncryption,
  shownExpiration,
  shownVersion,
} from '../object-answers.ts';
import { readCurrent, type ChecksumAlgorithm } from '../object-documents.ts';
import {
  checkAcl,
  checkKey,
  checksumAlgorithm,
  headersOf,
  lockOf,
  metadataOf,
  refuseCustomerKeys,
  storageClassOf,
  tagsOfHeader,
  wishOf,
} from '../object-facts.ts';
import { onNewObject, requestedTags } from '../object-needs.ts';
import type { StagedContent } from '../object-store.ts';
import type { Given, S3Operation, S3Parts } from '../operation.ts';

type Input = Given<CopyObjectRequest>;

function directive(name: string, given: string | undefined): 'COPY' | 'REPLACE' {
  if (given === undefined || given === 'COPY') return 'COPY';
  if (given === 'REPLACE') return given;
  throw invalidArgument(`Unknown ${name} directive.`, `x-amz-${name}-directive`, given);
}

/** A copy onto itself has to change something ("CopyObject", x-amz-metadata-directive). */
function refuseIdle(input: Input, source: CopySource): void {
  const same =
    source.bucket.name === input.Bucket &&
    source.version.key === input.Key &&
    parseCopySource(input).VersionId === undefined;
  const changes =
    input.MetadataDirective === 'REPLACE' ||
    input.StorageClass !== undefined ||
    input.WebsiteRedirectLocation !== undefined ||
    input.ServerSideEncryption !== undefined;
  if (!same || changes) return;
  throw invalidRequest(
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** What the copy has: of the source, unless the request replaces it. */
function copiedFacts(input: Input, { version }: CopySource) {
  const replace = directive('metadata', input.MetadataDirective) === 'REPLACE';
  const { websiteRedirectLocation: _, ...copied } = version.headers;
  const redirect = input.WebsiteRedirectLocation;
  const headers = replace
    ? headersOf(input)
    : { ...copied, ...(redirect !== undefined && { websiteRedirectLocation: redirect }) };
  const replaceTags = directive('tagging', input.TaggingDirective) === 'REPLACE';
  const tags = replaceTags ? tagsOfHeader(input.Tagging) : version.tags;
  return {
    headers,
    metadata: replace ? metadataOf(input.Metadata) : version.metadata,
    storageClass: storageClassOf(input.StorageClass),
    ...(tags && { tags }),
  };
}

/** The same bytes have the same checksum, which then is not made again. */
function sameChecksum({ version }: CopySource, algorithm: ChecksumAlgorithm): string | undefined {
  const { checksum } = version;
  return checksum?.algorithm === algorithm && checksum.type === 'FULL_OBJECT' ? checksum.value : undefined;
}

async function linkCopy(
  input: Input,
  change: Change,
  parts: S3Parts,
  copied: {
    readonly call: Call;
    readonly before: BucketDocument;
    readonly source: CopySource;
    readonly staged: StagedContent;
    readonly algorithm: ChecksumAlgorithm;
  },
): Promise<CopyObjectOutput> {
  const { source, staged, algorithm } = copied;
  const bucket = await stillBucket(input, change, copied.before);
  checkWriteConditions(input, input.Key, await readCurrent(change, bucket.name, input.Key));
  const value = staged.checksums[algorithm] ?? sameChecksum(source, algorithm);
  assert(value !== undefined, 'the checksum that was asked for is there');
  const version = await parts.objects.link(change, bucket, input.Key, staged, {
    createdBy: 'CopyObject',
    cause: { kind: 'call', call: copied.call },
    ...copiedFacts(input, source),
    checksum: { algorithm, value, type: 'FULL_OBJECT' },
    ...lockOf(input, bucket, parts.clock.now()),
  });
  return {
    CopyObjectResult: {
      ETag: quoted(version.etag),
      LastModified: new Date(version.lastModified),
      ...shownChecksum(version),
    },
    ...copiedVersion(source),
    ...shownExpiration(bucket, version),
    ...shownVersion(bucket, version),
    ...shownEncryption(version.encryption),
  };
}

export const CopyObject: S3Operation<CopyObjectRequest, CopyObjectOutput> = {
  access: 'write',
  takesLong: true,
  category: 'data',
  async needs(input, call, parts) {
    const bucket = await calledBucket(input, parts.state);
    const tags = await copiedTags(input, parts);
    const source = await onCopySource(input, call, parts, tags !== undefined);
    const more = {
      ...copySourceCondition(input),
      ...(input.MetadataDirective !== undefined && {
        's3:x-amz-metadata-directive': [input.MetadataDirective],
      }),
    };
    const target = onNewObject(input, bucket, input.Key, call, { creates: true, more });
    if (!tags) return [...source, ...target];
    // Tags that are copied are put as those of a header are.
    return [
      ...source,
      ...target,
      onObject('s3:PutObjectTagging', bucket, input.Key, call, requestedTags(tags)),
    ];
  },
  async handle(input, call, change, parts) {
    const bucket = await calledBucket(input, parts.state);
    checkKey(bucket.name, input.Key);
    checkAcl(input, bucket);
    refuseCustomerKeys(input);
    lockOf(input, bucket, parts.clock.now());
    const source = await readSource(input, call, parts);
    refuseIdle(input, source);
    copiedFacts(input, source);
    const { sizeBytes, checksum } = source.version;
    if (sizeBytes > singlePutBytes) {
      throw invalidRequest(
        `The specified copy source is larger than the maximum allowable size for a copy source: ${singlePutBytes}`,
      );
    }
    const algorithm = checksumAlgorithm(input.ChecksumAlgorithm) ?? checksum?.algorithm ?? 'CRC64NVME';
    const staged = await parts.objects.stage({
      call: input,
      bucket,
      key: input.Key,
      body: source.open(0, sizeBytes - 1),
      checksums: sameChecksum(source, algorithm) === undefined ? [algorithm] : [],
      encryption: wishOf(input, bucket),
      as: keyCaller(call, bucket),
      mostBytes: singlePutBytes,
    });
    return orUnstage(parts, input, () =>
      linkCopy(input, change, parts, { call, before: bucket, source, staged, algorithm }),
    );
  },
};
