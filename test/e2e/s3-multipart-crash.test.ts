import { mkdtempSync, rmSync } from 'node:fs';
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
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './harness.ts';

/** A multipart upload whose server is killed, again and again: while parts come, and while it is completed. */

const Bucket = 'crash';
/** All but the last have the least size of a part. */
const bodies = [1, 2, 3, 4].map((at) => Buffer.alloc(at === 4 ? 1000 : 5 * 1024 * 1024, at));

let data: string;
let server: TestServer;
let s3: S3Client;

async function start(): Promise<void> {
  server = await startServer({ data });
  s3 = new S3Client({ ...server.clientOptions, forcePathStyle: true, maxAttempts: 1 });
}
async function kill(): Promise<void> {
  await server.kill();
  s3.destroy();
}

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'cairn-s3-crash-'));
  await start();
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  await kill();
  rmSync(data, { recursive: true, force: true });
});

async function putPart(Key: string, UploadId: string, PartNumber: number): Promise<CompletedPart> {
  const Body = bodies[PartNumber - 1]!;
  const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
  return { PartNumber, ETag };
}

async function partsOf(Key: string, UploadId: string) {
  const { Parts = [] } = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }));
  return Parts.map(({ PartNumber, ETag, Size }) => ({ PartNumber, ETag, Size }));
}

/** Begins an upload and kills the server when so many of its parts were answered, with the others on their way. */
async function uploadUntilKilled(
  Key: string,
  answeredParts: number,
): Promise<{ id: string; answered: CompletedPart[] }> {
  const { UploadId: id = '' } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const answered: CompletedPart[] = [];
  const enough = Promise.withResolvers<void>();
  const send = async (PartNumber: number): Promise<void> => {
    answered.push(await putPart(Key, id, PartNumber));
    if (answered.length >= answeredParts) enough.resolve();
  };
  const sent = Promise.allSettled(bodies.map((_, at) => send(at + 1)));
  await enough.promise;
  await kill();
  await sent;
  return { id, answered };
}

const isThere = (id: string) =>
  s3
    .send(new ListMultipartUploadsCommand({ Bucket }))
    .then(({ Uploads = [] }) => Uploads.some(({ UploadId }) => UploadId === id));

describe('a multipart upload', () => {
  it.each([
    { answeredParts: 1, completeMs: 0 },
    { answeredParts: 2, completeMs: 4 },
    { answeredParts: 3, completeMs: 15 },
    { answeredParts: 4, completeMs: 60 },
  ])(
    'goes on where it was when the server is killed after $answeredParts parts, and is whole or not there when it is killed $completeMs ms into its end',
    { timeout: 60_000 },
    async ({ answeredParts, completeMs }) => {
      const Key = `large-${answeredParts}`;
      const { id, answered } = await uploadUntilKilled(Key, answeredParts);
      await start();
      const listed = await partsOf(Key, id);
      expect(listed).toEqual(
        expect.arrayContaining(
          answered.map((part) => ({ ...part, Size: bodies[part.PartNumber! - 1]!.length })),
        ),
      );
      // Of a part that was never answered, all or nothing is there.
      for (const { PartNumber, Size } of listed) expect(Size).toBe(bodies[PartNumber! - 1]!.length);
      const known = new Map(listed.map(({ PartNumber, ETag }) => [PartNumber, { PartNumber, ETag }]));
      const Parts = await Promise.all(
        bodies.map(async (_, at) => known.get(at + 1) ?? putPart(Key, id, at + 1)),
      );
      const complete = () =>
        s3.send(
          new CompleteMultipartUploadCommand({ Bucket, Key, UploadId: id, MultipartUpload: { Parts } }),
        );

      const ending = complete().then(
        () => true,
        () => false,
      );
      await pause(completeMs);
      await kill();
      const wasAnswered = await ending;
      await start();
      const isOpen = await isThere(id);
      if (wasAnswered) expect(isOpen).toBe(false);
      if (isOpen) await complete();
      expect(await isThere(id)).toBe(false);
      const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      expect(ETag).toMatch(/-4"$/);
      expect(Buffer.concat(bodies).equals(await Body!.transformToByteArray())).toBe(true);
    },
  );
});
