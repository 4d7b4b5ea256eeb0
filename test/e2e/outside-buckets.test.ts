import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  CloudTrailClient,
  CreateTrailCommand,
  GetTrailStatusCommand,
  StartLoggingCommand,
} from '@aws-sdk/client-cloudtrail';
import { CreateBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOutsideBuckets, type OutsideBuckets } from '../../src/estate/s3/outside-buckets.ts';
import { readOutsideSettings } from '../../src/estate/s3/outside-settings.ts';
import { systemClock } from '../../src/kernel/index.ts';
import { eventually, startServer } from './harness.ts';
import { hasSwift, startSwift } from './swift-server.ts';

/** Log delivery to buckets elsewhere: to an S3 that this project did not write, and to another Cairn. */

interface Elsewhere extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

async function startCairn(): Promise<Elsewhere> {
  const server = await startServer();
  return {
    endpoint: server.endpoint,
    region: 'us-east-1',
    ...server.credentials,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function textOf(body: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  if (!body) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** As long as those of digest files are, which some servers must be told to take. */
const signature = 'abcdef01'.repeat(64);

const file = (key: string, text: string) => ({
  bucket: 'audit-logs',
  key,
  body: Buffer.from(text),
  contentType: 'application/json',
  contentEncoding: 'gzip',
  metadata: { signature, 'signature-algorithm': 'SHA256withRSA' },
});

/** Gives up when the signal is aborted, or resolves all the same. */
type Start = (signal: AbortSignal) => Promise<Elsewhere>;

const suites = [
  { name: 'OpenStack Swift', start: startSwift as Start, installed: hasSwift },
  { name: 'another Cairn', start: startCairn as Start, installed: true },
];

describe.each(suites)('buckets on $name', ({ start, installed }) => {
  const opened = new AsyncDisposableStack();
  const giveUp = new AbortController();
  let elsewhere: Elsewhere;
  let directory: string;
  let outside: OutsideBuckets;
  let client: S3Client;

  beforeAll(async () => {
    if (!installed) return;
    const starting = start(giveUp.signal);
    // Also when this hook is given up, what it has started ends.
    opened.defer(async () => (await starting.catch(() => undefined))?.[Symbol.asyncDispose]());
    elsewhere = await starting;
    directory = await mkdtemp(join(tmpdir(), 'cairn-outside-'));
    opened.defer(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'outside.json');
    const { endpoint, region, accessKeyId, secretAccessKey } = elsewhere;
    const entry = { endpoint, region, accessKeyId, secretAccessKey };
    const wrong = { ...entry, secretAccessKey: 'not the secret of this key' };
    await writeFile(path, JSON.stringify({ '*': entry, 'wrong-key': wrong }));
    await chmod(path, 0o600);
    outside = opened.use(openOutsideBuckets(await readOutsideSettings(path), systemClock));
    client = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    opened.defer(() => client.destroy());
    await client.send(new CreateBucketCommand({ Bucket: 'audit-logs' }));
  }, 120_000);

  afterAll(async () => {
    giveUp.abort(new Error('the tests are over'));
    await opened.disposeAsync();
  });

  it.skipIf(!installed)(
    'keeps what is put, with its headers and metadata, and says what is not there',
    async () => {
      await outside.put(file('AWSLogs/1/a.json.gz', 'first'));
      await outside.put(file('AWSLogs/1/a.json.gz', 'first'));
      expect(await textOf(await outside.get('audit-logs', 'AWSLogs/1/a.json.gz'))).toBe('first');
      expect(await outside.get('audit-logs', 'AWSLogs/1/none')).toBeUndefined();
      const head = await client.send(
        new HeadObjectCommand({ Bucket: 'audit-logs', Key: 'AWSLogs/1/a.json.gz' }),
      );
      expect(head).toMatchObject({
        ContentType: 'application/json',
        ContentEncoding: 'gzip',
        ContentLength: 5,
        Metadata: { signature, 'signature-algorithm': 'SHA256withRSA' },
      });
    },
  );

  it.skipIf(!installed)('lists in key order, by prefix, after a key', async () => {
    for (const name of ['c', 'b', 'd', 'other/x']) await outside.put(file(`list/${name}`, name));
    const found = await Array.fromAsync(outside.list('audit-logs', { prefix: 'list/', after: 'list/b' }));
    expect(found.map(({ key, sizeBytes }) => [key, sizeBytes])).toEqual([
      ['list/c', 1],
      ['list/d', 1],
      ['list/other/x', 7],
    ]);
    const before = systemClock.now() - 600_000;
    expect(found.every(({ lastModified }) => lastModified > before)).toBe(true);
  });

  it.skipIf(!installed)('fails by the name that the server gives, and never with the secret', async () => {
    const failures = await Promise.all(
      ['no-such-bucket-here', 'wrong-key'].map((bucket) =>
        outside.put({ ...file('x', 'y'), bucket }).then(
          () => undefined,
          (error: unknown) => error as { code: string; message: string },
        ),
      ),
    );
    expect(failures.map((error) => error?.code)).toEqual(['NoSuchBucket', 'SignatureDoesNotMatch']);
    expect(failures[0]?.message).toContain(`no-such-bucket-here at ${elsewhere.endpoint}`);
    for (const error of failures) {
      const shown = JSON.stringify(error, Object.getOwnPropertyNames(error));
      expect(shown).not.toContain(elsewhere.secretAccessKey);
      expect(shown).not.toContain('not the secret');
    }
  });

  it.skipIf(!installed)(
    'are where trails deliver, as soon as they can',
    async () => {
      const { endpoint, region, accessKeyId, secretAccessKey } = elsewhere;
      const path = join(directory, 'trails.json');
      await writeFile(path, JSON.stringify({ later: { endpoint, region, accessKeyId, secretAccessKey } }));
      await chmod(path, 0o600);
      await using server = await startServer({
        env: { CAIRN_OUTSIDE_BUCKETS: path, CAIRN_DELIVERY_SECONDS: '1' },
      });
      const trails = new CloudTrailClient(server.clientOptions);
      try {
        await client.send(new CreateBucketCommand({ Bucket: 'later' }));
        await trails.send(new CreateTrailCommand({ Name: 'main', S3BucketName: 'later' }));
        await trails.send(new StartLoggingCommand({ Name: 'main' }));
        const names = await eventually(async () => {
          const found: string[] = [];
          for await (const { key } of outside.list('later', { prefix: 'AWSLogs/000000000000/CloudTrail/' })) {
            const body = await outside.get('later', key);
            if (!body) continue;
            const text = gunzipSync(Buffer.concat(await Array.fromAsync(body))).toString();
            const { Records } = JSON.parse(text) as { Records: { eventName: string }[] };
            found.push(...Records.map(({ eventName }) => eventName));
          }
          return found.includes('StartLogging') ? found : undefined;
        });
        expect(names).toContain('StartLogging');
        const status = await trails.send(new GetTrailStatusCommand({ Name: 'main' }));
        expect(status.LatestDeliveryError ?? '').toBe('');
      } finally {
        trails.destroy();
      }
    },
    60_000,
  );
});
