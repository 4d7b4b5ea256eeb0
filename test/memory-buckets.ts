import { gunzipSync } from 'node:zlib';
import { AwsFault } from '../src/kernel/index.ts';
import type { ActingFor, BucketFacts, Buckets, FileToPut } from '../src/trail/buckets.ts';

/** Buckets in memory, for tests of what delivers into them. */
export interface MemoryBuckets extends Buckets {
  /** By name. */
  readonly buckets: Map<string, BucketFacts>;
  /** By bucket and key. */
  readonly files: Map<string, FileToPut>;
  /** Every put that succeeded, in order, also of what was there before. */
  readonly puts: { readonly file: FileToPut; readonly as: ActingFor }[];
  /** What the next puts fail with, while it gives an error; `after` puts the file all the same, as a lost answer does. */
  fault: ((file: FileToPut) => { readonly error: Error; readonly after: boolean } | undefined) | undefined;
  /** What puts wait for before they do anything. */
  gate: ((file: FileToPut) => Promise<void>) | undefined;
  /** Names of buckets that the account may not use elsewhere. */
  readonly refused: Set<string>;
  addBucket(name: string, over?: Partial<BucketFacts>): void;
  /** The records of a log file. */
  records(file: FileToPut): readonly Record<string, unknown>[];
}

/** The policy that the CloudTrail user guide gives for a bucket. */
export function bucketPolicy(
  bucket: string,
  accountId: string,
  over: { readonly prefix?: string } = {},
): string {
  const folder = `${over.prefix === undefined ? '' : `${over.prefix}/`}AWSLogs/${accountId}/*`;
  const allow = { Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' } };
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { ...allow, Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${bucket}` },
      {
        ...allow,
        Action: 's3:PutObject',
        Resource: `arn:aws:s3:::${bucket}/${folder}`,
        Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
      },
    ],
  });
}

async function* once(body: Uint8Array): AsyncIterable<Uint8Array> {
  yield body;
}

export function openMemoryBuckets(): MemoryBuckets {
  const buckets = new Map<string, BucketFacts>();
  const files = new Map<string, FileToPut>();
  const puts: { readonly file: FileToPut; readonly as: ActingFor }[] = [];
  const memory: MemoryBuckets = {
    buckets,
    files,
    puts,
    refused: new Set(),
    fault: undefined,
    gate: undefined,
    addBucket(name, over = {}) {
      const accountId = over.accountId ?? '000000000000';
      buckets.set(name, {
        name,
        accountId,
        region: 'eu-central-1',
        policy: bucketPolicy(name, accountId),
        ...over,
      });
    },
    records: (file) =>
      (JSON.parse(gunzipSync(file.body).toString()) as { Records: Record<string, unknown>[] }).Records,
    find: (name) => Promise.resolve(memory.refused.has(name) ? 'refused' : buckets.get(name)),
    async put(file, as) {
      await memory.gate?.(file);
      if (!buckets.has(file.bucket)) throw new AwsFault('NoSuchBucket', 'no such bucket');
      const fault = memory.fault?.(file);
      if (!fault || fault.after) {
        files.set(`${file.bucket}/${file.key}`, file);
        puts.push({ file, as });
      }
      if (fault) throw fault.error;
    },
    get(bucket, key) {
      const file = files.get(`${bucket}/${key}`);
      return Promise.resolve(file && once(file.body));
    },
    async *list(bucket, { prefix, after = '' }) {
      for (const [name, file] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        if (!name.startsWith(`${bucket}/${prefix}`) || file.key <= after) continue;
        yield { key: file.key, sizeBytes: file.body.length, lastModified: 0 };
      }
    },
  };
  return memory;
}
