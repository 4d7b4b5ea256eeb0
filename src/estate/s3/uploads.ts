import type { CompletedPart } from '@aws-sdk/client-s3';
import type { StateView } from '../../state/index.ts';
import { composedEtag, compositeChecksum, wholeChecksum } from './content/combine-checksums.ts';
import { isUploadId } from './content/blob-names.ts';
import { invalidRequest, noSuchUpload, s3Fault } from './faults.ts';
import { checksumAlgorithm, givenChecksum } from './object-facts.ts';
import {
  uploadKey,
  type ChecksumAlgorithm,
  type ContentPart,
  type ObjectChecksum,
  type PartDocument,
  type UploadDocument,
} from './object-documents.ts';

/** "Amazon S3 multipart upload limits": all parts but the last have at least 5 MiB. */
const leastPartBytes = 5 * 1024 ** 2;
export const mostParts = 10_000;

interface UploadInput {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

/** An upload under way; undefined when there is none. */
export async function findUpload(
  view: Pick<StateView, 'get'>,
  { Bucket, Key, UploadId }: UploadInput,
): Promise<UploadDocument | undefined> {
  if (!isUploadId(UploadId)) return undefined;
  return (await view.get<UploadDocument>(uploadKey(Bucket, Key, UploadId)))?.value;
}

/** An upload under way. Throws NoSuchUpload. */
export async function requireUpload(
  view: Pick<StateView, 'get'>,
  input: UploadInput,
): Promise<UploadDocument> {
  const found = await findUpload(view, input);
  if (!found) throw noSuchUpload(input.UploadId);
  return found;
}

/** The checksum that the parts of a new upload get, and what the whole is to have ("Checking object integrity"). */
export function uploadChecksum(input: {
  readonly ChecksumAlgorithm?: string | undefined;
  readonly ChecksumType?: string | undefined;
}): UploadDocument['checksum'] {
  const asked = checksumAlgorithm(input.ChecksumAlgorithm);
  const { ChecksumType: type } = input;
  if (type !== undefined && asked === undefined) {
    throw invalidRequest(
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  const algorithm = asked ?? 'CRC64NVME';
  const usual = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  if (type !== undefined && type !== 'COMPOSITE' && type !== 'FULL_OBJECT') {
    throw invalidRequest('Value for x-amz-checksum-type header is invalid.');
  }
  const impossible =
    (type === 'COMPOSITE' && algorithm === 'CRC64NVME') ||
    (type === 'FULL_OBJECT' && algorithm.startsWith('SHA'));
  if (impossible) {
    throw invalidRequest(
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type: type ?? usual, asked: asked !== undefined };
}

/**
 * What a part is hashed with: the upload's algorithm, and another one that the request gave. Throws InvalidRequest where the
 * upload asked for another one, and for a part without any in an upload whose checksum is made of those of its parts; what S3
 * copies by itself needs none.
 */
export function partAlgorithms(
  { checksum }: UploadDocument,
  given: ChecksumAlgorithm | undefined,
  isCopied: boolean,
): readonly ChecksumAlgorithm[] {
  if (given === checksum.algorithm) return [given];
  const isMissing = given === undefined && checksum.type === 'COMPOSITE' && !isCopied;
  if (checksum.asked && (given !== undefined || isMissing)) {
    throw invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, actual checksum Type: ${given?.toLowerCase() ?? 'null'}`,
    );
  }
  return given === undefined ? [checksum.algorithm] : [checksum.algorithm, given];
}

const unquoted = (etag: string | undefined): string | undefined => etag?.trim().replace(/^"(.*)"$/, '$1');

const invalidPart = (UploadId: string, { PartNumber, ETag }: CompletedPart) =>
  s3Fault(
    'InvalidPart',
    400,
    "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    {
      UploadId,
      ...(PartNumber !== undefined && { PartNumber }),
      ...(ETag !== undefined && { ETag: unquoted(ETag) }),
    },
  );

function checkPart(
  { id, checksum }: UploadDocument,
  asked: CompletedPart,
  part: PartDocument | undefined,
): PartDocument {
  if (!part || unquoted(asked.ETag) !== part.etag) throw invalidPart(id, asked);
  const given = givenChecksum(asked);
  if (given && part.checksums[given.algorithm] !== given.value) throw invalidPart(id, asked);
  if (!given && checksum.asked && checksum.type === 'COMPOSITE') {
    throw invalidRequest(
      `The upload was created using a ${checksum.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${part.n} in the request.`,
    );
  }
  return part;
}

/**
 * The parts of which a complete upload consists, in order. Throws MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall,
 * and InvalidRequest for a checksum that is missing.
 */
export function chooseParts(
  upload: UploadDocument,
  asked: readonly CompletedPart[],
  uploaded: readonly PartDocument[],
): readonly PartDocument[] {
  if (asked.length === 0 || asked.length > mostParts) {
    throw s3Fault(
      'MalformedXML',
      400,
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  }
  const known = new Map(uploaded.map((part) => [part.n, part]));
  let before = 0;
  const chosen = asked.map((one) => {
    const number = one.PartNumber ?? 0;
    if (number <= before) {
      throw s3Fault(
        'InvalidPartOrder',
        400,
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
        { UploadId: upload.id },
      );
    }
    before = number;
    return checkPart(upload, one, known.get(number));
  });
  const small = chosen.slice(0, -1).find(({ s }) => s < leastPartBytes);
  if (small) {
    throw s3Fault('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', {
      ProposedSize: small.s,
      MinSizeAllowed: leastPartBytes,
      PartNumber: small.n,
      ETag: small.etag,
    });
  }
  return chosen;
}

export interface Composition {
  readonly parts: readonly ContentPart[];
  readonly sizeBytes: number;
  readonly etag: string;
  readonly checksum: ObjectChecksum;
}

/** Puts chosen parts together: their order, size, entity tag and checksum. */
export function compose({ checksum }: UploadDocument, chosen: readonly PartDocument[]): Composition {
  const { algorithm, type } = checksum;
  const checksums = chosen.map(({ s, checksums: all }) => ({ value: all[algorithm] ?? '', sizeBytes: s }));
  const value =
    type === 'FULL_OBJECT' ? wholeChecksum(algorithm, checksums) : compositeChecksum(algorithm, checksums);
  return {
    parts: chosen.map(({ n, s, b, checksums: all }) => {
      const c = all[algorithm];
      return { n, s, b, ...(c !== undefined && { c }) };
    }),
    sizeBytes: chosen.reduce((sum, { s }) => sum + s, 0),
    etag: composedEtag(chosen.map(({ etag }) => etag)),
    checksum: { algorithm, type, value },
  };
}
