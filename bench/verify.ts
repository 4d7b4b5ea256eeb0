/**
 * `cairn verify` against `aws cloudtrail validate-logs`, on the same 2,000 log files in the S3 of the same server, one
 * after the other. The stock command asks for the public keys where it is told to, which here is this process.
 * `--files N` takes another number of log files.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { generateBucket, writeBucket, type GeneratedBucket } from '../test/generated-bucket.ts';
import { openFigures, round } from './figures.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';

const { values } = parseArgs({ options: { files: { type: 'string', default: '2000' } } });
const fileCount = Number(values.files);
const filesPerHour = 50;
const uploadsAtOnce = 16;

async function upload({ endpoint, credentials }: ServerProcess, bucket: GeneratedBucket): Promise<void> {
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket.bucket }));
  const files = [...bucket.logs, ...bucket.digests];
  const work = async () => {
    for (let file = files.pop(); file; file = files.pop()) {
      const { key, bytes, metadata } = file;
      await client.send(
        new PutObjectCommand({ Bucket: bucket.bucket, Key: key, Body: bytes, Metadata: { ...metadata } }),
      );
    }
  };
  await Promise.all(Array.from({ length: uploadsAtOnce }, work));
  client.destroy();
}

const seconds = (time: string | undefined) => Date.parse(time ?? '') / 1000;

/** Answers ListPublicKeys as CloudTrail does. */
async function openKeyServer(publicKeys: string) {
  const { PublicKeyList } = JSON.parse(publicKeys) as { PublicKeyList: Record<string, string>[] };
  const answer = JSON.stringify({
    PublicKeyList: PublicKeyList.map(({ ValidityStartTime, ValidityEndTime, ...key }) => ({
      ...key,
      ValidityStartTime: seconds(ValidityStartTime),
      ValidityEndTime: seconds(ValidityEndTime),
    })),
  });
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/x-amz-json-1.1').end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
}

async function run(env: NodeJS.ProcessEnv, command: string, args: readonly string[]) {
  const start = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`${command} ended with ${child.exitCode}: ${text}`);
  return { seconds: (performance.now() - start) / 1000, text };
}

const folder = await mkdtemp(join(tmpdir(), 'cairn-bench-verify-'));
try {
  const bucket = await generateBucket({
    hours: fileCount / filesPerHour,
    filesPerHour,
    recordsPerFile: 40,
  });
  const sizeBytes = bucket.logs.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const keyFile = join(folder, 'keys.json');
  await writeFile(keyFile, bucket.publicKeys);
  await writeBucket(join(folder, 'copy'), bucket);
  await using server = await startServerProcess(join(folder, 'data'));
  await upload(server, bucket);
  const figures = openFigures();
  figures.report('log files', `${bucket.logs.length}, ${round(sizeBytes / 1e6)} MB packed`);
  figures.report('digest files', String(bucket.digests.length));

  const stateFile = join(folder, 'state.ndjson');
  const cairn = [
    'src/cli/main.ts',
    'verify',
    `s3://${bucket.bucket}`,
    '--public-keys',
    keyFile,
    '--state',
    stateFile,
  ];
  const first = await run(server.env, process.execPath, cairn);
  figures.report('cairn verify, everything', `${round(first.seconds)} s`);
  const again = await run(server.env, process.execPath, [...cairn, '--full']);
  figures.report('cairn verify --full', `${round(again.seconds)} s`);
  const second = await run(server.env, process.execPath, cairn);
  figures.report('cairn verify, nothing new', `${round(second.seconds)} s`);

  const directory = [
    'verify',
    join(folder, 'copy'),
    '--public-keys',
    keyFile,
    '--state',
    `${stateFile}.copy`,
  ];
  const offline = await run(server.env, process.execPath, ['src/cli/main.ts', ...directory]);
  figures.report('cairn verify of a copy in a directory', `${round(offline.seconds)} s`);

  if (spawnSync('aws', ['--version']).status === 0) {
    const keys = await openKeyServer(bucket.publicKeys);
    const env = {
      ...server.env,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_CLOUDTRAIL: keys.endpoint,
      AWS_ENDPOINT_URL_S3: server.endpoint,
    };
    const range = ['--start-time', '2026-11-22T00:00:00Z', '--end-time', '2026-12-31T00:00:00Z'];
    const place = ['--trail-arn', bucket.trailArn, '--s3-bucket', bucket.bucket];
    const stock = await run(env, 'aws', ['cloudtrail', 'validate-logs', ...place, ...range]);
    keys.close();
    console.error(stock.text.trim());
    figures.report('aws cloudtrail validate-logs', `${round(stock.seconds)} s`);
    const full = Math.min(first.seconds, again.seconds);
    figures.report('times faster, everything', round(stock.seconds / full), 'at least 20');
    figures.report('times faster, nothing new', round(stock.seconds / second.seconds));
  } else {
    figures.report('aws cloudtrail validate-logs', 'not installed');
  }
  figures.print('Verifying log files');
} finally {
  await rm(folder, { recursive: true });
}
