import type {
  AbortMultipartUploadOutput,
  AbortMultipartUploadRequest,
  CompleteMultipartUploadOutput,
  CompleteMultipartUploadRequest,
  CreateMultipartUploadOutput,
  CreateMultipartUploadRequest,
} from '@aws-sdk/client-s3';
import type { Change } from '../../../state/index.ts';
import type { Call } from '../../../wire/index.ts';
import type { BucketDocument } from '../bucket-documents.ts';
import { checkUploadConflict, checkWriteConditions } from '../conditions.ts';
import { newUploadId } from '../content/blob-names.ts';
import { invalidRequest, s3Fault } from '../faults.ts';
import { calledBucket, onObject } from '../needs.ts';
import {
  keyCaller,
  quoted,
  shownAbort,
  shownChecksum,
  shownEncryption,
  shownExpiration,
  shownVersion,
} from '../object-answers.ts';
import {
  partPrefix,
  readCurrent,
  uploadKey,
  type ObjectChecksum,
  type ObjectVersion,
  type PartDocument,
  type UploadDocument,
} from '../object-documents.ts';
import {
  checkAcl,
  checkKey,
  givenChecksum,
  headersOf,
  lockOf,
  metadataOf,
  refuseUnknown,
  storageClassOf,
  tagsOfHeader,
  wishOf,
} from '../object-facts.ts';
import { onNewObject, onUpload } from '../object-needs.ts';
import type { Given, S3Operation, S3Parts } from '../operation.ts';
import { chooseParts, compose, requireUpload, uploadChecksum, type Composition } from '../uploads.ts';

function initiatorOf({ principal }: Call): UploadDocument['initiator'] {
  switch (principal.type) {
    case 'Root':
      return { arn: principal.arn, name: 'root' };
    case 'IAMUser':
      return { arn: principal.arn, name: principal.userName };
    case 'AssumedRole':
      return { arn: principal.arn, name: principal.role.name };
  }
}

function askedOf(input: Given<CreateMultipartUploadRequest>): NonNullable<UploadDocument['asked']> {
  const {
    ACL: acl,
    StorageClass: storageClass,
    ServerSideEncryption: encryption,
    SSEKMSKeyId: kmsKeyId,
  } = input;
  return {
    ...(acl !== undefined && { acl }),
    ...(storageClass !== undefined && { storageClass }),
    ...(encryption !== undefined && { encryption }),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
  };
}

export const CreateMultipartUpload: S3Operation<CreateMultipartUploadRequest, CreateMultipartUploadOutput> = {
  access: 'write',
  category: 'data',
  async needs(input, call, parts) {
    const bucket = await calledBucket(input, parts.state);
    return onNewObject(input, bucket, input.Key, call, { creates: false });
  },
  async handle(input, call, change, parts) {
    const bucket = await calledBucket(input, change);
    checkKey(bucket.name, input.Key);
    checkAcl(input, bucket);
    refuseUnknown(input);
    const nowMs = parts.clock.now();
    const checksum = uploadChecksum(input);
    const id = newUploadId(parts.random, nowMs);
    const encryption = await parts.objects.newEncryption({
      bucket,
      key: input.Key,
      content: id,
      encryption: wishOf(input, bucket),
      as: keyCaller(call, bucket),
    });
    const tags = tagsOfHeader(input.Tagging);
    const upload: UploadDocument = {
      id,
      key: input.Key,
      initiated: nowMs,
      initiator: initiatorOf(call),
      headers: headersOf(input),
      metadata: metadataOf(input.Metadata),
      encryption,
      storageClass: storageClassOf(input.StorageClass),
      asked: askedOf(input),
      ...(tags && { tags }),
      ...lockOf(input, bucket, nowMs),
      checksum,
    };
    change.put(uploadKey(bucket.name, input.Key, id), upload);
    return {
      Bucket: bucket.name,
      Key: input.Key,
      UploadId: id,
      ...shownAbort(bucket, upload),
      ...shownEncryption(encryption),
      ...(checksum.asked && { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type }),
    };
  },
};

type CompleteInput = Given<CompleteMultipartUploadRequest>;

/** What the client says of the whole must be so ("CompleteMultipartUpload", x-amz-checksum-… and x-amz-mp-object-size). */
function checkWhole(input: CompleteInput, { checksum, sizeBytes }: Composition): void {
  const { MpuObjectSize: size, ChecksumType: type } = input;
  if (size !== undefined && size !== sizeBytes) {
    throw invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${size} does not match what was computed: ${sizeBytes}`,
    );
  }
  if (type !== undefined && type !== checksum.type) {
    throw invalidRequest(
      `The upload was created using the ${checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const given = givenChecksum(input);
  if (!given || given.algorithm !== checksum.algorithm) return;
  checkGivenValue(given.value, checksum);
}

/** The number of parts may stand behind a composite checksum, and has to be right where it does. */
function checkGivenValue(given: string, { algorithm, value: computed }: ObjectChecksum): void {
  const name = algorithm.toLowerCase();
  const [, digest, count] = /^([A-Za-z0-9+/]+={0,2})(?:-(\d+))?$/.exec(given) ?? [];
  if (digest === undefined) throw invalidRequest(`Value for x-amz-checksum-${name} header is invalid.`);
  const [computedDigest, computedCount] = computed.split('-');
  if (digest === computedDigest && (count === undefined || count === computedCount)) return;
  throw s3Fault('BadDigest', 400, `The ${name} you specified did not match the calculated checksum.`);
}

function completeAnswer(
  input: CompleteInput,
  call: Call,
  bucket: BucketDocument,
  version: ObjectVersion,
): CompleteMultipartUploadOutput {
  const scheme = call.tls ? 'https' : 'http';
  const path = input.Key.split('/')
    .map((piece) => encodeURIComponent(piece))
    .join('/');
  // In virtual-host style the host has the bucket's name already.
  const at = call.host.startsWith(`${bucket.name}.`) ? '' : `/${bucket.name}`;
  return {
    Location: `${scheme}://${call.host}${at}/${path}`,
    Bucket: bucket.name,
    Key: input.Key,
    ETag: quoted(version.etag),
    ...shownExpiration(bucket, version),
    ...shownChecksum(version),
    ...shownVersion(bucket, version),
    ...shownEncryption(version.encryption),
  };
}

async function finish(
  input: CompleteInput,
  call: Call,
  upload: UploadDocument,
  change: Change,
  parts: S3Parts,
): Promise<readonly [BucketDocument, ObjectVersion]> {
  const bucket = await calledBucket(input, change);
  if (!input.MultipartUpload) throw invalidRequest('You must specify at least one part');
  const uploaded = await change.list<PartDocument>(partPrefix(upload.id));
  const chosen = chooseParts(
    upload,
    input.MultipartUpload.Parts ?? [],
    uploaded.map(({ value }) => value),
  );
  const composition = compose(upload, chosen);
  checkWhole(input, composition);
  const current = await readCurrent(change, bucket.name, input.Key);
  checkWriteConditions(input, input.Key, current);
  checkUploadConflict(input, input.Key, current, upload.initiated);
  const { checksum, ...composed } = composition;
  const content = { content: upload.id, encryption: upload.encryption, ...composed };
  const { headers, metadata, storageClass, tags, retention, legalHold } = upload;
  const version = await parts.objects.link(change, bucket, input.Key, content, {
    createdBy: 'CompleteMultipartUpload',
    cause: { kind: 'call', call },
    headers,
    metadata,
    storageClass,
    checksum,
    ...(tags && { tags }),
    ...(retention && { retention }),
    ...(legalHold !== undefined && { legalHold }),
  });
  change.delete(uploadKey(bucket.name, input.Key, upload.id));
  const used = new Set(chosen.map(({ b }) => b));
  for (const { key, value } of uploaded) {
    change.delete(key);
    if (!used.has(value.b)) parts.objects.suspect(upload.id, value);
  }
  return [bucket, version];
}

export const CompleteMultipartUpload: S3Operation<
  CompleteMultipartUploadRequest,
  CompleteMultipartUploadOutput
> = {
  access: 'write',
  takesLong: true,
  category: 'data',
  needs: async (input, call, parts) => [await onUpload(input, call, parts, { creates: true })],
  async handle(input, call, change, parts) {
    const bucket = await calledBucket(input, change);
    // A client that did not get the answer asks again, and is told the same.
    const current = await readCurrent(change, bucket.name, input.Key);
    if (current?.content === input.UploadId) return completeAnswer(input, call, bucket, current);
    const upload = await requireUpload(change, input);
    return completeAnswer(input, call, ...(await finish(input, call, upload, change, parts)));
  },
};

export const AbortMultipartUpload: S3Operation<AbortMultipartUploadRequest, AbortMultipartUploadOutput> = {
  access: 'write',
  category: 'data',
  async needs(input, call, parts) {
    const bucket = await calledBucket(input, parts.state);
    return [onObject('s3:AbortMultipartUpload', bucket, input.Key, call)];
  },
  async handle(input, _call, change, parts) {
    const bucket = await calledBucket(input, change);
    await parts.objects.abandonUpload(change, bucket.name, await requireUpload(change, input));
    return {};
  },
};
