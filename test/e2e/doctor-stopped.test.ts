import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkStopped } from '../../src/cli/doctor/stopped-checks.ts';
import { manualClock, seededRandom } from '../../src/kernel/index.ts';
import { cairn, logFile, record } from './cairn-process.ts';
import { startServer } from './harness.ts';

let data: string;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'cairn-doctor-stopped-'));
  await using server = await startServer({ data });
  const records = Array.from({ length: 600 }, () => record(server.accountId));
  const file = join(data, 'import.json');
  await writeFile(file, logFile(...records));
  await cairn(server.env, 'import', file);
  await rm(file);
  await cairn(server.env, 'query', 'SELECT count(*) FROM events');
  const s3 = new S3Client({ ...server.clientOptions, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'alpha' }));
  const Body = Buffer.alloc(100_000, 'plain');
  await s3.send(new PutObjectCommand({ Bucket: 'alpha', Key: 'ours', Body }));
  await s3.send(new PutObjectCommand({ Bucket: 'alpha', Key: 'kms', Body, ServerSideEncryption: 'aws:kms' }));
});
afterAll(() => rm(data, { recursive: true, force: true }));

async function filesOf(part: string): Promise<readonly string[]> {
  const entries = await readdir(join(data, part), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
}

async function findings() {
  const found: { level: string; name: string; finding: string; advice?: string }[] = [];
  for await (const checks of checkStopped(data, { clock: manualClock(0), random: seededRandom(1) }))
    found.push(...checks);
  return found;
}

const failures = async () => (await findings()).filter(({ level }) => level === 'fail');

/** What the doctor says while one bit of a file is another. */
async function flipped(file: string, at: number) {
  const whole = await readFile(file);
  const bytes = Buffer.from(whole);
  bytes[at] = (bytes[at] ?? 0) ^ 16;
  await writeFile(file, bytes);
  try {
    return await failures();
  } finally {
    await writeFile(file, whole);
  }
}

async function digestOfEverything(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of await filesOf('.')) hash.update(file).update(await readFile(file));
  return hash.digest('hex');
}

it('finds everything whole, says what it read and what not, and changes nothing', async () => {
  const before = await digestOfEverything();
  const found = await findings();
  expect(found.filter(({ level }) => level !== 'ok')).toEqual([]);
  const said = found.map(({ name, finding }) => `${name}: ${finding}`).join('\n');
  expect(said).toMatch(/state: .*state\.sqlite: \d+ documents, all whole/);
  expect(said).toMatch(/proofs: .*tlog: 6\d\d records under the newest checkpoint/);
  expect(said).toMatch(
    /objects: .*1 version of objects read to the end, all whole; of 1 more, under keys of KMS/,
  );
  expect(said).toMatch(/lake: .*lake: 6\d\d rows in 1 file, all whole/);
  expect(said).toMatch(/not checked: results of queries/);
  expect(await digestOfEverything()).toBe(before);
});

it('finds a flipped bit in the tree, the lake and the sealed bytes of objects, and names the file', async () => {
  for (const [part, name] of [
    ['tlog', 'proofs'],
    ['lake', 'lake'],
  ] as const) {
    for (const file of await filesOf(part)) {
      const { length } = await readFile(file);
      for (const at of [0, Math.floor(length / 3), length - 4])
        expect([file, at, await flipped(file, at)]).toMatchObject([
          file,
          at,
          [{ name, finding: expect.stringContaining(join(data, part)), advice: expect.any(String) }],
        ]);
    }
  }
  const documents = new DatabaseSync(join(data, 'state', 'state.sqlite'), { readOnly: true });
  const contents = documents
    .prepare(`SELECT json FROM documents WHERE key = 's3/object/alpha/ours'`)
    .get() as { readonly json: string };
  documents.close();
  const { content } = JSON.parse(contents.json) as { readonly content: string };
  const blob = (await filesOf('blob')).find((file) => file.endsWith(content)) ?? '';
  for (const at of [0, 70_000]) {
    expect(await flipped(blob, at)).toMatchObject([
      {
        name: 'objects',
        finding: expect.stringMatching(/alpha\/ours\): chunk [01] of the stored bytes is damaged/),
      },
    ]);
    expect((await flipped(blob, at))[0]?.finding).toContain(blob);
  }
});

it('finds another place in the journal beside the signed checkpoint', async () => {
  const file = join(data, 'tlog', 'head.json');
  const head = await readFile(file, 'utf8');
  const { next } = JSON.parse(head) as { readonly next: number };
  await writeFile(file, head.replace(`"next":${next}`, `"next":${next - 1}`));
  expect(await failures()).toMatchObject([
    { name: 'proofs', finding: `${file}: it is not what was written`, advice: expect.any(String) },
  ]);
  await writeFile(file, head);
});

it('finds bytes of objects that are missing or cut off, also under keys of KMS', async () => {
  for (const file of await filesOf('blob')) {
    await rename(file, `${data}.aside`);
    expect(await failures()).toMatchObject([{ finding: expect.stringContaining('it is missing') }]);
    const whole = await readFile(`${data}.aside`);
    await writeFile(file, whole.subarray(0, -1));
    expect(await failures()).toMatchObject([
      { finding: expect.stringMatching(/it has \d+ bytes instead of/) },
    ]);
    await rename(`${data}.aside`, file);
  }
});

it('finds a damaged document, and does not judge the rest by it', async () => {
  const file = join(data, 'state', 'state.sqlite');
  const whole = await readFile(file);
  await writeFile(file, whole.toString('latin1').replaceAll('"alpha"', '"alphb"'), 'latin1');
  const found = await findings();
  expect(found).toContainEqual(
    expect.objectContaining({
      level: 'fail',
      name: 'state',
      finding: expect.stringMatching(/state\.sqlite: the document "s3\/.*" has not the sum/),
      advice: expect.stringContaining('start Cairn: it sets a damaged database aside and rebuilds it'),
    }),
  );
  expect(found).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      finding: expect.stringContaining('proofs and objects were not read'),
    }),
  );
  {
    await using server = await startServer({ data });
    await server.stop();
  }
  expect(await failures()).toEqual([]);
});
