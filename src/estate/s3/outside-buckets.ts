import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { AwsFault, type Clock } from '../../kernel/index.ts';
import type { FileToPut, StoredFile } from './service-buckets.ts';
import type { OutsideEndpoint, OutsideSettings } from './outside-settings.ts';

/** How long a connection may take, how long one may say nothing, and how long a whole put or page may take. */
const connectMs = 5_000;
const idleMs = 60_000;
const requestMs = 120_000;

/** What the client would say on the console. */
const nothing = (): void => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** An outside endpoint could not be reached or did not answer; `code` is the system's, such as ECONNREFUSED. */
class OutsideBucketError extends Error {
  override name = 'OutsideBucketError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Buckets that live elsewhere, used with the operator's own credentials, and so for whom the operator says alone. */
export interface OutsideBuckets {
  has(bucket: string): boolean;
  /** Whether the operator lets an account, which is not the management account, have it used. */
  serves(bucket: string, accountId: string): boolean;
  put(file: FileToPut): Promise<void>;
  /** Undefined when there is no such object. */
  get(bucket: string, key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  list(
    bucket: string,
    options: { readonly prefix: string; readonly after?: string },
  ): AsyncIterable<StoredFile>;
  [Symbol.dispose](): void;
}

function openClient({
  endpoint,
  region,
  accessKeyId,
  secretAccessKey,
  forcePathStyle,
}: OutsideEndpoint): S3Client {
  return new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle,
    // Whoever delivers tries again by itself, with pauses of its own.
    maxAttempts: 1,
    // Servers other than AWS do not know checksums in trailers; a Content-MD5 all of them know.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: connectMs, socketTimeout: idleMs, logger: silent },
  });
}

/**
 * What is thrown instead of what the client threw: that holds the request, and with it what the request was signed with.
 * A refusal keeps the code of the server's answer.
 */
function plainError(error: unknown, bucket: string, endpoint: string): Error {
  const where = `the outside bucket ${bucket} at ${endpoint}`;
  if (error instanceof S3ServiceException && error.$response) {
    const status = error.$metadata.httpStatusCode;
    return new AwsFault(error.name, `${where}: ${error.message}`, status === undefined ? {} : { status });
  }
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string };
  if (name === 'AbortError' || name === 'TimeoutError') {
    return new OutsideBucketError('ETIMEDOUT', `${where} did not answer in time`);
  }
  return new OutsideBucketError(
    typeof code === 'string' ? code : 'EIO',
    `${where} could not be used: ${typeof code === 'string' ? code : message}`,
  );
}

/** Opens the buckets of the settings; nothing is asked of any endpoint before it is used. */
export function openOutsideBuckets(settings: OutsideSettings, clock: Clock): OutsideBuckets {
  const clients = new Map<OutsideEndpoint, S3Client>();
  const endpointOf = (bucket: string) => settings.get(bucket) ?? settings.get('*');

  /** Runs one request, within its time. */
  async function ask<T>(
    bucket: string,
    work: (client: S3Client, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const outside = endpointOf(bucket);
    if (!outside)
      throw new OutsideBucketError('ENOENT', `the bucket ${bucket} is not on an outside endpoint`);
    const client = clients.get(outside) ?? openClient(outside);
    clients.set(outside, client);
    const stop = new AbortController();
    const timer = clock.after(requestMs, () => stop.abort());
    try {
      return await work(client, { abortSignal: stop.signal });
    } catch (error) {
      throw plainError(error, bucket, outside.endpoint);
    } finally {
      timer.cancel();
    }
  }

  async function* readBody(bucket: string, body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw plainError(error, bucket, endpointOf(bucket)?.endpoint ?? '');
    }
  }

  return {
    has: (bucket) => endpointOf(bucket) !== undefined,
    serves(bucket, accountId) {
      const { accounts = [] } = endpointOf(bucket) ?? {};
      return accounts.includes(accountId) || accounts.includes('*');
    },
    async put({ bucket, key, body, contentType, contentEncoding, metadata, kmsKeyArn }) {
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentType: contentType,
        ContentMD5: createHash('md5').update(body).digest('base64'),
        ...(contentEncoding !== undefined && { ContentEncoding: contentEncoding }),
        ...(metadata && { Metadata: { ...metadata } }),
        ...(kmsKeyArn !== undefined && { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: kmsKeyArn }),
      });
      await ask(bucket, (client, options) => client.send(command, options));
    },
    async get(bucket, key) {
      try {
        const { Body } = await ask(bucket, (client, options) =>
          client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), options),
        );
        return Body && readBody(bucket, Body as unknown as AsyncIterable<Uint8Array>);
      } catch (error) {
        if (error instanceof AwsFault && error.code === 'NoSuchKey') return undefined;
        throw error;
      }
    },
    async *list(bucket, { prefix, after }) {
      let token: string | undefined;
      do {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ...(token === undefined
            ? after !== undefined && { StartAfter: after }
            : { ContinuationToken: token }),
        });
        const page = await ask(bucket, (client, options) => client.send(command, options));
        for (const { Key, Size = 0, LastModified } of page.Contents ?? []) {
          if (Key !== undefined)
            yield { key: Key, sizeBytes: Size, lastModified: LastModified?.getTime() ?? 0 };
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },
    [Symbol.dispose]() {
      for (const client of clients.values()) client.destroy();
    },
  };
}
