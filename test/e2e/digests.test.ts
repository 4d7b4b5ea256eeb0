import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  CloudTrailClient,
  CreateTrailCommand,
  GetTrailStatusCommand,
  ListPublicKeysCommand,
  StartLoggingCommand,
  StopLoggingCommand,
} from '@aws-sdk/client-cloudtrail';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/trail/digests/index.ts';
import { bucketPolicy } from '../memory-buckets.ts';
import { cairn } from './cairn-process.ts';
import { startTurned, type TurnedServer } from './turned-process.ts';

/**
 * Digests of a real server over a rotation of keys, a stop of logging and a crash, judged by programs that this project
 * did not write. The server's clock is turned by hand from a month ago to now, so that clients with a real clock get along
 * with it in the end.
 */

const account = '000000000000';
const bucket = 'evidence';
const trailArn = `arn:aws:cloudtrail:us-east-1:${account}:trail/main`;
const hourMs = 3_600_000;
const rotationMs = 30 * 24 * hourMs;
/** Version 2.9 sends its requests for S3 to AWS whatever AWS_ENDPOINT_URL says. */
const awsVersion = /aws-cli\/(\d+)\.(\d+)/.exec(spawnSync('aws', ['--version']).stdout?.toString() ?? '');
const hasAws = awsVersion !== null && (awsVersion[1] === '1' || Number(awsVersion[2]) >= 13);
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

let data: string;
let folder: string;
let server: TurnedServer;
const endTime = Date.now();

const options = () => server.clientOptions();
const pass = (ms: number, steps?: number) => server.pass(ms, steps);
const trails = () => new CloudTrailClient(options());
const s3 = () => new S3Client({ ...options(), forcePathStyle: true });

let users = 0;
async function makeEvents(): Promise<void> {
  for (let count = 0; count < 2; count++) {
    await new IAMClient(options()).send(new CreateUserCommand({ UserName: `user-${users++}` }));
  }
}

interface Stored {
  readonly key: string;
  readonly bytes: Buffer;
  readonly metadata: Record<string, string>;
}

async function read(key: string): Promise<Stored> {
  const { Body, Metadata = {} } = await s3().send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return { key, bytes: Buffer.from((await Body?.transformToByteArray()) ?? []), metadata: Metadata };
}

async function filesUnder(folderName: string): Promise<readonly Stored[]> {
  const found: Stored[] = [];
  const pages = paginateListObjectsV2(
    { client: s3() },
    { Bucket: bucket, Prefix: `AWSLogs/${account}/${folderName}/us-east-1/` },
  );
  for await (const { Contents = [] } of pages) {
    for (const { Key = '' } of Contents) found.push(await read(Key));
  }
  return found;
}

const readDigests = async () =>
  (await filesUnder('CloudTrail-Digest')).map(({ bytes }) => JSON.parse(gunzipSync(bytes).toString()));

const listedFiles = (digests: Awaited<ReturnType<typeof readDigests>>): readonly string[] =>
  digests.flatMap(({ logFiles }) => logFiles.map(({ s3Object }: { s3Object: string }) => s3Object));

const put = ({ key, bytes, metadata }: Stored) =>
  s3().send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, Metadata: metadata }));
const remove = (key: string) => s3().send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));

const clientEnv = () => ({ ...server.env, XDG_CACHE_HOME: join(folder, 'cache') });

interface Outcome {
  readonly code: number | null;
  readonly text: string;
}

async function validateLogs(): Promise<Outcome> {
  const range = ['--start-time', new Date(endTime - 2 * rotationMs).toISOString()];
  const aws = spawn('aws', ['cloudtrail', 'validate-logs', '--trail-arn', trailArn, ...range], {
    env: clientEnv(),
  });
  let text = '';
  aws.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  aws.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(aws, 'close');
  return { code: aws.exitCode, text };
}

async function cairnVerify(): Promise<Outcome> {
  const { code, stdout, stderr } = await cairn(clientEnv(), 'verify', `s3://${bucket}`, '--full');
  return { code, text: stdout + stderr };
}

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'cairn-digests-'));
  folder = await mkdtemp(join(tmpdir(), 'cairn-digests-'));
  let rotation = Math.floor(endTime / rotationMs) * rotationMs;
  if (endTime - rotation < 24 * hourMs) rotation -= rotationMs;
  server = await startTurned(data, rotation - 2.5 * hourMs);
  await s3().send(new CreateBucketCommand({ Bucket: bucket }));
  await s3().send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: bucketPolicy(bucket, account) }));
  await trails().send(
    new CreateTrailCommand({ Name: 'main', S3BucketName: bucket, EnableLogFileValidation: true }),
  );
  await trails().send(new StartLoggingCommand({ Name: 'main' }));
  for (let hour = 0; hour < 5; hour++) {
    await makeEvents();
    await pass(hourMs);
  }
  await trails().send(new StopLoggingCommand({ Name: 'main' }));
  await pass(2 * hourMs);
  await pass(endTime - 4.9 * hourMs - server.now, 0);
  await trails().send(new StartLoggingCommand({ Name: 'main' }));
  await makeEvents();
  await pass(1.5 * hourMs);
  await makeEvents();
  // Killed while log files and digests of more than an hour are being delivered; its clock was anywhere in that time.
  const then = server.now + 1.5 * hourMs;
  server.beginPass(1.5 * hourMs, 18);
  await pause(60);
  await server.kill();
  server = await startTurned(data, then);
  await makeEvents();
  await pass(endTime - then);
}, 120_000);

afterAll(async () => {
  await server.kill();
  await Promise.all([data, folder].map((one) => rm(one, { recursive: true, force: true })));
});

describe('digests over a rotation of keys, a stop of logging and a crash', () => {
  it('are there for every hour in which the trail logged, and for no other', async () => {
    const digests = await readDigests();
    const starts = digests.filter((digest) => digest.previousDigestSignature === null);
    expect(starts.length).toBe(2);
    digests.slice(1).forEach((digest, at) => {
      if (starts.includes(digest)) return;
      expect(digest.digestStartTime).toBe(digests[at].digestEndTime);
      expect(digest.previousDigestS3Object).toBe(digests[at].digestS3Object);
    });
    expect(new Set(digests.map((digest) => digest.digestPublicKeyFingerprint)).size).toBeGreaterThan(1);
    const listed = listedFiles(digests);
    expect(new Set(listed).size).toBe(listed.length);
    const status = await trails().send(new GetTrailStatusCommand({ Name: 'main' }));
    expect(status.LatestDigestDeliveryTime?.getTime()).toBeGreaterThan(endTime - 2 * hourMs);
    expect(status.LatestDigestDeliveryError).toBeUndefined();
  });

  it.skipIf(!hasOpenssl)(
    'hold before openssl, as the documentation on custom validation has it',
    async () => {
      const { PublicKeyList = [] } = await trails().send(
        new ListPublicKeysCommand({ StartTime: new Date(0), EndTime: new Date(endTime) }),
      );
      for (const { Fingerprint, Value } of PublicKeyList) {
        await writeFile(join(folder, `${Fingerprint}.der`), Value ?? '');
        const pem = [
          '-inform',
          'DER',
          '-in',
          join(folder, `${Fingerprint}.der`),
          '-out',
          join(folder, `${Fingerprint}.pem`),
        ];
        expect(spawnSync('openssl', ['rsa', '-RSAPublicKey_in', '-pubout', ...pem]).status).toBe(0);
      }
      for (const { bytes, metadata } of await filesUnder('CloudTrail-Digest')) {
        const content = gunzipSync(bytes);
        const digest = JSON.parse(content.toString());
        const signed = `${digest.digestEndTime}\n${digest.digestS3Bucket}/${digest.digestS3Object}\n${sha256Hex(content)}\n${digest.previousDigestSignature}`;
        await writeFile(join(folder, 'signed'), signed);
        await writeFile(join(folder, 'signature'), Buffer.from(metadata['signature'] ?? '', 'hex'));
        const key = join(folder, `${digest.digestPublicKeyFingerprint}.pem`);
        const files = ['-signature', join(folder, 'signature'), join(folder, 'signed')];
        const outcome = spawnSync('openssl', ['dgst', '-sha256', '-verify', key, ...files]);
        expect(outcome.stdout.toString()).toBe('Verified OK\n');
      }
    },
  );

  it.skipIf(!hasAws)('are valid to aws cloudtrail validate-logs', async () => {
    const { code, text } = await validateLogs();
    const [digests, logs] = [await filesUnder('CloudTrail-Digest'), await filesUnder('CloudTrail')];
    expect(text).toContain(`${digests.length}/${digests.length} digest files valid`);
    expect(text).toContain(`${logs.length}/${logs.length} log files valid`);
    expect(text).toContain('No log files were delivered by CloudTrail between');
    expect(code).toBe(0);
  });

  it('list the log files that hold every event, once', async () => {
    const logs = await filesUnder('CloudTrail');
    const records = logs.flatMap(({ bytes }) => JSON.parse(gunzipSync(bytes).toString()).Records);
    const created = records.filter(({ eventName }) => eventName === 'CreateUser');
    const names = created.map(({ requestParameters }) => requestParameters.userName);
    expect(names).toHaveLength(users);
    // Files of one minute have no order among them.
    expect(new Set(names)).toEqual(new Set(Array.from({ length: users }, (_, at) => `user-${at}`)));
    const digests = await readDigests();
    const listed = listedFiles(digests);
    expect(listed).toEqual(expect.arrayContaining(logs.map(({ key }) => key)));
  });

  it('are valid to cairn verify', async () => {
    const { code, text } = await cairnVerify();
    expect(text).toContain('0 findings');
    expect(code).toBe(0);
  });

  const tampered: readonly {
    readonly what: string;
    readonly folderName: 'CloudTrail' | 'CloudTrail-Digest';
    readonly at: number;
    readonly change: (file: Stored) => Promise<unknown>;
    readonly says: string;
    readonly kind: string;
  }[] = [
    {
      what: 'a changed log file',
      folderName: 'CloudTrail',
      at: 1,
      change: (file) =>
        put({
          ...file,
          bytes: gzipSync(gunzipSync(file.bytes).toString().replace('CreateUser', 'DeleteUser')),
        }),
      says: "INVALID: hash value doesn't match",
      kind: 'log-changed',
    },
    {
      what: 'a deleted log file',
      folderName: 'CloudTrail',
      at: 2,
      change: ({ key }) => remove(key),
      says: 'INVALID: not found',
      kind: 'log-missing',
    },
    {
      what: 'a broken chain',
      folderName: 'CloudTrail-Digest',
      at: 2,
      change: ({ key }) => remove(key),
      says: 'INVALID: not found',
      kind: 'digest-missing',
    },
    {
      what: 'a moved digest',
      folderName: 'CloudTrail-Digest',
      at: 1,
      change: async (file) => {
        const before = (await filesUnder('CloudTrail-Digest')).findLast(({ key }) => key < file.key);
        return put({ ...(before ?? file), key: file.key });
      },
      says: 'INVALID: has been moved from its original location',
      kind: 'digest-moved',
    },
    {
      what: 'a changed digest',
      folderName: 'CloudTrail-Digest',
      at: 3,
      change: (file) => put({ ...file, bytes: gzipSync(`${gunzipSync(file.bytes).toString()} `) }),
      says: 'INVALID: signature verification failed',
      kind: 'digest-bad-signature',
    },
  ];

  for (const { what, folderName, at, change, says, kind } of tampered) {
    it(`name ${what}`, async () => {
      const file = (await filesUnder(folderName))[at];
      if (!file) throw new Error('there are too few files');
      await change(file);
      try {
        const own = await cairnVerify();
        expect(own.text).toContain(`s3://${bucket}/${file.key}: ${kind}:`);
        expect(own.code).toBe(1);
        if (!hasAws) return;
        const stock = await validateLogs();
        expect(stock.text).toContain(`s3://${bucket}/${file.key}\t${says}`);
        expect(stock.code).toBe(1);
      } finally {
        await put(file);
      }
    });
  }
});
