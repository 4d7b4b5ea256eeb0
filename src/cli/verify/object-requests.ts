import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import type { OpenedFile } from './bucket-source.ts';
import { openKeptConnections, type KeptConnections, type PlainAnswer } from './kept-connections.ts';
import { objectTag, readListing, type ListingPage } from './listing.ts';

/** Where a bucket is, and how requests for it are signed. */
export interface Route {
  readonly isTls: boolean;
  readonly hostname: string;
  /** Undefined for the protocol's own. */
  readonly port: number | undefined;
  /** What stands before the key in the path: `/` or `/BUCKET/`. */
  readonly pathBefore: string;
  readonly region: string;
}

/** What of a bucket is to be listed; `delimiter` makes folders of what stands before it. */
export interface ListingRequest {
  readonly prefix: string;
  readonly delimiter?: '/';
  readonly after?: string;
  readonly token?: string;
}

export interface Secrets {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/**
 * Reads objects and lists them with as little work for each request as can be: most of the time that the SDK needs for
 * thousands of small objects is its own. Whatever is not simply answered is left to the SDK, which knows of redirects,
 * retries and errors.
 */
export interface ObjectRequests {
  /** Says where the bucket is. Before, the SDK must be asked for everything. */
  learn(route: Route): void;
  /** Undefined when the SDK must be asked. */
  get(key: string): Promise<OpenedFile | undefined>;
  /** Undefined when the SDK must be asked. */
  list(request: ListingRequest): Promise<ListingPage | undefined>;
  close(): void;
}

const emptySha256 = hash('sha256', '');

const escapeOne = (one: string) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`;

const encodeValue = (text: string) => encodeURIComponent(text).replaceAll(/[!'()*]/g, escapeOne);

/** A key as it stands in a path and is signed: S3 encodes once, and leaves slashes. */
export function encodeKey(key: string): string {
  return encodeValue(key).replaceAll('%2F', '/');
}

const hmac = (key: string | KeyObject, text: string) =>
  // As key objects, which an HMAC takes many times faster than bytes.
  createSecretKey(createHmac('sha256', key).update(text).digest());

interface Signer {
  readonly of: string;
  readonly scope: string;
  readonly key: KeyObject;
}

function openSigner(of: string, secret: string, day: string, region: string): Signer {
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request');
  return { of, scope: `${day}/${region}/s3/aws4_request`, key };
}

/** The head of a signed GET, with the empty line at its end. `query` is sorted and encoded. */
function signedHead(
  { hostname, port }: Route,
  { scope, key }: Signer,
  { accessKeyId, sessionToken }: Secrets,
  request: { readonly path: string; readonly query: string; readonly time: string },
): string {
  const { path, query, time } = request;
  const host = port === undefined ? hostname : `${hostname}:${port}`;
  const token = sessionToken === undefined ? '' : `x-amz-security-token:${sessionToken}\n`;
  const names = `host;x-amz-content-sha256;x-amz-date${sessionToken === undefined ? '' : ';x-amz-security-token'}`;
  const lines = `host:${host}\nx-amz-content-sha256:${emptySha256}\nx-amz-date:${time}\n${token}`;
  const canonical = `GET\n${path}\n${query}\n${lines}\n${names}\n${emptySha256}`;
  const signed = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonical)}`;
  const signature = createHmac('sha256', key).update(signed).digest('hex');
  const target = query === '' ? path : `${path}?${query}`;
  return `GET ${target} HTTP/1.1\r\n${lines.replaceAll('\n', '\r\n')}authorization: AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}\r\n\r\n`;
}

function bucketPath({ pathBefore }: Route): string {
  return pathBefore === '/' ? pathBefore : pathBefore.slice(0, -1);
}

/** Opens it. `now` is epoch milliseconds; `secrets` gives the credentials of this moment. */
export function openObjectRequests(options: {
  readonly secrets: () => Promise<Secrets>;
  readonly now: () => number;
  readonly signal: AbortSignal;
}): ObjectRequests {
  let known: { readonly route: Route; readonly connections: KeptConnections } | undefined;
  let signer: Signer | undefined;

  async function ask(path: (route: Route) => string, query: string): Promise<PlainAnswer | undefined> {
    if (!known) return undefined;
    const { route, connections } = known;
    const secrets = await options.secrets();
    const time = `${new Date(options.now()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
    const day = time.slice(0, 8);
    const of = `${secrets.accessKeyId} ${day} ${route.region}`;
    if (signer?.of !== of) signer = openSigner(of, secrets.secretAccessKey, day, route.region);
    const answer = await connections.ask(
      signedHead(route, signer, secrets, { path: path(route), query, time }),
    );
    if (answer?.status === 200) return answer;
    if (answer && !(answer.body instanceof Uint8Array)) {
      await answer.body[Symbol.asyncIterator]().return?.();
    }
    return undefined;
  }

  return {
    learn(route) {
      if (known) return;
      const { isTls, hostname, port = isTls ? 443 : 80 } = route;
      known = { route, connections: openKeptConnections({ isTls, hostname, port }, options.signal) };
    },
    async get(key) {
      const answer = await ask(({ pathBefore }) => pathBefore + encodeKey(key), '');
      return answer && openedFile(answer);
    },
    async list(request) {
      const query = Object.entries({
        'continuation-token': request.token,
        delimiter: request.delimiter,
        'list-type': '2',
        prefix: request.prefix,
        'start-after': request.after,
      }).flatMap(([name, value]) => (value === undefined ? [] : `${name}=${encodeValue(value)}`));
      const answer = await ask(bucketPath, query.join('&'));
      return answer && readListing(await wholeOf(answer.body));
    },
    close: () => known?.connections.close(),
  };
}

async function wholeOf(body: PlainAnswer['body']): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const metadataPrefix = 'x-amz-meta-';

function openedFile({ headers, sizeBytes, body }: PlainAnswer): OpenedFile {
  const metadata: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (name.startsWith(metadataPrefix)) metadata[name.slice(metadataPrefix.length)] = value;
  }
  return {
    body: body instanceof Uint8Array ? once(body) : body,
    sizeBytes,
    tag: objectTag(headers.get('etag') ?? '', Date.parse(headers.get('last-modified') ?? '')),
    metadata,
  };
}
