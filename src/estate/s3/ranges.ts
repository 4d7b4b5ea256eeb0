import { invalidArgument, invalidRequest, s3Fault } from './faults.ts';

/** Bytes, both ends inclusive. */
export interface ContentRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a Range header for a content of `sizeBytes`. Undefined stands for the whole: S3 takes one range, and passes over
 * what it cannot read and several ranges at once (RFC 9110, 14.2). Throws InvalidRange when no byte of it is there.
 */
export function readRange(header: string | undefined, sizeBytes: number): ContentRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match) return undefined;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return undefined;
  if (from === '') {
    const length = Number(to);
    if (length === 0 || sizeBytes === 0) throw invalidRange(header, sizeBytes);
    return { first: Math.max(0, sizeBytes - length), last: sizeBytes - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return undefined;
  if (first >= sizeBytes) throw invalidRange(header, sizeBytes);
  return { first, last: to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1) };
}

/** Reads `x-amz-copy-source-range`, which must lie within the source. Throws InvalidArgument and InvalidRequest. */
export function readCopyRange(header: string | undefined, sizeBytes: number): ContentRange | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  const invalid = (message: string) => invalidArgument(message, 'x-amz-copy-source-range', header);
  if (!match || last < first) {
    throw invalid(
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    );
  }
  if (first >= sizeBytes) {
    throw invalidRequest('The specified copy range is invalid for the source object size');
  }
  if (last >= sizeBytes) {
    throw invalid(`Range specified is not valid for source object of size: ${sizeBytes}`);
  }
  return { first, last };
}

function invalidRange(header: string | undefined, sizeBytes: number) {
  return s3Fault('InvalidRange', 416, 'The requested range is not satisfiable', {
    RangeRequested: header,
    ActualObjectSize: sizeBytes,
  });
}

export const contentRange = ({ first, last }: ContentRange, sizeBytes: number): string =>
  `bytes ${first}-${last}/${sizeBytes}`;
