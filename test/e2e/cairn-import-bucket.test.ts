import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cairn, logFile, record, startCairn } from './cairn-process.ts';
import { awsCli, eventually, hasAwsCli, startServer, type TestServer } from './harness.ts';

/** A bucket of log files on another endpoint, with an account and keys of its own, imported by the command. */

const account = '300000000001';
const sourceKey = {
  accessKeyId: 'AKIATESTSOURCEKEY001',
  secretAccessKey: 'test-source-secret-access-key-0000000001',
};
const bucket = 'archive';

let source: TestServer;
let server: TestServer;
let folder: string;
let env: NodeJS.ProcessEnv;

const s3 = () =>
  new S3Client({ ...source.clientOptions, credentials: sourceKey, forcePathStyle: true, maxAttempts: 3 });

const keyOf = (day: string, number: number) =>
  `AWSLogs/${account}/CloudTrail/eu-west-1/2026/10/${day}/${account}_CloudTrail_eu-west-1_202610${day}T0815Z_${String(number).padStart(16, 'x')}.json.gz`;

async function put(day: string, number: number, ...records: readonly string[]): Promise<void> {
  const Body = gzipSync(logFile(...records));
  await s3().send(new PutObjectCommand({ Bucket: bucket, Key: keyOf(day, number), Body }));
}

async function countOf(eventName: string, at: TestServer = server): Promise<number> {
  const { stdout } = await cairn(at.env, 'count', '--event-name', eventName, '--json');
  return (JSON.parse(stdout.trim() || '{}') as { count?: number }).count ?? 0;
}

const importing = () => [
  'import',
  '--json',
  '--source-endpoint',
  source.endpoint,
  '--source-profile',
  'archive',
  `s3://${bucket}/AWSLogs/`,
];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-bucket-'));
  source = await startServer({
    env: {
      CAIRN_ACCOUNT_ID: '300000000009',
      CAIRN_ROOT_ACCESS_KEY_ID: sourceKey.accessKeyId,
      CAIRN_ROOT_SECRET_ACCESS_KEY: sourceKey.secretAccessKey,
    },
  });
  server = await startServer();
  writeFileSync(
    join(folder, 'credentials'),
    `[archive]\naws_access_key_id = ${sourceKey.accessKeyId}\naws_secret_access_key = ${sourceKey.secretAccessKey}\n`,
  );
  env = {
    ...server.env,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    XDG_CACHE_HOME: join(folder, 'cache'),
  };
  await s3().send(new CreateBucketCommand({ Bucket: bucket }));
}, 60_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([source, server].map((one) => one[Symbol.asyncDispose]()));
});

describe('cairn import s3://', { timeout: 90_000 }, () => {
  it('brings a bucket of another endpoint in, and reads no object twice', async () => {
    const files = 30;
    for (let number = 0; number < files; number++) {
      const records = Array.from({ length: 20 }, () => record(account, { eventName: 'Archived' }));
      await put('01', number, ...records);
    }
    const digest = `AWSLogs/${account}/CloudTrail-Digest/eu-west-1/2026/10/01/${account}_CloudTrail-Digest_eu-west-1_main_eu-west-1_20261001T081500Z.json.gz`;
    await s3().send(new PutObjectCommand({ Bucket: bucket, Key: digest, Body: gzipSync('{}') }));
    const broken = keyOf('01', 999);
    await s3().send(new PutObjectCommand({ Bucket: bucket, Key: broken, Body: 'no gzip at all' }));
    const first = await cairn(env, ...importing());
    expect(JSON.parse(first.stdout)).toMatchObject({
      filesTotal: files + 1,
      filesKnown: 0,
      added: files * 20,
      broken: [{ path: `s3://${bucket}/${broken}` }],
    });
    expect(first.code).toBe(1);
    expect(await countOf('Archived')).toBe(files * 20);
    const asSource = { ...source, env: { ...source.env, ...sourceEnv() } };
    const reads = await countOf('GetObject', asSource);
    expect(reads).toBe(files + 1);
    const second = await cairn(env, ...importing());
    expect(JSON.parse(second.stdout)).toMatchObject({ filesKnown: files, added: 0 });
    // The broken one is read again, because nobody has its events.
    expect(await countOf('GetObject', asSource)).toBe(reads + 1);
  });

  it('goes on where it was stopped', async () => {
    const files = 150;
    for (let number = 0; number < files; number++)
      await put('02', number, record(account, { eventName: 'Interrupted' }));
    const args = [
      ...importing().slice(0, -1),
      '--workers',
      '1',
      `s3://${bucket}/AWSLogs/${account}/CloudTrail/eu-west-1/2026/10/02/`,
    ];
    const running = startCairn(env, ...args);
    await eventually(async () => ((await countOf('Interrupted')) > 0 ? true : undefined));
    running.child.kill('SIGKILL');
    await running.ended;
    const left = await cairn(env, ...args);
    const { filesKnown, added } = JSON.parse(left.stdout) as { filesKnown: number; added: number };
    expect(left.code).toBe(0);
    expect(await countOf('Interrupted')).toBe(files);
    // What was imported before the end was not imported again.
    expect(filesKnown + added).toBe(files);
    expect(filesKnown).toBeGreaterThan(0);
  });

  it.skipIf(!hasAwsCli)('follows what others put into the bucket until it is stopped', async () => {
    await put('03', 1, record(account, { eventName: 'BeforeFollowing' }));
    const running = startCairn(env, ...importing(), '--follow');
    await running.said('following the bucket');
    expect(await countOf('BeforeFollowing')).toBe(1);
    const file = join(folder, 'late.json.gz');
    writeFileSync(file, gzipSync(logFile(record(account, { eventName: 'WhileFollowing' }))));
    const late = keyOf('03', 2).replace('.json.gz', 'late.json.gz');
    const copied = spawnSync(
      awsCli,
      ['s3', 'cp', '--endpoint-url', source.endpoint, file, `s3://${bucket}/${late}`],
      { env: { ...server.env, ...sourceEnv() } },
    );
    expect(copied.stderr.toString()).toBe('');
    for (let look = 0; look < 6 && (await countOf('WhileFollowing')) === 0; look++)
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(await countOf('WhileFollowing')).toBe(1);
    // What came earlier is not said again.
    const rounds = running.stdout().trim().split('\n');
    expect(rounds.map((line) => (JSON.parse(line) as { added: number }).added).slice(1)).toEqual([1]);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(stderr).not.toContain('interrupted');
    // 1: the broken object of the first test is still there.
    expect(code).toBe(1);
  });

  it('says what is wrong with the place', async () => {
    const absent = await cairn(env, ...importing().slice(0, -1), 's3://no-such-bucket/');
    expect(absent.stderr).toMatch(/cannot read s3:\/\/no-such-bucket\/: NoSuchBucket/);
    expect(absent.code).not.toBe(0);
    const stranger = await cairn(
      server.env,
      'import',
      '--source-endpoint',
      source.endpoint,
      `s3://${bucket}/`,
    );
    expect(stranger.stderr).toMatch(/InvalidAccessKeyId/);
    expect(stranger.code).not.toBe(0);
    const local = await cairn(env, 'import', '--follow', folder);
    expect(local.stderr).toContain('--follow and --source-endpoint go with s3://BUCKET/PREFIX');
    expect(local.code).toBe(2);
  });
});

describe.skipIf(!hasAwsCli)('StartImport (skipped where /usr/bin/aws is absent)', { timeout: 90_000 }, () => {
  it('brings a bucket of another endpoint into an event data store, although the server is killed', async () => {
    const files = 250;
    const work = Array.from({ length: 8 }, async (_, lane) => {
      for (let number = lane; number < files; number += 8)
        await put(
          '04',
          number,
          record(account, { eventName: 'Started' }),
          record(account, { eventName: 'Started' }),
        );
    });
    await Promise.all(work);
    const broken = keyOf('04', 9999);
    await s3().send(new PutObjectCommand({ Bucket: bucket, Key: broken, Body: 'no gzip at all' }));
    const outside = join(folder, 'outside.json');
    const elsewhere = {
      endpoint: source.endpoint,
      region: 'us-east-1',
      accessKeyId: sourceKey.accessKeyId,
      secretAccessKey: sourceKey.secretAccessKey,
    };
    writeFileSync(outside, JSON.stringify({ [bucket]: elsewhere }), { mode: 0o600 });
    const data = mkdtempSync(join(tmpdir(), 'cairn-importing-'));
    const start = () =>
      startServer({ data, env: { CAIRN_OUTSIDE_BUCKETS: outside, CAIRN_ACCOUNT_ID: account } });
    try {
      let importer = await start();
      const aws = (...args: string[]) => {
        const options = ['--endpoint-url', importer.endpoint, '--output', 'json'];
        const { stdout, stderr } = spawnSync(awsCli, ['cloudtrail', ...args, ...options], {
          env: importer.env,
        });
        if (stderr.length > 0) throw new Error(stderr.toString());
        return JSON.parse(stdout.toString()) as Record<string, string>;
      };
      const store = aws('create-event-data-store', '--name', 'archive');
      const { EventDataStoreArn = '' } = store;
      const place = `s3://${bucket}/AWSLogs/${account}/CloudTrail/eu-west-1/2026/10/04/`;
      const role = `arn:aws:iam::${account}:role/import`;
      const from = `S3={S3LocationUri=${place},S3BucketRegion=us-east-1,S3BucketAccessRoleArn=${role}}`;
      const { ImportId = '' } = aws(
        'start-import',
        '--destinations',
        EventDataStoreArn,
        '--import-source',
        from,
      );
      const countHere = async () => countOf('Started', importer);
      await eventually(async () => ((await countHere()) > 0 ? true : undefined));
      await importer.kill();
      importer = await start();
      const done = await eventually(async () => {
        const found = aws('get-import', '--import-id', ImportId);
        return found['ImportStatus'] === 'IN_PROGRESS' ? undefined : found;
      });
      expect(done).toMatchObject({
        ImportStatus: 'COMPLETED',
        ImportStatistics: { FilesCompleted: files, EventsCompleted: files * 2, FailedEntries: 1 },
      });
      expect(aws('list-import-failures', '--import-id', ImportId)).toMatchObject({
        Failures: [{ Location: `s3://${bucket}/${broken}`, ErrorType: 'InvalidLogFile' }],
      });
      expect(await countHere()).toBe(files * 2);
      const id = EventDataStoreArn.split('/').at(-1) ?? '';
      const statement = `SELECT count(*) AS n, count(DISTINCT eventID) AS ids FROM ${id} WHERE eventName = 'Started'`;
      const asked = await cairn(importer.env, 'query', '--csv', statement);
      expect(asked.stdout.trim().split('\n').at(-1)).toBe(`${files * 2},${files * 2}`);
      const asJson = await cairn(importer.env, 'query', '--json', statement);
      expect(JSON.parse(asJson.stdout)).toEqual({ n: String(files * 2), ids: String(files * 2) });
      await importer[Symbol.asyncDispose]();
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  });
});

function sourceEnv(): NodeJS.ProcessEnv {
  return { AWS_ACCESS_KEY_ID: sourceKey.accessKeyId, AWS_SECRET_ACCESS_KEY: sourceKey.secretAccessKey };
}
