import type { GetObjectCommandOutput, S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { BucketSource, OpenedFile } from './bucket-source.ts';
import { objectTag, type ListingPage } from './listing.ts';
import {
  encodeKey,
  openObjectRequests,
  type ListingRequest,
  type Route,
  type Secrets,
} from './object-requests.ts';

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

/** The part of the SDK that is used, which is loaded when it is needed: loading takes longer than a short run. */
interface Sdk {
  readonly client: S3Client;
  list(request: ListingRequest): Promise<ListingPage>;
  get(bucket: string, key: string): Promise<GetObjectCommandOutput>;
}

/** Opens the client. Addresses are in path style for an endpoint of one's own. */
async function openSdk(bucket: string, access: S3Access, signal: AbortSignal): Promise<Sdk> {
  const { GetObjectCommand, ListObjectsV2Command, S3Client } = await import('@aws-sdk/client-s3');
  const { endpoint, isOwnEndpoint, region, profile, credentials, sockets } = access;
  const client = new S3Client({
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
  return {
    client,
    async list({ prefix, delimiter, after, token }) {
      const page = await client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ...(delimiter !== undefined && { Delimiter: delimiter }),
          ...(after !== undefined && { StartAfter: after }),
          ...(token !== undefined && { ContinuationToken: token }),
        }),
        { abortSignal: signal },
      );
      return {
        files: (page.Contents ?? []).map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
          key: Key,
          sizeBytes: Size,
          tag: objectTag(ETag, LastModified?.getTime()),
        })),
        folders: (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix),
        nextToken: page.IsTruncated ? page.NextContinuationToken : undefined,
      };
    },
    get: (from, key) =>
      client.send(new GetObjectCommand({ Bucket: from, Key: key }), { abortSignal: signal }),
  };
}

/** Takes the route from the requests that the SDK signs for objects of `bucket`: it finds out where that is. */
function watchRoute(client: S3Client, bucket: string, learn: (route: Route) => void): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const sent = args.request as {
        readonly protocol: string;
        readonly hostname: string;
        readonly port?: number;
        readonly path: string;
        readonly headers: Readonly<Record<string, string>>;
      };
      const answer = await next(args);
      const { input, commandName } = {
        ...(args as { readonly input: { readonly Bucket?: string; readonly Key?: string } }),
        ...context,
      };
      const region = /Credential=[^/]+\/\d{8}\/([^/]+)\/s3\//.exec(sent.headers['authorization'] ?? '')?.[1];
      const keyPath = encodeKey(input.Key ?? '');
      if (
        commandName === 'GetObjectCommand' &&
        input.Bucket === bucket &&
        region !== undefined &&
        sent.path.endsWith(keyPath)
      ) {
        const { protocol, hostname, port, path } = sent;
        const pathBefore = path.slice(0, path.length - keyPath.length);
        learn({ isTls: protocol === 'https:', hostname, port, region, pathBefore });
      }
      return answer;
    },
    { step: 'finalizeRequest', priority: 'low', name: 'learnRoute' },
  );
}

/** The route to a bucket at an endpoint of one's own, where there is nothing to be found out. */
function ownRoute(bucket: string, { endpoint, isOwnEndpoint, region }: S3Access): Route | undefined {
  if (endpoint === undefined || !isOwnEndpoint) return undefined;
  const { protocol, hostname, port, pathname } = new URL(endpoint);
  if (pathname !== '/' || !/^[a-z0-9.-]+$/.test(bucket)) return undefined;
  return {
    isTls: protocol === 'https:',
    hostname,
    port: port === '' ? undefined : Number(port),
    pathBefore: `/${bucket}/`,
    region,
  };
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

async function readBySdk(sdk: Sdk, bucket: string, key: string): Promise<OpenedFile | undefined> {
  try {
    const answer = await sdk.get(bucket, key);
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
}

/** Opens a bucket. Failures of listing are CommandErrors; those of one file are the SDK's own errors. */
export function openS3Source(
  bucket: string,
  access: S3Access,
  { now, signal }: { readonly now: () => number; readonly signal: AbortSignal },
): BucketSource {
  let opened: Promise<Sdk> | undefined;
  const { credentials } = access;
  const secrets = async (): Promise<Secrets> => {
    if (typeof credentials === 'function') return credentials();
    return credentials ?? (await sdk()).client.config.credentials();
  };
  const requests = openObjectRequests({ secrets, now, signal });
  const route = credentials ? ownRoute(bucket, access) : undefined;
  if (route) requests.learn(route);
  const sdk = (): Promise<Sdk> =>
    (opened ??= openSdk(bucket, access, signal).then((made) => {
      watchRoute(made.client, bucket, (learnt) => requests.learn(learnt));
      return made;
    }));
  const show = (key: string, other = bucket) => `s3://${other}/${key}`;
  // What AWS lists comes in chunks, which are for the SDK.
  let listsItself = route !== undefined;

  const page = async (request: ListingRequest): Promise<ListingPage> => {
    const quick = listsItself ? await requests.list(request) : undefined;
    if (quick) return quick;
    listsItself = false;
    try {
      return await (await sdk()).list(request);
    } catch (error) {
      signal.throwIfAborted();
      throw failure(error, show(request.prefix));
    }
  };
  const pages = async function* (request: ListingRequest) {
    let token: string | undefined;
    do {
      const one = await page(token === undefined ? request : { ...request, token });
      yield one;
      token = one.nextToken;
    } while (token !== undefined);
  };
  return {
    bucket,
    show,
    async folders(prefix) {
      const names: string[] = [];
      for await (const { folders } of pages({ prefix, delimiter: '/' })) {
        for (const folder of folders) names.push(folder.slice(prefix.length, -1));
      }
      return names;
    },
    async *list(prefix, after) {
      for await (const { files } of pages({ prefix, ...(after !== undefined && { after }) })) yield files;
    },
    async read(key, options) {
      const quick = options?.bucket === undefined ? await requests.get(key) : undefined;
      return quick ?? readBySdk(await sdk(), options?.bucket ?? bucket, key);
    },
    close() {
      requests.close();
      void opened?.then(
        ({ client }) => client.destroy(),
        () => undefined,
      );
    },
  };
}
