import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { region } from '../src/kernel/index.ts';
import { ListPublicKeys } from '../src/trail/digests/api/list-public-keys.ts';
import { sha256Hex } from '../src/trail/digests/digest-format.ts';
import type { TrailDocument } from '../src/trail/trails/trail-documents.ts';
import { openDigestsFixture, startMs, trailNamed, type DigestsFixture } from './digests-fixture.ts';

/** Buckets of log files and digests, made by the digests themselves with the clock turned by hand. */

export interface GeneratedFile {
  readonly key: string;
  readonly bytes: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface GeneratedBucket {
  readonly bucket: string;
  readonly trailArn: string;
  /** In the order in which they were put. */
  readonly digests: readonly GeneratedFile[];
  readonly logs: readonly GeneratedFile[];
  /** As `aws cloudtrail list-public-keys` prints them. */
  readonly publicKeys: string;
}

export interface BucketPlan {
  readonly hours: number;
  readonly filesPerHour: number;
  readonly recordsPerFile?: number;
  readonly regions?: readonly string[];
  /** Logging is stopped for two hours after this many hours. */
  readonly stopAfterHours?: number;
  readonly keyRotationMs?: number;
}

function logBytes(file: number, records: number): Buffer {
  const list = Array.from({ length: records }, (_, at) => ({
    eventVersion: '1.11',
    userIdentity: { type: 'IAMUser', userName: `user-${(file * 31 + at) % 97}`, accountId: '111122223333' },
    eventTime: new Date(startMs + file * 1000 + at).toISOString(),
    eventSource: 's3.amazonaws.com',
    eventName: ['PutObject', 'GetBucketAcl', 'DeleteBucket', 'ListBuckets'][(file + at) % 4],
    eventID: sha256Hex(`${file}-${at}`).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5'),
    requestParameters: { bucketName: `bucket-${(file * at) % 13}`, key: sha256Hex(`${at}${file}`) },
  }));
  return Buffer.from(JSON.stringify({ Records: list }));
}

async function deliverLog(
  fixture: DigestsFixture,
  trail: TrailDocument,
  {
    number,
    records,
    region: of,
  }: { readonly number: number; readonly records: number; readonly region: string },
): Promise<GeneratedFile> {
  const content = logBytes(number, records);
  const time = new Date(fixture.clock.now()).toISOString();
  const stamp = time.slice(0, 16).replaceAll(/[-:]/g, '');
  const name = `${trail.accountId}_CloudTrail_${of}_${stamp}Z_${sha256Hex(String(number)).slice(0, 16)}.json.gz`;
  const key = `AWSLogs/${trail.accountId}/CloudTrail/${of}/${time.slice(0, 10).replaceAll('-', '/')}/${name}`;
  await fixture.deliver(trail, { region: of, key, sha256: sha256Hex(content) });
  return { key, bytes: gzipSync(content), metadata: {} };
}

/** Makes the files of a bucket. */
export async function generateBucket(plan: BucketPlan): Promise<GeneratedBucket> {
  const { hours, filesPerHour, recordsPerFile = 3, regions = ['us-east-1'], stopAfterHours } = plan;
  await using fixture = await openDigestsFixture(
    plan.keyRotationMs === undefined ? {} : { keyRotationMs: plan.keyRotationMs },
  );
  let trail = trailNamed('main');
  await fixture.setTrail(trail);
  const logs: GeneratedFile[] = [];
  const stepMs = 3_600_000 / filesPerHour;
  const settle = () => fixture.pass(0);
  await settle();
  for (let hour = 0; hour < hours; hour++) {
    if (hour === stopAfterHours) {
      await fixture.setTrail({ ...trail, isLogging: false, stoppedAt: fixture.clock.now() });
      await fixture.pass(2 * 3_600_000);
      trail = { ...trail, startedAt: fixture.clock.now() };
      await fixture.setTrail(trail);
      await settle();
    }
    for (let file = 0; file < filesPerHour; file++) {
      for (const of of regions) {
        logs.push(
          await deliverLog(fixture, trail, { number: logs.length, records: recordsPerFile, region: of }),
        );
      }
      await fixture.clock.advance(stepMs);
    }
    await settle();
  }
  await fixture.pass(3_600_000);
  const keys = [];
  for (const of of regions) {
    const range = { StartTime: new Date(0), EndTime: new Date(startMs * 2) };
    const call = { region: region(of), time: fixture.clock.now() };
    keys.push(...((await ListPublicKeys(range, call, fixture.state)).PublicKeyList ?? []));
  }
  return {
    bucket: trail.bucket,
    trailArn: trail.arn,
    digests: fixture.puts.map(({ key, body, metadata = {} }) => ({
      key,
      bytes: Buffer.from(body),
      metadata,
    })),
    logs,
    publicKeys: JSON.stringify({
      PublicKeyList: keys.map((key) => ({ ...key, Value: Buffer.from(key.Value ?? []).toString('base64') })),
    }),
  };
}

/** Writes a bucket into a directory, with the metadata of the digests beside them, and its keys beside the directory. */
export async function writeBucket(
  directory: string,
  { digests, logs, publicKeys }: GeneratedBucket,
  options: { readonly withMetadata?: boolean } = {},
): Promise<{ readonly keyFile: string }> {
  for (const { key, bytes, metadata } of [...digests, ...logs]) {
    const path = join(directory, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    if (options.withMetadata === false || Object.keys(metadata).length === 0) continue;
    await writeFile(`${path}.metadata.json`, JSON.stringify(metadata));
  }
  const keyFile = `${directory}.keys.json`;
  await writeFile(keyFile, publicKeys);
  return { keyFile };
}
