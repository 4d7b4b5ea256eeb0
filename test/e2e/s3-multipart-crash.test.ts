import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/kernel/index.ts';
import { eventually, startServer, type TestServer } from './harness.ts';

/** Uploads in parts whose server is killed, again and again: while parts come, and while they are completed. */

const miB = 1024 * 1024;
const Bucket = 'crash';
const clientOf = (server: TestServer) =>
  new S3Client({ ...server.clientOptions, forcePathStyle: true, maxAttempts: 1 });

/** What a client knows of its uploads to one key, one after the other. */
interface Uploads {
  readonly key: string;
  /** The number of the last upload that was answered as complete, and of the last that was to be completed. */
  completed: number;
  asked: number;
  /** The upload under way, and the parts of it that were answered. */
  current: { readonly id: string; readonly number: number; readonly parts: Map<number, string> } | undefined;
}

const partsOf = (number: number) =>
  [5 * miB, 5 * miB, 1000].map((size, at) => Buffer.alloc(size, number * 3 + at));

async function uploadAll(client: S3Client, known: Uploads, stopped: AbortSignal): Promise<void> {
  const place = { Bucket, Key: known.key };
  for (let number = known.asked + 1; !stopped.aborted; number++) {
    const { UploadId = '' } = await client.send(new CreateMultipartUploadCommand(place));
    const parts = new Map<number, string>();
    known.current = { id: UploadId, number, parts };
    const send = async (Body: Buffer, at: number) => {
      const part = new UploadPartCommand({ ...place, UploadId, PartNumber: at + 1, Body });
      parts.set(at + 1, (await client.send(part)).ETag ?? '');
    };
    // All of them at once, so that a kill finds several on their way.
    await Promise.all(partsOf(number).map(send));
    known.asked = number;
    await complete(client, known);
    known.completed = number;
  }
}

const complete = (client: S3Client, { key, current }: Uploads) =>
  client.send(
    new CompleteMultipartUploadCommand({
      Bucket,
      Key: key,
      UploadId: current?.id,
      MultipartUpload: {
        Parts: [...(current?.parts ?? [])]
          .map(([PartNumber, ETag]) => ({ PartNumber, ETag }))
          .toSorted((a, b) => a.PartNumber - b.PartNumber),
      },
    }),
  );

/** The number of the upload whose bytes, all of them, are the object's; 0 where there is none. */
async function uploadFound(client: S3Client, Key: string): Promise<number> {
  const found = await client.send(new GetObjectCommand({ Bucket, Key })).catch((error: Error) => {
    if (error.name !== 'NoSuchKey') throw error;
  });
  if (!found) return 0;
  const bytes = Buffer.from((await found.Body?.transformToByteArray()) ?? []);
  const number = Math.floor((bytes[0] ?? 0) / 3);
  expect(bytes.equals(Buffer.concat(partsOf(number))), `${Key} is whole`).toBe(true);
  expect(found.ETag).toMatch(/-3"$/);
  return number;
}

/** Compares what is there after a start with what was answered. Answers how many blobs that takes. */
async function compare(client: S3Client, known: Uploads): Promise<number> {
  const number = await uploadFound(client, known.key);
  expect([known.completed, known.asked]).toContain(number);
  const { current } = known;
  const isOpen = async () => {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    return Uploads.some(({ UploadId }) => UploadId === current?.id);
  };
  if (!current) return number > 0 ? 3 : 0;
  expect(await isOpen(), `the upload ${current.id} is open`).toBe(current.number !== number);
  if (current.number === number) return 3;
  const { Parts = [] } = await client.send(
    new ListPartsCommand({ Bucket, Key: known.key, UploadId: current.id }),
  );
  const listed = new Map(Parts.map(({ PartNumber, ETag }) => [PartNumber, ETag]));
  for (const [part, etag] of current.parts) expect(listed.get(part), `part ${part}`).toBe(etag);
  // Of a part that was never answered, all or nothing is there.
  for (const { PartNumber = 0, Size } of Parts)
    expect(Size).toBe(partsOf(current.number)[PartNumber - 1]?.length);
  if (current.parts.size < 3) return (number > 0 ? 3 : 0) + Parts.length;
  await complete(client, known);
  known.asked = known.completed = current.number;
  expect(await uploadFound(client, known.key)).toBe(current.number);
  expect(await isOpen()).toBe(false);
  return 3;
}

function blobCount(server: TestServer): number {
  const entries = readdirSync(join(server.data, 'blob', 's3'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

/** `CAIRN_CRASH_ROUNDS` sets how often the server is killed, `CAIRN_CRASH_SEED` repeats a run. */
describe('uploads in parts', () => {
  const rounds = Number(process.env['CAIRN_CRASH_ROUNDS'] ?? 4);
  const seed = Number(process.env['CAIRN_CRASH_SEED'] ?? process.pid);

  it(
    `are there whole or not at all, with every part that was answered, when the server is killed (seed ${seed})`,
    { timeout: 60_000 + rounds * 60_000 },
    async () => {
      const random = seededRandom(seed);
      const data = mkdtempSync(join(tmpdir(), 'cairn-s3-crash-'));
      try {
        const all = ['a', 'b', 'c'].map((key): Uploads => ({
          key,
          completed: 0,
          asked: 0,
          current: undefined,
        }));
        for (let round = 0; round < rounds; round++) {
          const server = await startServer({ data });
          const client = clientOf(server);
          await client.send(new CreateBucketCommand({ Bucket }));
          const stopped = new AbortController();
          const work = all.map((known) =>
            uploadAll(client, known, stopped.signal).catch((error: unknown) => {
              if (!stopped.signal.aborted) throw error;
            }),
          );
          while (!all.some(({ current }) => (current?.parts.size ?? 0) > 0)) await pause(5);
          await pause(random.below(1500));
          stopped.abort();
          await server.kill();
          await Promise.all(work);
          client.destroy();
          await using again = await startServer({ data });
          const second = clientOf(again);
          let blobs = 0;
          for (const known of all) blobs += await compare(second, known);
          // Uploads that were begun before this round and never completed hold their parts as well.
          const { Uploads = [] } = await second.send(new ListMultipartUploadsCommand({ Bucket }));
          const under = new Set(all.map(({ current }) => current?.id));
          for (const { Key, UploadId } of Uploads.filter(({ UploadId }) => !under.has(UploadId))) {
            const { Parts = [] } = await second.send(new ListPartsCommand({ Bucket, Key, UploadId }));
            blobs += Parts.length;
          }
          await eventually(async () => (blobCount(again) === blobs ? true : undefined));
          second.destroy();
        }
        expect(all.every(({ asked }) => asked < 80)).toBe(true);
      } finally {
        rmSync(data, { recursive: true, force: true });
      }
    },
  );
});
