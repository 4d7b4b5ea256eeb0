/**
 * `cairn verify` against `aws cloudtrail validate-logs`, on the same 2,000 log files in the S3 of the same server, one
 * after the other: first in the S3 of a server on the same cores, then in a bucket somewhere else, whose answers take their
 * time and whose work is not done here. The stock command asks for the public keys where it is told to, which here is this process.
 * `--files N` takes another number of log files, `--latency-ms N` another delay.
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
import { openFarBucket } from './far-bucket.ts';
import { openFigures, round } from './figures.ts';
import { cpuMs, startServerProcess, type ServerProcess } from './server-process.ts';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '2000' },
    'latency-ms': { type: 'string', default: '20' },
  },
});
const latencyMs = Number(values['latency-ms']);
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

interface Run {
  readonly seconds: number;
  /** Of the command and of Cairn's server, which share the machine's cores. */
  readonly cpuSeconds: number;
  readonly text: string;
}

type Way = Pick<ServerProcess, 'env' | 'cpuMs' | 'settled'>;

async function run(way: Way, command: string, args: readonly string[]): Promise<Run> {
  const { env } = way;
  await way.settled();
  const cpuSeconds = () => (way.cpuMs() + cpuMs(process.pid, 'children')) / 1000;
  const startCpu = cpuSeconds();
  const start = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`${command} ended with ${child.exitCode}: ${text}`);
  return { seconds: (performance.now() - start) / 1000, cpuSeconds: cpuSeconds() - startCpu, text };
}

const folder = await mkdtemp(join(tmpdir(), 'cairn-bench-verify-'));
const keyFile = join(folder, 'keys.json');
const stateFile = join(folder, 'state.ndjson');
const figures = openFigures();

const shown = ({ seconds, cpuSeconds }: Run) => `${round(seconds)} s, ${round(cpuSeconds)} s of CPU`;

function verify(way: Way, place: string, more: readonly string[] = []): Promise<Run> {
  const options = ['--public-keys', keyFile, '--state', stateFile, ...more];
  return run(way, process.execPath, ['src/cli/main.js', 'verify', place, ...options]);
}

/** Both commands on their way to the server; `name` says which one. */
async function compare(bucket: GeneratedBucket, way: Way, name: string): Promise<void> {
  const place = `s3://${bucket.bucket}`;
  await rm(stateFile, { force: true });
  const first = await verify(way, place);
  figures.report(`cairn verify, everything${name}`, shown(first));
  const again = await verify(way, place, ['--full']);
  figures.report(`cairn verify --full${name}`, shown(again));
  const known = await verify(way, place);
  figures.report(`cairn verify, nothing new${name}`, shown(known));
  if (spawnSync('aws', ['--version']).status !== 0) {
    figures.report('aws cloudtrail validate-logs', 'not installed');
    return;
  }
  const keys = await openKeyServer(bucket.publicKeys);
  const stockEnv = {
    ...way.env,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_CLOUDTRAIL: keys.endpoint,
    AWS_ENDPOINT_URL_S3: way.env['AWS_ENDPOINT_URL'],
  };
  const range = ['--start-time', '2026-11-22T00:00:00Z', '--end-time', '2026-12-31T00:00:00Z'];
  const what = ['--trail-arn', bucket.trailArn, '--s3-bucket', bucket.bucket];
  const stock = await run({ ...way, env: stockEnv }, 'aws', [
    'cloudtrail',
    'validate-logs',
    ...what,
    ...range,
  ]);
  keys.close();
  console.error(stock.text.trim());
  figures.report(`aws cloudtrail validate-logs${name}`, shown(stock));
  const full = first.seconds < again.seconds ? first : again;
  figures.report(`times faster, everything${name}`, round(stock.seconds / full.seconds), 'at least 20');
  figures.report(`times less CPU, everything${name}`, round(stock.cpuSeconds / full.cpuSeconds));
  figures.report(`times faster, nothing new${name}`, round(stock.seconds / known.seconds));
}

try {
  const bucket = await generateBucket({
    hours: fileCount / filesPerHour,
    filesPerHour,
    recordsPerFile: 40,
  });
  const sizeBytes = bucket.logs.reduce((sum, { bytes }) => sum + bytes.length, 0);
  await writeFile(keyFile, bucket.publicKeys);
  await writeBucket(join(folder, 'copy'), bucket);
  await using server = await startServerProcess(join(folder, 'data'));
  await upload(server, bucket);
  figures.report('log files', `${bucket.logs.length}, ${round(sizeBytes / 1e6)} MB packed`);
  figures.report('digest files', String(bucket.digests.length));
  await compare(bucket, server, '');
  const far = await openFarBucket(bucket, latencyMs);
  try {
    await compare(
      bucket,
      { ...server, env: { ...server.env, AWS_ENDPOINT_URL: far.endpoint } },
      `, ${latencyMs} ms away`,
    );
  } finally {
    far.close();
  }
  await rm(stateFile, { force: true });
  const offline = await verify(server, join(folder, 'copy'));
  figures.report('cairn verify of a copy in a directory', shown(offline));
  figures.print('Verifying log files');
} finally {
  await rm(folder, { recursive: true });
}
