import type {
  ListPartsOutput,
  ListPartsRequest,
  UploadPartCopyOutput,
  UploadPartCopyRequest,
  UploadPartOutput,
  UploadPartRequest,
} from '@aws-sdk/client-s3';
import type { Change } from '../../../state/index.ts';
import { checksumOfBody, type Call } from '../../../wire/index.ts';
import { canonicalUserId } from '../bucket-documents.ts';
import { copiedVersion, copySourceCondition, onCopySource, readSource } from '../copy-source.ts';
import { invalidArgument } from '../faults.ts';
import { bodyOf, orUnstage, singlePutBytes } from '../incoming-body.ts';
import { calledBucket, onObject } from '../needs.ts';
import { keyCaller, quoted, shownAbort, shownEncryption } from '../object-answers.ts';
import {
  partKey,
  partPrefix,
  type ChecksumAlgorithm,
  type PartDocument,
  type UploadDocument,
} from '../object-documents.ts';
import { checksumAlgorithm, checksumMember, givenChecksum, refuseCustomerKeys } from '../object-facts.ts';
import { onUpload } from '../object-needs.ts';
import type { Given, S3Operation, S3Parts } from '../operation.ts';
import { readCopyRange } from '../ranges.ts';
import { note } from '../recorded-call.ts';
import { mostParts, partAlgorithms, requireUpload } from '../uploads.ts';

type PartInput = Given<UploadPartRequest> | Given<UploadPartCopyRequest>;

function checkNumber(number: number): void {
  if (Number.isInteger(number) && number >= 1 && number <= mostParts) return;
  throw invalidArgument(
    `Part number must be an integer between 1 and ${mostParts}, inclusive`,
    'partNumber',
    String(number),
  );
}

/** Streams a part in and puts it among those of its upload, in place of one that has the number already. */
async function putPart(
  input: PartInput,
  call: Call,
  at: { readonly change: Change; readonly parts: S3Parts },
  bytes: {
    readonly body: AsyncIterable<Uint8Array>;
    readonly given: ChecksumAlgorithm | undefined;
    readonly isCopied: boolean;
  },
): Promise<{ readonly part: PartDocument; readonly upload: UploadDocument }> {
  const { change, parts } = at;
  const bucket = await calledBucket(input, parts.state);
  const upload = await requireUpload(parts.state, input);
  const part = await parts.objects.stagePart({
    call: input,
    bucket,
    upload,
    partNumber: input.PartNumber,
    body: bytes.body,
    checksums: partAlgorithms(upload, bytes.given, bytes.isCopied),
    as: keyCaller(call, bucket),
    mostBytes: singlePutBytes,
  });
  note(input, { bytesIn: part.s });
  return orUnstage(parts, input, async () => {
    // Completed or aborted meanwhile, there is nothing that the part could belong to.
    await requireUpload(change, input);
    const key = partKey(upload.id, part.n);
    const before = await change.get<PartDocument>(key);
    if (before) parts.objects.suspect(upload.id, before.value);
    change.put(key, part);
    return { part, upload };
  });
}

/** The checksum of the part that the answer shows: the upload's, where it was asked for, or the one that came along. */
function shownPart(part: PartDocument, algorithm: ChecksumAlgorithm | undefined) {
  const value = algorithm && part.checksums[algorithm];
  return value === undefined ? {} : checksumMember(algorithm as ChecksumAlgorithm, value);
}

export const UploadPart: S3Operation<UploadPartRequest, UploadPartOutput> = {
  access: 'write',
  category: 'data',
  needs: async (input, call, parts) => [await onUpload(input, call, parts, { creates: false })],
  async handle(input, call, change, parts) {
    refuseCustomerKeys(input);
    checkNumber(input.PartNumber);
    const body = bodyOf(input);
    const given = givenChecksum(input)?.algorithm ?? checksumAlgorithm(checksumOfBody(body)?.algorithm);
    const { part, upload } = await putPart(input, call, { change, parts }, { body, given, isCopied: false });
    const shown = given ?? (upload.checksum.asked ? upload.checksum.algorithm : undefined);
    return { ETag: quoted(part.etag), ...shownPart(part, shown), ...shownEncryption(upload.encryption) };
  },
};

export const UploadPartCopy: S3Operation<UploadPartCopyRequest, UploadPartCopyOutput> = {
  access: 'write',
  takesLong: true,
  category: 'data',
  async needs(input, call, parts) {
    const source = await onCopySource(input, call, parts, false);
    const target = await onUpload(input, call, parts, { creates: false, more: copySourceCondition(input) });
    return [...source, target];
  },
  async handle(input, call, change, parts) {
    refuseCustomerKeys(input);
    checkNumber(input.PartNumber);
    const source = await readSource(input, call, parts);
    const { sizeBytes } = source.version;
    const range = readCopyRange(input.CopySourceRange, sizeBytes) ?? { first: 0, last: sizeBytes - 1 };
    const body = source.open(range.first, range.last);
    const bytes = { body, given: undefined, isCopied: true };
    const { part, upload } = await putPart(input, call, { change, parts }, bytes);
    const shown = upload.checksum.asked ? upload.checksum.algorithm : undefined;
    return {
      CopyPartResult: {
        ETag: quoted(part.etag),
        LastModified: new Date(part.lastModified),
        ...shownPart(part, shown),
      },
      ...copiedVersion(source),
      ...shownEncryption(upload.encryption),
    };
  },
};

export const ListParts: S3Operation<ListPartsRequest, ListPartsOutput> = {
  access: 'read',
  category: 'data',
  async needs(input, call, parts) {
    const bucket = await calledBucket(input, parts.state);
    return [onObject('s3:ListMultipartUploadParts', bucket, input.Key, call)];
  },
  async handle(input, _call, _change, parts) {
    refuseCustomerKeys(input);
    const bucket = await calledBucket(input, parts.state);
    const upload = await requireUpload(parts.state, input);
    const most = Math.min(input.MaxParts ?? 1000, 1000);
    const marker = Number(input.PartNumberMarker ?? 0);
    if (!(most >= 0) || !(marker >= 0))
      throw invalidArgument('max-parts and part-number-marker take numbers from 0 up');
    const found = await parts.state.list<PartDocument>(partPrefix(upload.id), {
      after: partKey(upload.id, Math.min(marker, 99_999)),
      limit: most + 1,
    });
    const page = found.slice(0, most).map(({ value }) => value);
    const { algorithm, type, asked } = upload.checksum;
    return {
      Bucket: bucket.name,
      Key: upload.key,
      UploadId: upload.id,
      ...shownAbort(bucket, upload),
      PartNumberMarker: String(marker),
      NextPartNumberMarker: String(page.at(-1)?.n ?? 0),
      MaxParts: most,
      IsTruncated: most > 0 && found.length > most,
      Parts: page.map((part) => ({
        PartNumber: part.n,
        LastModified: new Date(part.lastModified),
        ETag: quoted(part.etag),
        Size: part.s,
        ...(asked && shownPart(part, algorithm)),
      })),
      Initiator: { ID: upload.initiator.arn, DisplayName: upload.initiator.name },
      Owner: { ID: canonicalUserId(bucket.accountId) },
      StorageClass: upload.storageClass as 'STANDARD',
      ...(asked && { ChecksumAlgorithm: algorithm, ChecksumType: type }),
    };
  },
};
