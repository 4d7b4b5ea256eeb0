import { verify, type KeyObject } from 'node:crypto';
import { signatureAlgorithm, stringToSign } from '../../trail/digests/index.ts';
import { tailOf, type BucketSource, type StoredFile } from './bucket-source.ts';
import type { DigestName } from './digest-names.ts';
import type { Finding } from './findings.ts';
import { readSmallGzip } from './gzip-member.ts';

export interface Link {
  readonly bucket: string;
  readonly key: string;
  readonly sha256: string;
  readonly signature: string;
}

export interface ListedLog {
  readonly bucket: string;
  readonly key: string;
  readonly sha256: string;
}

/** A digest file as it was read. It proves nothing before its signature is verified. */
export interface DigestFacts {
  /** Where it was found. */
  readonly key: string;
  readonly tag: string;
  readonly name: DigestName;
  /** Epoch milliseconds. */
  readonly startTime: number;
  readonly endTime: number;
  /** As the digest writes it. */
  readonly endTimeText: string;
  /** Where it says that it is. */
  readonly bucket: string;
  readonly object: string;
  readonly sha256: string;
  /** From the metadata; undefined in a copy without it. */
  readonly signature: string | undefined;
  readonly fingerprint: string;
  /** Undefined in a starting digest. */
  readonly previous: Link | undefined;
  readonly logFiles: readonly ListedLog[];
  readonly wrapping: string;
}

export interface ReadDigest {
  /** Undefined when it could not be understood. */
  readonly facts: DigestFacts | undefined;
  readonly findings: readonly Finding[];
}

const hash = /^[0-9a-f]{64}$/;

class FormatError extends Error {
  override name = 'FormatError';
}

type Members = Readonly<Record<string, unknown>>;

function text(members: Members, name: string, form?: RegExp): string {
  const value = members[name];
  if (typeof value !== 'string') throw new FormatError(`${name} is not text`);
  if (form && !form.test(value)) throw new FormatError(`${name} is not of the form that CloudTrail writes`);
  return value;
}

function time(members: Members, name: string): number {
  const value = Date.parse(text(members, name, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/));
  if (Number.isNaN(value)) throw new FormatError(`${name} is not a time`);
  return value;
}

const previousMembers = [
  'previousDigestS3Bucket',
  'previousDigestS3Object',
  'previousDigestHashValue',
  'previousDigestHashAlgorithm',
  'previousDigestSignature',
];

function previousOf(members: Members): Link | undefined {
  for (const name of previousMembers) if (!(name in members)) throw new FormatError(`${name} is missing`);
  if (previousMembers.every((name) => members[name] === null)) return undefined;
  if (members['previousDigestHashAlgorithm'] !== 'SHA-256') {
    throw new FormatError('previousDigestHashAlgorithm is not SHA-256');
  }
  return {
    bucket: text(members, 'previousDigestS3Bucket'),
    key: text(members, 'previousDigestS3Object'),
    sha256: text(members, 'previousDigestHashValue', hash),
    signature: text(members, 'previousDigestSignature'),
  };
}

function logFilesOf(members: Members): readonly ListedLog[] {
  const list = members['logFiles'];
  if (!Array.isArray(list)) throw new FormatError('logFiles is not a list');
  return list.map((one: unknown) => {
    const file = (one ?? {}) as Members;
    if (file['hashAlgorithm'] !== 'SHA-256')
      throw new FormatError('a hashAlgorithm of logFiles is not SHA-256');
    return {
      bucket: text(file, 's3Bucket'),
      key: text(file, 's3Object'),
      sha256: text(file, 'hashValue', hash),
    };
  });
}

function parseDigest(content: Buffer) {
  const parsed: unknown = JSON.parse(content.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null) throw new FormatError('it is not a JSON object');
  const members = parsed as Members;
  if (members['digestSignatureAlgorithm'] !== signatureAlgorithm) {
    throw new FormatError(`digestSignatureAlgorithm is not ${signatureAlgorithm}`);
  }
  return {
    startTime: time(members, 'digestStartTime'),
    endTime: time(members, 'digestEndTime'),
    endTimeText: text(members, 'digestEndTime'),
    bucket: text(members, 'digestS3Bucket'),
    object: text(members, 'digestS3Object'),
    fingerprint: text(members, 'digestPublicKeyFingerprint'),
    previous: previousOf(members),
    logFiles: logFilesOf(members),
  };
}

/** What the metadata must hold beside the signature. Undefined when it does. */
function metadataProblem(
  metadata: Readonly<Record<string, string>>,
  isBackfill: boolean,
): string | undefined {
  if (metadata['signature-algorithm'] !== signatureAlgorithm) {
    return `its metadata signature-algorithm is ${metadata['signature-algorithm'] ?? 'missing'}, not ${signatureAlgorithm}`;
  }
  const generated = metadata['backfill-generation-timestamp'];
  if (isBackfill && (generated === undefined || Number.isNaN(Date.parse(generated)))) {
    return 'its metadata backfill-generation-timestamp is missing or no time';
  }
  return undefined;
}

/** Reads and parses a digest file, without its signature and its place in the chain. */
export async function readDigest(
  source: BucketSource,
  stored: StoredFile,
  name: DigestName,
): Promise<ReadDigest> {
  const file = source.show(stored.key);
  const failed = (kind: Finding['kind'], message: string): ReadDigest => ({
    facts: undefined,
    findings: [{ kind, file, message: `${message}; the log files that it lists cannot be verified` }],
  });
  const opened = await source.read(stored.key, { withMetadata: true });
  if (!opened) return failed('digest-missing', 'it was deleted while it was verified');
  const member = await readSmallGzip(opened.body);
  if (member.kind !== 'member') return failed(`digest-${member.kind}`, member.detail);
  const { metadata } = opened;
  if (metadata && metadata['signature'] === undefined) {
    return failed('digest-no-signature', 'its metadata has no signature');
  }
  const problem = metadata && metadataProblem(metadata, name.isBackfill);
  if (problem !== undefined) return failed('digest-bad-format', problem);
  let parsed: ReturnType<typeof parseDigest>;
  try {
    parsed = parseDigest(member.content ?? Buffer.alloc(0));
  } catch (error) {
    const kind = error instanceof FormatError ? 'digest-bad-format' : 'digest-bad-json';
    return failed(kind, (error as Error).message);
  }
  const { sha256, wrapping } = member;
  const facts = {
    key: stored.key,
    tag: opened.tag,
    name,
    sha256,
    wrapping,
    signature: metadata?.['signature'],
    ...parsed,
  };
  return {
    facts,
    findings: [
      ...(member.paddingIsSet ? [alteredPadding('digest', file)] : []),
      ...movedFindings(source, facts),
    ],
  };
}

export function alteredPadding(what: 'digest' | 'log', file: string): Finding {
  return {
    kind: `${what}-altered-wrapping`,
    file,
    message: 'its content is intact, but the unused bits behind its compressed data were changed',
  };
}

function movedFindings(source: BucketSource, facts: DigestFacts): readonly Finding[] {
  const isThere =
    source.bucket === undefined
      ? tailOf(facts.object) === tailOf(facts.key)
      : source.bucket === facts.bucket && facts.object === facts.key;
  if (isThere) return [];
  return [
    {
      kind: 'digest-moved',
      file: source.show(facts.key),
      message: 'it has been moved from where it was delivered',
      expected: `s3://${facts.bucket}/${facts.object}`,
      found: source.show(facts.key),
    },
  ];
}

/**
 * Verifies the signature of a digest. `signature` comes from its metadata, or, in a copy without metadata, from the digest
 * that follows. Undefined when it holds.
 */
export function signatureFinding(
  source: BucketSource,
  facts: DigestFacts,
  signature: string | undefined,
  publicKey: KeyObject | undefined,
): Finding | undefined {
  const file = source.show(facts.key);
  const { fingerprint, endTimeText, bucket, object, sha256, previous } = facts;
  if (!publicKey) {
    const message = `no public key of region ${facts.name.region} has the fingerprint that it names`;
    return { kind: 'digest-unknown-key', file, message, expected: fingerprint };
  }
  if (signature === undefined) {
    return {
      kind: 'digest-no-signature',
      file,
      message:
        'its signature is in no metadata and in no digest that follows; beside the file, FILE.metadata.json may hold what "aws s3api head-object --query Metadata" prints',
    };
  }
  const signed = stringToSign({
    endTime: endTimeText,
    bucket,
    key: object,
    sha256,
    previousSignature: previous?.signature ?? null,
  });
  const isHex = /^(?:[0-9a-f]{2})+$/.test(signature);
  if (isHex && verify('sha256', Buffer.from(signed), publicKey, Buffer.from(signature, 'hex')))
    return undefined;
  return {
    kind: 'digest-bad-signature',
    file,
    message: `its signature does not belong to its content under the key ${fingerprint}; the digest or its metadata was changed, and the log files that it lists cannot be verified`,
  };
}
