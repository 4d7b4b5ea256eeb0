import { AwsFault } from '../../kernel/index.ts';
import { noSuchKey, preconditionFailed, s3Fault } from './faults.ts';
import type { ObjectVersion } from './object-documents.ts';

/** Conditions on an object that is read, or that a copy is made of. */
export interface ReadConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

type Compared = Pick<ObjectVersion, 'etag' | 'lastModified'>;

const unquoted = (etag: string): string =>
  etag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1');

/** Whether a list of entity tags, or `*`, has this one. */
function hasEtag(list: string, etag: string): boolean {
  return list.split(',').some((one) => unquoted(one) === '*' || unquoted(one) === etag);
}

/**
 * The names of the conditions that do not hold. Times count in whole seconds, as the headers do; If-Modified-Since with a time
 * to come is passed over.
 */
function failing(conditions: ReadConditions, { etag, lastModified }: Compared, nowMs: number) {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  const seconds = Math.floor(lastModified / 1000) * 1000;
  // If-Match and If-None-Match each win over the time that goes with them ("GetObject" in the S3 API reference).
  const unmet =
    IfMatch !== undefined
      ? !hasEtag(IfMatch, etag) && 'If-Match'
      : IfUnmodifiedSince && seconds > IfUnmodifiedSince.getTime() && 'If-Unmodified-Since';
  const unchanged =
    IfNoneMatch !== undefined
      ? hasEtag(IfNoneMatch, etag) && 'If-None-Match'
      : IfModifiedSince &&
        IfModifiedSince.getTime() <= nowMs &&
        seconds <= IfModifiedSince.getTime() &&
        'If-Modified-Since';
  return { unmet, unchanged };
}

/** Throws PreconditionFailed, or NotModified (304 without a body), unless the conditions hold for what is to be read. */
export function checkReadConditions(conditions: ReadConditions, version: Compared, nowMs: number): void {
  const { unmet, unchanged } = failing(conditions, version, nowMs);
  if (unmet) throw preconditionFailed(unmet);
  if (!unchanged) return;
  throw new AwsFault('NotModified', 'Not Modified', {
    status: 304,
    headers: { etag: `"${version.etag}"`, 'last-modified': new Date(version.lastModified).toUTCString() },
  });
}

/** Throws PreconditionFailed unless the conditions hold for the source of a copy. */
export function checkCopyConditions(
  input: {
    readonly CopySourceIfMatch?: string | undefined;
    readonly CopySourceIfNoneMatch?: string | undefined;
    readonly CopySourceIfModifiedSince?: Date | undefined;
    readonly CopySourceIfUnmodifiedSince?: Date | undefined;
  },
  source: Compared,
  nowMs: number,
): void {
  const { unmet, unchanged } = failing(
    {
      IfMatch: input.CopySourceIfMatch,
      IfNoneMatch: input.CopySourceIfNoneMatch,
      IfModifiedSince: input.CopySourceIfModifiedSince,
      IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
    },
    source,
    nowMs,
  );
  const failed = unmet || unchanged;
  if (failed) throw preconditionFailed(`x-amz-copy-source-${failed}`);
}

interface WriteConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
}

const notAccepted = (header: string, additionalMessage: string): AwsFault =>
  s3Fault('NotImplemented', 501, 'A header you provided implies functionality that is not implemented', {
    Header: header,
    additionalMessage,
  });

const notThisValue = (header: string): AwsFault =>
  notAccepted(header, `We don't accept the provided value of ${header} header for this API`);

/** A write takes `If-None-Match: *` or one entity tag in If-Match, and nothing else: passed over, it would overwrite. */
function refuseOtherConditions({ IfMatch, IfNoneMatch }: WriteConditions): void {
  if (IfMatch !== undefined && IfNoneMatch !== undefined) {
    throw notAccepted(
      'If-Match,If-None-Match',
      'Multiple conditional request headers present in the request',
    );
  }
  if (IfNoneMatch !== undefined && IfNoneMatch !== '*') throw notThisValue('If-None-Match');
  if (IfMatch === '*') throw notThisValue('If-Match');
}

/** Throws unless a write may take the place of `current` ("Conditional writes" in the S3 user guide). */
export function checkWriteConditions(
  input: WriteConditions,
  key: string,
  current: Compared | undefined,
): void {
  refuseOtherConditions(input);
  if (input.IfNoneMatch !== undefined && current) throw preconditionFailed('If-None-Match');
  checkIfMatch(input.IfMatch, key, current);
}

/** Throws unless what is to be written over or deleted is there and has this entity tag; of a delete, `*` is any. */
export function checkIfMatch(IfMatch: string | undefined, key: string, current: Compared | undefined): void {
  if (IfMatch === undefined) return;
  if (!current) throw noSuchKey(key);
  if (!hasEtag(IfMatch, current.etag)) throw preconditionFailed('If-Match');
}

/**
 * Throws ConditionalRequestConflict where an object was put after the upload began that is to be completed over it: its entity
 * tag may be the one that the client knows, and yet be another object's ("How to prevent object overwrites").
 */
export function checkUploadConflict(
  { IfMatch }: WriteConditions,
  key: string,
  current: Compared | undefined,
  initiated: number,
): void {
  if (IfMatch === undefined || !current || current.lastModified <= initiated) return;
  throw s3Fault(
    'ConditionalRequestConflict',
    409,
    'The conditional request cannot succeed due to a conflicting operation against this resource.',
    { Condition: 'If-Match', Key: key },
  );
}
