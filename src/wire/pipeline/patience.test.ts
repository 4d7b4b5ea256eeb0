import { once, EventEmitter } from 'node:events';
import { CopyObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { AwsFault, manualClock } from '../../kernel/index.ts';
import { signRequest } from '../index.ts';
import { openTestEndpoint } from '../test-endpoint.ts';

/** An endpoint whose copies end when the test says so, on a clock that the test turns. */
async function openSlow() {
  const clock = manualClock(Date.now());
  const begun = new EventEmitter();
  let outcome = Promise.withResolvers<object>();
  const endpoint = await openTestEndpoint({
    pipeline: {
      clock,
      operations: {
        s3: {
          CopyObject: {
            access: 'write',
            category: 'data',
            takesLong: true,
            handle() {
              begun.emit('begun');
              return outcome.promise;
            },
          },
        },
      },
    },
  });
  return {
    endpoint,
    client: new S3Client({
      endpoint: endpoint.url,
      region: 'eu-central-1',
      credentials: endpoint.credentials,
      maxAttempts: 1,
      forcePathStyle: true,
    }),
    /** Lets a call begin, time go by, and the work end. */
    async play(byMs: number, end: (work: PromiseWithResolvers<object>) => void) {
      outcome = Promise.withResolvers<object>();
      const work = outcome;
      await once(begun, 'begun');
      for (let passed = 0; passed < byMs; passed += 1000) await clock.advance(1000);
      end(work);
    },
    [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
  };
}

const copy = new CopyObjectCommand({ Bucket: 'logs', Key: 'to', CopySource: 'logs/from' });
const result = { CopyObjectResult: { ETag: '"e"', LastModified: new Date(0) }, VersionId: 'v1' };

describe('an answer that takes long', () => {
  it('is whole, headers and all, when it comes in time', async () => {
    await using slow = await openSlow();
    const [answer] = await Promise.all([
      slow.client.send(copy),
      slow.play(9000, (work) => work.resolve(result)),
    ]);
    expect(answer).toMatchObject({ CopyObjectResult: { ETag: '"e"' }, VersionId: 'v1' });
  });

  it('begins after ten seconds, and keeps the connection with white space', async () => {
    await using slow = await openSlow();
    const url = new URL(`${slow.endpoint.url}/logs/to`);
    const signed = signRequest({
      method: 'PUT',
      url,
      body: '',
      headers: { 'x-amz-copy-source': 'logs/from', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
      service: 's3',
      region: 'eu-central-1',
      credentials: slow.endpoint.credentials,
      time: Date.now(),
    });
    const [answer] = await Promise.all([
      fetch(url, { method: 'PUT', headers: signed }),
      slow.play(35_000, (work) => work.resolve(result)),
    ]);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n {2,3}<CopyObjectResult /,
    );
  });

  it('is understood by the SDK, and so is the error that it may hold', async () => {
    await using slow = await openSlow();
    const [answer] = await Promise.all([
      slow.client.send(copy),
      slow.play(25_000, (work) => work.resolve(result)),
    ]);
    expect(answer.CopyObjectResult?.ETag).toBe('"e"');
    const [failed] = await Promise.allSettled([
      slow.client.send(copy),
      slow.play(25_000, (work) => work.reject(new AwsFault('NoSuchKey', 'It went away.'))),
    ]);
    expect(failed).toMatchObject({
      status: 'rejected',
      reason: { name: 'NoSuchKey', message: 'It went away.' },
    });
    expect(slow.endpoint.reports.at(-1)).toMatchObject({ operation: 'CopyObject', errorCode: 'NoSuchKey' });
  });
});
