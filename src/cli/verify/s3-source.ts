import {
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type ListObjectsV2CommandOutput,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { BucketSource, StoredFile } from './bucket-source.ts';
import { objectTag, openObjectRequests } from './object-requests.ts';

/** How to reach S3. Without an endpoint that is AWS itself, or what the AWS configuration says. */
export interface S3Access {
  readonly endpoint: string | undefined;
  /** It is not AWS's own, as `endpoint` or the environment says. */
  readonly isOwnEndpoint: boolean;
  readonly region: string;
  readonly profile: string | undefined;
  /** Undefined leaves finding them to the SDK. */
  readonly credentials: S3ClientConfig['credentials'] | undefined;
  /** Requests at once. */
  readonly sockets: number;
}

/** Opens the client. Addresses are in path style for an endpoint of one's own. */
function openClient({ endpoint, isOwnEndpoint, region, profile, credentials, sockets }: S3Access): S3Client {
  return new S3Client({
    region,
    followRegionRedirects: true,
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: isOwnEndpoint,
    ...(profile !== undefined && { profile }),
    ...(credentials && { credentials }),
    // What is read is hashed here anyway.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      httpAgent: { keepAlive: true, maxSockets: sockets },
      httpsAgent: { keepAlive: true, maxSockets: sockets },
    },
  });
}

function failure(error: unknown, what: string): CommandError {
  const { name, message, $metadata } = error as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  const exitCode = status !== undefined && status >= 500 ? exitCodes.serverFailed : exitCodes.noAccess;
  return new CommandError(`cannot read ${what}: ${name}: ${message}`, exitCode, { cause: error });
}

function isAbsent(error: unknown): boolean {
  const { name } = error as Error;
  return name === 'NoSuchKey' || name === 'NotFound';
}

/** Opens a bucket. Failures of listing are CommandErrors; those of one file are the SDK's own errors. */
export function openS3Source(
  bucket: string,
  access: S3Access,
  { now, signal }: { readonly now: () => number; readonly signal: AbortSignal },
): BucketSource {
  const client = openClient(access);
  const requests = openObjectRequests(client, bucket, { sockets: access.sockets, now, signal });
  const show = (key: string, other = bucket) => `s3://${other}/${key}`;
  const pages = async function* (
    prefix: string,
    options: { readonly delimiter?: string; readonly after?: string },
  ) {
    let token: string | undefined;
    do {
      const request = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ...(options.delimiter !== undefined && { Delimiter: options.delimiter }),
        ...(options.after !== undefined && { StartAfter: options.after }),
        ...(token !== undefined && { ContinuationToken: token }),
      });
      let page: ListObjectsV2CommandOutput;
      try {
        page = await client.send(request, { abortSignal: signal });
      } catch (error) {
        signal.throwIfAborted();
        throw failure(error, show(prefix));
      }
      yield page;
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  };
  return {
    bucket,
    show,
    async folders(prefix) {
      const names: string[] = [];
      for await (const page of pages(prefix, { delimiter: '/' })) {
        for (const { Prefix = '' } of page.CommonPrefixes ?? []) names.push(Prefix.slice(prefix.length, -1));
      }
      return names;
    },
    async *list(prefix, after) {
      for await (const page of pages(prefix, after === undefined ? {} : { after })) {
        yield (page.Contents ?? []).map(({ Key = '', Size = 0, ETag = '', LastModified }): StoredFile => ({
          key: Key,
          sizeBytes: Size,
          tag: objectTag(ETag, LastModified?.getTime()),
        }));
      }
    },
    async read(key, options) {
      const quick = options?.bucket === undefined ? await requests.get(key) : undefined;
      if (quick) return quick;
      try {
        const answer = await client.send(
          new GetObjectCommand({ Bucket: options?.bucket ?? bucket, Key: key }),
          {
            abortSignal: signal,
          },
        );
        return {
          body: answer.Body as AsyncIterable<Uint8Array>,
          sizeBytes: answer.ContentLength ?? Infinity,
          tag: objectTag(answer.ETag ?? '', answer.LastModified?.getTime()),
          metadata: answer.Metadata ?? {},
        };
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    close() {
      requests.close();
      client.destroy();
    },
  };
}
