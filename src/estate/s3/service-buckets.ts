import { createHash } from 'node:crypto';
import type { AuthoriseService, ServiceCaller } from '../../identity/index.ts';
import type { Clock } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Need } from '../../wire/index.ts';
import { bucketArn, objectArn, readBucket, type BucketDocument } from './bucket-documents.ts';
import { openCursor } from './document-cursor.ts';
import { accessDenied, noSuchBucket } from './faults.ts';
import type { Conditions } from './needs.ts';
import { objectKey, objectPrefix, readCurrent, type ObjectVersion } from './object-documents.ts';
import type { ObjectStore } from './object-store.ts';
import type { OutsideBuckets } from './outside-buckets.ts';

/*
 * What CloudTrail needs of buckets, here or on an outside endpoint. The shapes are those that it declares as its need
 * (`trail/buckets.ts`); they meet in the composition root.
 */

/** Who a bucket belongs to, and who may use it. */
export interface BucketFacts {
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  /** JSON text. */
  readonly policy: string | undefined;
}

/** A file as a service puts it. */
export interface FileToPut {
  readonly bucket: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly contentEncoding?: string;
  /** Without the `x-amz-meta-` in front. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly kmsKeyArn?: string;
}

/** On whose behalf the service acts, such as a trail, for aws:SourceArn. */
export interface ActingFor {
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
}

export interface StoredFile {
  readonly key: string;
  readonly sizeBytes: number;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

/** Buckets as a service uses them, here or on an outside endpoint. */
export interface ServiceBuckets {
  /**
   * Undefined when there is no such bucket. An outside bucket has no policy to be seen; it is asked when it is used, and
   * `refused` where the operator does not let the account have it used.
   */
  find(bucket: string, accountId: string): Promise<BucketFacts | 'outside' | 'refused' | undefined>;
  /** Durable when it resolves; called again with the same key and bytes, it changes nothing that a reader can tell. */
  put(file: FileToPut, as: ActingFor): Promise<void>;
  /** Undefined when there is no such object. */
  get(bucket: string, key: string, as: ActingFor): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** In key order, strictly after `after`. */
  list(
    bucket: string,
    options: { readonly prefix: string; readonly after?: string },
    as: ActingFor,
  ): AsyncIterable<StoredFile>;
}

export interface ServiceBucketsOptions {
  readonly state: StateView;
  readonly objects: Pick<ObjectStore, 'put' | 'read'>;
  readonly authoriseService: AuthoriseService;
  readonly outside: OutsideBuckets | undefined;
  /** For it, every outside bucket is used; for other accounts those that the settings say. */
  readonly managementAccountId: string;
  readonly clock: Clock;
}

/** In pieces, because each piece is hashed and encrypted without a pause. */
async function* piecesOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const pieceBytes = 256 * 1024;
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

const contextOf = (tags: Readonly<Record<string, string>> = {}): string =>
  JSON.stringify(Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** Whether what is there is already what is to be put: a delivery that was interrupted puts its file again. */
function isSame(
  version: ObjectVersion,
  { contentType, contentEncoding, metadata }: FileToPut,
  md5: string,
): boolean {
  return (
    version.etag === md5 &&
    version.headers.contentType === contentType &&
    version.headers.contentEncoding === contentEncoding &&
    contextOf(version.metadata) === contextOf(metadata)
  );
}

/** The headers that CloudTrail puts with, as bucket policies ask for them ("Amazon S3 bucket policy for CloudTrail"). */
function putConditions(kmsKeyArn: string | undefined): Conditions {
  return {
    's3:x-amz-acl': ['bucket-owner-full-control'],
    ...(kmsKeyArn !== undefined && {
      's3:x-amz-server-side-encryption': ['aws:kms'],
      's3:x-amz-server-side-encryption-aws-kms-key-id': [kmsKeyArn],
    }),
  };
}

/**
 * Opens buckets for CloudTrail. What it does is allowed by the bucket's policy alone, also within one account, and by the
 * key's policy where one encrypts. A bucket that the settings map elsewhere is used there, with the operator's credentials,
 * for the accounts that the operator says.
 */
export function openServiceBuckets(options: ServiceBucketsOptions): ServiceBuckets {
  const { state, objects, authoriseService, outside, clock } = options;

  const serves = (bucket: string, accountId: string): boolean =>
    accountId === options.managementAccountId || outside?.serves(bucket, accountId) === true;

  /** The outside endpoint of a bucket, if it has one. Throws AccessDenied where the account may not have it used. */
  function outsideFor(bucket: string, { accountId }: ActingFor): OutsideBuckets | undefined {
    if (!outside?.has(bucket)) return undefined;
    if (serves(bucket, accountId)) return outside;
    throw accessDenied(`The outside bucket ${bucket} is not for account ${accountId}.`);
  }

  const callerFor = (as: ActingFor): ServiceCaller => ({
    service: 'cloudtrail.amazonaws.com',
    sourceArn: as.arn,
    sourceAccountId: as.accountId,
    region: as.region,
    time: clock.now(),
  });

  async function allowed(
    name: string,
    as: ActingFor,
    need: Pick<Need, 'action' | 'resource' | 'conditions'>,
  ): Promise<{ readonly bucket: BucketDocument; readonly caller: ServiceCaller }> {
    const bucket = await readBucket(state, name);
    if (!bucket) throw noSuchBucket(name);
    const caller = callerFor(as);
    authoriseService(caller, [
      {
        ...need,
        // Without ids: no user or role is this caller.
        ...(bucket.policy !== undefined && { resourcePolicy: bucket.policy }),
        resourceAccountId: bucket.accountId,
      },
    ]);
    return { bucket, caller };
  }

  return {
    async find(name, accountId) {
      if (outside?.has(name)) return serves(name, accountId) ? 'outside' : 'refused';
      const bucket = await readBucket(state, name);
      return bucket && { name, accountId: bucket.accountId, region: bucket.region, policy: bucket.policy };
    },
    async put(file, as) {
      const elsewhere = outsideFor(file.bucket, as);
      if (elsewhere) return elsewhere.put(file);
      const { key, body, contentType, contentEncoding, metadata, kmsKeyArn } = file;
      const { bucket, caller } = await allowed(file.bucket, as, {
        action: 's3:PutObject',
        resource: objectArn(file.bucket, key),
        conditions: putConditions(kmsKeyArn),
      });
      const there = await readCurrent(state, bucket.name, key);
      if (there && isSame(there, file, createHash('md5').update(body).digest('hex'))) return undefined;
      await objects.put({
        bucket: bucket.name,
        key,
        body: piecesOf(body),
        headers: { contentType, ...(contentEncoding !== undefined && { contentEncoding }) },
        ...(metadata && { metadata }),
        ...(kmsKeyArn !== undefined && {
          encryption: {
            algorithm: 'aws:kms' as const,
            kmsKeyId: kmsKeyArn,
            bucketKeyEnabled: bucket.encryption.bucketKeyEnabled,
          },
        }),
        as: { kind: 'service', caller },
      });
      return undefined;
    },
    async get(name, key, as) {
      const elsewhere = outsideFor(name, as);
      if (elsewhere) return elsewhere.get(name, key);
      const { caller } = await allowed(name, as, {
        action: 's3:GetObject',
        resource: objectArn(name, key),
      });
      const version = await readCurrent(state, name, key);
      if (!version) return undefined;
      const last = version.sizeBytes - 1;
      return objects.read(name, version, { first: 0, last, as: { kind: 'service', caller } });
    },
    async *list(name, { prefix, after }, as) {
      const elsewhere = outsideFor(name, as);
      if (elsewhere) {
        yield* elsewhere.list(name, { prefix, ...(after !== undefined && { after }) });
        return;
      }
      await allowed(name, as, {
        action: 's3:ListBucket',
        resource: bucketArn(name),
        conditions: { 's3:prefix': [prefix] },
      });
      const from = after === undefined ? undefined : objectKey(name, after);
      const cursor = openCursor<ObjectVersion>(state, objectPrefix(name, prefix), from);
      for (let found = await cursor.peek(); found; found = await cursor.peek()) {
        const { key, sizeBytes, lastModified } = found.value;
        yield { key, sizeBytes, lastModified };
        cursor.next();
      }
    },
  };
}
