import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { startServer } from './harness.ts';

/** What large objects cost in memory. */

const miB = 1024 * 1024;
const Bucket = 'large';

describe.skipIf(process.platform !== 'linux')('the memory of a server', () => {
  // What is held of an object, or of its larger part, shows at this size as it would at 5 GB.
  it('grows by less than 64 MB while an object of 192 MB comes and goes', { timeout: 300_000 }, async () => {
    await using server = await startServer();
    const client = new S3Client({ ...server.clientOptions, forcePathStyle: true });
    const chunk = randomBytes(miB);
    const put = (sizeMiB: number) =>
      client.send(
        new PutObjectCommand({
          Bucket,
          Key: 'object',
          Body: Readable.from(Array.from({ length: sizeMiB }, () => chunk)),
          ContentLength: sizeMiB * miB,
        }),
      );
    const get = async () => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'object' }));
      const md5 = createHash('md5');
      for await (const bytes of Body as Readable) md5.update(bytes as Buffer);
      return `"${md5.digest('hex')}"`;
    };
    await client.send(new CreateBucketCommand({ Bucket }));
    await put(16);
    await get();
    const proc = `/proc/${server.process.pid}`;
    const peakMiB = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`${proc}/status`, 'utf8'))?.[1]) / 1024;
    // Sets the peak back to what is resident now.
    writeFileSync(`${proc}/clear_refs`, '5');
    const before = peakMiB();
    const { ETag } = await put(192);
    expect(peakMiB() - before).toBeLessThan(64);
    expect(await get()).toBe(ETag);
    expect(peakMiB() - before).toBeLessThan(64);
    client.destroy();
  });
});
