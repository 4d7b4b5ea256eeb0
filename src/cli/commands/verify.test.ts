import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateBucket, writeBucket, type GeneratedBucket } from '../../../test/generated-bucket.ts';
import { manualClock, seededRandom } from '../../kernel/index.ts';
import type { CommandContext } from '../context.ts';
import type { Finding } from '../verify/findings.ts';
import { openOutput } from '../terminal/output.ts';
import { verify } from './verify.ts';

let folder: string;
let bucket: GeneratedBucket;
let number = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-verify-'));
  bucket = await generateBucket({
    hours: 6,
    filesPerHour: 2,
    regions: ['us-east-1', 'eu-west-1'],
    stopAfterHours: 3,
    keyRotationMs: 4 * 3_600_000,
  });
});

afterAll(() => rm(folder, { recursive: true }));

interface Verified {
  readonly code: number;
  readonly findings: readonly Finding[];
  readonly summary: any; // oxlint-disable-line typescript/no-explicit-any -- as read from JSON
  readonly notes: string;
}

/** A copy of the bucket in a directory of its own, and what verifies it offline. */
async function copy(from: GeneratedBucket = bucket, options: { readonly withMetadata?: boolean } = {}) {
  const directory = join(folder, String(number++));
  const { keyFile } = await writeBucket(directory, from, options);
  return {
    directory,
    path: (key: string) => join(directory, key),
    verify: async (more: Readonly<Record<string, unknown>> = {}, place = directory): Promise<Verified> => {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const context: CommandContext = {
        env: { XDG_CACHE_HOME: join(folder, 'cache'), AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
        output: openOutput(stdout, stderr, {}),
        clock: manualClock(Date.UTC(2026, 10, 23)),
        random: seededRandom(1),
        signal: new AbortController().signal,
        version: '0',
      };
      const code = await verify(context, place, { publicKeys: keyFile, workers: '4', json: true, ...more });
      const lines = String(stdout.read())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { readonly type: string });
      return {
        code,
        findings: lines.filter(({ type }) => type === 'finding') as unknown as Finding[],
        summary: lines.at(-1),
        notes: String(stderr.read() ?? ''),
      };
    },
  };
}

const inRegion = (name: string) => (file: { readonly key: string }) => file.key.includes(`/${name}/`);

/** A digest or log file in the middle, not the first or last of its chain. */
function some(files: GeneratedBucket['logs'], at: number) {
  const file = files.filter(inRegion('us-east-1'))[at];
  if (!file) throw new Error('there are too few files');
  return file;
}

const inOrder = (a: string, b: string) => (a < b ? -1 : 1);

describe('cairn verify', () => {
  it('finds nothing wrong with what was delivered, also over a rotation and a stop', async () => {
    const { verify: run } = await copy();
    const { code, findings, summary, notes } = await run();
    expect(findings).toEqual([]);
    expect(code).toBe(0);
    expect(summary).toMatchObject({
      digests: { valid: bucket.digests.length, invalid: 0 },
      logs: { valid: bucket.logs.length, invalid: 0 },
    });
    expect(notes).toContain(
      'No log files were delivered between 2026-11-22T13:00:00Z and 2026-11-22T15:00:00Z',
    );
  });

  it('remembers what it verified, and sees what changed since', async () => {
    const { verify: run, path } = await copy();
    await run();
    const { summary } = await run();
    expect(summary.digests.remembered).toBe(bucket.digests.length);
    expect(summary.logs.remembered).toBe(bucket.logs.length);
    const log = some(bucket.logs, 3);
    await writeFile(path(log.key), gzipSync('{"Records":[]}'));
    const changed = await run();
    expect(changed.findings).toMatchObject([{ kind: 'log-changed', file: path(log.key) }]);
    expect((await run()).findings).toMatchObject([{ kind: 'log-changed', file: path(log.key) }]);
    await writeFile(path(log.key), log.bytes);
    expect((await run()).code).toBe(0);
    const { summary: full } = await run({ full: true });
    expect(full.logs.remembered).toBe(0);
  });

  it('misses the newest digest of a chain when an earlier run has seen it', async () => {
    const { verify: run, path } = await copy();
    const newest = bucket.digests.findLast(inRegion('us-east-1'));
    await run();
    await rm(path(newest?.key ?? ''));
    expect((await run()).findings).toMatchObject([{ kind: 'digest-gone', file: path(newest?.key ?? '') }]);
    expect((await run()).code).toBe(1);
  });

  it('names a changed log file, what was expected and what was found', async () => {
    const { verify: run, path } = await copy();
    const log = some(bucket.logs, 4);
    const content = gunzipSync(log.bytes).toString().replace('PutObject', 'GetObject');
    await writeFile(path(log.key), gzipSync(content));
    const { findings, code } = await run();
    expect(code).toBe(1);
    expect(findings).toEqual([
      {
        type: 'finding',
        kind: 'log-changed',
        file: path(log.key),
        digest: expect.stringContaining(
          '_CloudTrail-Digest_us-east-1_main_us-east-1_20261122T130000Z.json.gz',
        ),
        message: 'the log file was changed after it was delivered',
        expected: expect.stringMatching(/^SHA-256 [0-9a-f]{64}$/),
        found: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  it('names deleted, moved and added log files', async () => {
    const { verify: run, path, directory } = await copy();
    const [deleted, moved] = [some(bucket.logs, 2), some(bucket.logs, 5)];
    await rm(path(deleted.key));
    const to = path(moved.key.replace(/_[0-9a-f]{16}\.json/, '_movedmovedmoved1.json'));
    await rename(path(moved.key), to);
    const added = path(deleted.key.replace(/_[0-9a-f]{16}\.json/, '_addedaddedadded1.json'));
    await writeFile(added, gzipSync('{"Records":[]}'));
    const odd = join(directory, dirname(deleted.key), 'notes.txt');
    await writeFile(odd, 'hello');
    const { findings } = await run();
    expect(findings.map(({ kind, file }) => `${kind} ${basename(file)}`).toSorted(inOrder)).toEqual(
      [
        `log-missing ${basename(deleted.key)}`,
        `log-missing ${basename(moved.key)}`,
        `log-moved ${basename(to)}`,
        `log-unlisted ${basename(added)}`,
        'log-unlisted notes.txt',
      ].toSorted(inOrder),
    );
    expect(findings.find(({ kind }) => kind === 'log-moved')?.expected).toBe(path(moved.key));
  });

  it('says how many log files it knows nothing of, because no digest covers their time', async () => {
    const { verify: run, path, directory } = await copy();
    // Logging was off from 13:00 to 15:00, and there was no trail the day before.
    const log = some(bucket.logs, 1);
    const [stamp = ''] = /_\d{8}T\d{4}Z_/.exec(log.key) ?? [];
    for (const time of ['_20261122T1330Z_', '_20261121T1200Z_'])
      await writeFile(path(log.key.replace(stamp, time)), log.bytes);
    const { findings, summary, code } = await run();
    expect([findings, code, summary.uncovered]).toEqual([[], 0, 2]);
    expect(summary.logs).toMatchObject({ valid: bucket.logs.length, invalid: 0 });
    // Without the digests of a region nothing is known of its log files.
    for (const { key } of bucket.digests.filter(inRegion('eu-west-1'))) await rm(join(directory, key));
    const ofRegion = bucket.logs.filter(inRegion('eu-west-1')).length;
    expect((await run({ state: join(directory, 'fresh.json') })).summary).toMatchObject({
      uncovered: 2 + ofRegion,
      newer: 0,
    });
  });

  it('names the place of a log file that was moved under a name that is none', async () => {
    const { verify: run, path } = await copy();
    const moved = some(bucket.logs, 5);
    const to = path(moved.key.replace(/[^/]+$/, 'hidden.gz'));
    await rename(path(moved.key), to);
    const { findings } = await run();
    expect(findings.find(({ kind }) => kind === 'log-moved')).toMatchObject({
      file: to,
      expected: path(moved.key),
    });
  });

  it('names a deleted digest and the link that is broken by it', async () => {
    const { verify: run, path } = await copy();
    const chain = bucket.digests.filter(inRegion('us-east-1'));
    await rm(path(chain[1]?.key ?? ''));
    const { findings } = await run();
    expect(findings).toMatchObject([
      { kind: 'digest-missing', file: path(chain[1]?.key ?? ''), digest: path(chain[2]?.key ?? '') },
    ]);
  });

  it('names a digest that was moved, and where it was delivered', async () => {
    const { verify: run, path } = await copy();
    const digest = some(bucket.digests, 1);
    const to = digest.key.replace('us-east-1_20261122', 'us-east-1_20261121');
    await rename(path(digest.key), path(to));
    await rename(path(`${digest.key}.metadata.json`), path(`${to}.metadata.json`));
    const { findings } = await run();
    expect(findings.map(({ kind, file }) => `${kind} ${file}`).toSorted(inOrder)).toEqual([
      `digest-missing ${path(digest.key)}`,
      `digest-moved ${path(to)}`,
    ]);
    expect(findings.find(({ kind }) => kind === 'digest-moved')?.expected).toBe(`s3://logs/${digest.key}`);
  });

  it('names a chain that was replaced by digests that are valid in themselves', async () => {
    const { verify: run, path } = await copy();
    // The same hour of another bucket of the same name and key: signed, but by another key and never chained to.
    const other = await generateBucket({ hours: 3, filesPerHour: 1 });
    const [, digest] = other.digests;
    if (!digest) throw new Error('there are too few digests');
    await writeFile(path(digest.key), digest.bytes);
    await writeFile(path(`${digest.key}.metadata.json`), JSON.stringify(digest.metadata));
    const unknown = await run();
    expect(unknown.findings[0]).toMatchObject({ kind: 'digest-unknown-key', file: path(digest.key) });
    const keys = [bucket, other].flatMap(
      ({ publicKeys }) => JSON.parse(publicKeys).PublicKeyList as unknown[],
    );
    const keyFile = join(folder, `both-${number++}.json`);
    await writeFile(keyFile, JSON.stringify({ PublicKeyList: keys }));
    const { findings } = await run({ publicKeys: keyFile });
    const broken = findings.filter(({ kind }) => kind === 'chain-broken');
    expect(broken.find(({ digest: link }) => link?.includes('T130000Z'))?.file).toBe(path(digest.key));
  });

  it.each([
    ['digest-not-gzip', () => Buffer.from('not gzip at all')],
    ['digest-trailing-bytes', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from([0])])],
    ['digest-trailing-bytes', (bytes: Buffer) => Buffer.concat([bytes, gzipSync('more')])],
    ['digest-damaged', (bytes: Buffer) => bytes.subarray(0, -4)],
    ['digest-bad-json', () => gzipSync('{"awsAccountId":')],
    ['digest-bad-format', () => gzipSync('{"awsAccountId":"111122223333"}')],
    [
      'digest-bad-signature',
      (bytes: Buffer) =>
        gzipSync(gunzipSync(bytes).toString().replace('"awsAccountId":"1', '"awsAccountId":"2')),
    ],
  ])('calls a digest %s', async (kind, change) => {
    const { verify: run, path } = await copy();
    const digest = some(bucket.digests, 1);
    await writeFile(path(digest.key), change(digest.bytes));
    const { findings } = await run();
    expect(findings.filter(({ file }) => file === path(digest.key))).toMatchObject([{ kind }]);
  });

  it.each([
    ['log-not-gzip', (bytes: Buffer) => gunzipSync(bytes)],
    ['log-not-gzip', () => Buffer.alloc(0)],
    ['log-trailing-bytes', (bytes: Buffer) => Buffer.concat([bytes, gzipSync('')])],
    ['log-damaged', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
  ])('calls a log file %s', async (kind, change) => {
    const { verify: run, path } = await copy();
    const log = some(bucket.logs, 1);
    await writeFile(path(log.key), change(log.bytes));
    expect((await run()).findings).toMatchObject([{ kind, file: path(log.key) }]);
  });

  it('takes signatures from the digests that follow where a copy has no metadata', async () => {
    const { verify: run } = await copy(bucket, { withMetadata: false });
    const { findings, summary } = await run();
    // Each chain's newest digest has no follower: two regions, two chains each.
    expect(findings.map(({ kind }) => kind)).toEqual(Array.from({ length: 4 }, () => 'digest-no-signature'));
    expect(summary.digests.valid).toBe(bucket.digests.length - 4);
  });

  it('verifies one trail or a time of it, and a part of the bucket', async () => {
    const { verify: run, path } = await copy();
    const none = await run({ trailArn: 'arn:aws:cloudtrail:us-east-1:111122223333:trail/other' });
    expect(none.findings).toMatchObject([{ kind: 'no-digests' }]);
    const { summary } = await run({ startTime: '2026-11-22T16:30:00Z' });
    expect(summary.digests.valid).toBeLessThan(bucket.digests.length);
    const deleted = bucket.logs.filter(inRegion('eu-west-1'))[1];
    await rm(path(deleted?.key ?? ''));
    expect((await run({ trailArn: bucket.trailArn })).findings).toMatchObject([{ kind: 'log-missing' }]);
    expect((await run({ startTime: '2026-11-22T16:30:00Z' })).code).toBe(0);
  });

  it('refuses a directory that does not exist, keys that are none, and times that are none', async () => {
    const { verify: run, path } = await copy();
    await expect(run({}, path('nowhere'))).rejects.toThrow('verify takes s3://BUCKET');
    await expect(run({ publicKeys: path('nowhere') })).rejects.toThrow('cannot read the public keys');
    await expect(run({ startTime: 'soon' })).rejects.toThrow('--start-time takes a time');
    const empty = join(folder, `empty-${number++}`);
    await mkdir(empty);
    expect((await run({}, empty)).findings).toMatchObject([{ kind: 'no-digests' }]);
  });

  it('finds and locates any bit that is flipped in any file', async () => {
    const small = await generateBucket({ hours: 3, filesPerHour: 1, recordsPerFile: 2 });
    const { verify: run, path } = await copy(small);
    const files = [...small.digests, ...small.logs].map(({ key }) => key);
    files.push(...small.digests.map(({ key }) => `${key}.metadata.json`));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), fc.nat(), async (key, at) => {
        const bytes = await readFile(path(key));
        const bit = at % (bytes.length * 8);
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await writeFile(path(key), flipped);
        const { findings, code } = await run({ full: true });
        await writeFile(path(key), bytes);
        expect(code).toBe(1);
        expect(findings.map(({ file }) => file)).toContain(path(key.replace('.metadata.json', '')));
      }),
      { numRuns: 120 },
    );
    expect((await run({ full: true })).code).toBe(0);
  });
});
