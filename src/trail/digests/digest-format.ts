import { createHash, type BinaryLike } from 'node:crypto';

/** Where a digest file is and what it is, as the digest after it says ("CloudTrail digest file structure"). */
export interface DigestLink {
  readonly bucket: string;
  readonly key: string;
  /** SHA-256 of the inflated bytes, in hexadecimal. */
  readonly sha256: string;
  /** Hexadecimal. */
  readonly signature: string;
}

/** A log file as a digest lists it. Times are epoch milliseconds. */
export interface DigestLogFile {
  readonly bucket: string;
  readonly key: string;
  readonly sha256: string;
  readonly oldestEventTime: number;
  readonly newestEventTime: number;
}

/** Whose digest file it is. `prefix` is the trail's key prefix, without the slash at its end. */
export interface DigestOwner {
  readonly accountId: string;
  readonly trailName: string;
  readonly homeRegion: string;
  /** Of the log files. */
  readonly region: string;
  readonly prefix?: string | undefined;
}

export interface DigestContent {
  readonly accountId: string;
  /** Epoch milliseconds, whole seconds; the digest lists what was delivered from `startTime` until before `endTime`. */
  readonly startTime: number;
  readonly endTime: number;
  readonly bucket: string;
  readonly key: string;
  readonly fingerprint: string;
  /** Undefined in a starting digest. */
  readonly previous: DigestLink | undefined;
  readonly logFiles: readonly DigestLogFile[];
}

export const signatureAlgorithm = 'SHA256withRSA';

/** `2026-11-22T10:00:00Z`, the form of every time in digests. */
export function digestTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

export function sha256Hex(bytes: BinaryLike): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The key under which a digest file is delivered. A backfill digest ends in `_backfill.json.gz`. */
export function digestKey(owner: DigestOwner, endTime: number, isBackfill: boolean): string {
  const { accountId, region, trailName, homeRegion, prefix } = owner;
  const time = digestTime(endTime);
  const folder = `AWSLogs/${accountId}/CloudTrail-Digest/${region}/${time.slice(0, 10).replaceAll('-', '/')}`;
  const stamp = time.replaceAll(/[-:]/g, '');
  const name = `${accountId}_CloudTrail-Digest_${region}_${trailName}_${homeRegion}_${stamp}${isBackfill ? '_backfill' : ''}.json.gz`;
  return `${prefix === undefined || prefix === '' ? '' : `${prefix}/`}${folder}/${name}`;
}

/** The inflated bytes of a digest file, with the members and their order of the documentation's sample. */
export function digestBody(content: DigestContent): Buffer {
  const { previous, logFiles } = content;
  const newest = logFiles.reduce((time, file) => Math.max(time, file.newestEventTime), -Infinity);
  const oldest = logFiles.reduce((time, file) => Math.min(time, file.oldestEventTime), Infinity);
  return Buffer.from(
    JSON.stringify({
      awsAccountId: content.accountId,
      digestStartTime: digestTime(content.startTime),
      digestEndTime: digestTime(content.endTime),
      digestS3Bucket: content.bucket,
      digestS3Object: content.key,
      digestPublicKeyFingerprint: content.fingerprint,
      digestSignatureAlgorithm: signatureAlgorithm,
      newestEventTime: logFiles.length === 0 ? null : digestTime(newest),
      oldestEventTime: logFiles.length === 0 ? null : digestTime(oldest),
      previousDigestS3Bucket: previous?.bucket ?? null,
      previousDigestS3Object: previous?.key ?? null,
      previousDigestHashValue: previous?.sha256 ?? null,
      previousDigestHashAlgorithm: previous ? 'SHA-256' : null,
      previousDigestSignature: previous?.signature ?? null,
      logFiles: logFiles.map((file) => ({
        s3Bucket: file.bucket,
        s3Object: file.key,
        hashValue: file.sha256,
        hashAlgorithm: 'SHA-256',
        newestEventTime: digestTime(file.newestEventTime),
        oldestEventTime: digestTime(file.oldestEventTime),
      })),
    }),
  );
}

/**
 * What is signed ("Custom implementations of CloudTrail log file integrity validation"): the end time as the digest
 * writes it, its place, the hash of its inflated bytes, and the previous digest's signature or the word `null`.
 */
export function stringToSign(digest: {
  readonly endTime: string;
  readonly bucket: string;
  readonly key: string;
  readonly sha256: string;
  readonly previousSignature: string | null;
}): string {
  const { endTime, bucket, key, sha256, previousSignature } = digest;
  return `${endTime}\n${bucket}/${key}\n${sha256}\n${previousSignature ?? 'null'}`;
}

/**
 * The fingerprint of a public key: the MD5 of its DER bytes as ListPublicKeys hands them out, in hexadecimal. The keys
 * that the CloudTrail documentation prints have it too.
 */
export function fingerprintOf(publicKeyDer: Uint8Array): string {
  return createHash('md5').update(publicKeyDer).digest('hex');
}
