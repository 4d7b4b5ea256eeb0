import { createHmac, hash } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { S3Client } from '@aws-sdk/client-s3';
import type { OpenedFile } from './bucket-source.ts';

/** Where and how the SDK sent a request for an object: what it found out about the bucket's endpoint. */
interface Route {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  /** What stands before the key in the path: `/` or `/BUCKET/`. */
  readonly pathBefore: string;
  readonly region: string;
}

/**
 * Reads objects with as little work for each as can be: most of the time that the SDK needs for thousands of small
 * objects is its own. It learns from a request of the SDK where the bucket is, and signs and sends requests of the same
 * kind. Whatever is not simply answered is left to the SDK, which knows of redirects, retries and errors.
 */
export interface ObjectRequests {
  /** Undefined when the SDK must be asked. */
  get(key: string): Promise<OpenedFile | undefined>;
  close(): void;
}

const emptySha256 = hash('sha256', '');

const escapeOne = (one: string) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`;

/** A key as it stands in a path and is signed: S3 encodes once, and leaves slashes. */
function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, escapeOne);
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

interface Signer {
  readonly scope: string;
  readonly key: Buffer;
}

function openSigner(secret: string, day: string, region: string): Signer {
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request');
  return { scope: `${day}/${region}/s3/aws4_request`, key };
}

/** Takes the route from the requests that the SDK signs for objects of `bucket`. */
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
        learn({ protocol, hostname, port, region, pathBefore: path.slice(0, path.length - keyPath.length) });
      }
      return answer;
    },
    { step: 'finalizeRequest', priority: 'low', name: 'learnRoute' },
  );
}

/** Opens it beside the client, with so many sockets. `now` is epoch milliseconds. */
export function openObjectRequests(
  client: S3Client,
  bucket: string,
  options: { readonly sockets: number; readonly now: () => number; readonly signal: AbortSignal },
): ObjectRequests {
  let route: Route | undefined;
  let signer: (Signer & { readonly of: string }) | undefined;
  const agentOptions = { keepAlive: true, maxSockets: options.sockets };
  const agents = { http: new HttpAgent(agentOptions), https: new HttpsAgent(agentOptions) };
  watchRoute(client, bucket, (learnt) => {
    route = learnt;
  });

  const sign = async ({ hostname, port, region }: Route, path: string) => {
    const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
    const time = `${new Date(options.now()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
    const day = time.slice(0, 8);
    const of = `${accessKeyId} ${day} ${region}`;
    if (signer?.of !== of) signer = { ...openSigner(secretAccessKey, day, region), of };
    const host = port === undefined ? hostname : `${hostname}:${port}`;
    const token = sessionToken === undefined ? '' : `x-amz-security-token:${sessionToken}\n`;
    const names = `host;x-amz-content-sha256;x-amz-date${sessionToken === undefined ? '' : ';x-amz-security-token'}`;
    const canonical = `GET\n${path}\n\nhost:${host}\nx-amz-content-sha256:${emptySha256}\nx-amz-date:${time}\n${token}\n${names}\n${emptySha256}`;
    const signed = `AWS4-HMAC-SHA256\n${time}\n${signer.scope}\n${hash('sha256', canonical)}`;
    const signature = createHmac('sha256', signer.key).update(signed).digest('hex');
    return {
      host,
      'x-amz-content-sha256': emptySha256,
      'x-amz-date': time,
      ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${signer.scope}, SignedHeaders=${names}, Signature=${signature}`,
    };
  };

  return {
    async get(key) {
      if (!route) return undefined;
      const { protocol, hostname, port, pathBefore } = route;
      const path = pathBefore + encodeKey(key);
      const isTls = protocol === 'https:';
      const send = isTls ? httpsRequest : httpRequest;
      const headers = await sign(route, path);
      const answer = await new Promise<IncomingMessage | undefined>((resolve) => {
        const agent = isTls ? agents.https : agents.http;
        send({ hostname, port, path, headers, agent, signal: options.signal }, resolve)
          .on('error', () => resolve(undefined))
          .end();
      });
      if (!answer) return undefined;
      if (answer.statusCode !== 200) {
        answer.resume();
        return undefined;
      }
      return openedFile(answer);
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function openedFile(answer: IncomingMessage): OpenedFile {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (name.startsWith('x-amz-meta-') && typeof value === 'string')
      metadata[name.slice('x-amz-meta-'.length)] = value;
  }
  const { etag = '', 'last-modified': lastModified = '', 'content-length': length } = answer.headers;
  return {
    body: answer as AsyncIterable<Uint8Array>,
    sizeBytes: length === undefined ? Infinity : Number(length),
    tag: objectTag(etag, Date.parse(lastModified)),
    metadata,
  };
}

/** Times of answers have whole seconds, those of listings more; the ETag tells contents apart. */
export function objectTag(etag: string, lastModified: number | undefined): string {
  return `${etag} ${Math.floor((lastModified ?? 0) / 1000)}`;
}
