import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GeneratedBucket, GeneratedFile } from '../test/generated-bucket.ts';

/**
 * A bucket somewhere else: an S3 that keeps its objects in memory, checks nothing and holds every answer back, so that it
 * takes next to none of the processor time that the commands share.
 */
export interface FarBucket {
  readonly endpoint: string;
  close(): void;
}

interface Stored extends GeneratedFile {
  readonly etag: string;
}

const tag = (name: string, value: string | number | boolean) => `<${name}>${value}</${name}>`;
const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/** A page of keys behind `marker`; the keys of log files need no escaping. */
function listing(files: readonly Stored[], query: URLSearchParams): string {
  const isSecond = query.get('list-type') === '2';
  const prefix = query.get('prefix') ?? '';
  const marker = query.get('marker') ?? query.get('continuation-token') ?? query.get('start-after') ?? '';
  const most = Number(query.get('max-keys') ?? 1000);
  const found = files.filter(({ key }) => key.startsWith(prefix) && key > marker);
  const delimiter = query.get('delimiter');
  if (delimiter) {
    // The commands ask for the names of folders, of which there are few.
    const folders = found.map(({ key }) => key.slice(0, key.indexOf(delimiter, prefix.length) + 1));
    const prefixes = [...new Set(folders.filter((folder) => folder !== ''))];
    const shown = prefixes.map((folder) => tag('CommonPrefixes', tag('Prefix', folder))).join('');
    return `<ListBucketResult ${namespace}>${tag('Prefix', prefix)}${tag('IsTruncated', false)}${shown}</ListBucketResult>`;
  }
  const page = found.slice(0, most);
  const isTruncated = found.length > page.length;
  const contents = page.map(({ key, bytes, etag }) => {
    const time = tag('LastModified', '2026-11-22T00:00:00.000Z');
    return tag('Contents', tag('Key', key) + time + tag('ETag', etag) + tag('Size', bytes.length));
  });
  const next = isTruncated
    ? tag(isSecond ? 'NextContinuationToken' : 'NextMarker', page.at(-1)?.key ?? '')
    : '';
  const encoding = query.has('encoding-type') ? tag('EncodingType', 'url') : '';
  const head =
    tag('Prefix', prefix) + encoding + tag('MaxKeys', most) + tag('IsTruncated', isTruncated) + next;
  return `<ListBucketResult ${namespace}>${head}${contents.join('')}</ListBucketResult>`;
}

/** Serves the objects of a generated bucket on loopback; every answer takes `latencyMs`. */
export async function openFarBucket(bucket: GeneratedBucket, latencyMs: number): Promise<FarBucket> {
  const files: readonly Stored[] = [...bucket.logs, ...bucket.digests]
    .map((file) => ({ ...file, etag: `"${hash('md5', file.bytes)}"` }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const byKey = new Map(files.map((file) => [file.key, file]));
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const key = decodeURIComponent(pathname.slice(bucket.bucket.length + 2));
    if (key === '') {
      response.setHeader('content-type', 'application/xml');
      response.end(
        searchParams.has('location') ? `<LocationConstraint ${namespace}/>` : listing(files, searchParams),
      );
      return;
    }
    const file = byKey.get(key);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    const metadata = Object.entries(file.metadata).map(
      ([name, value]) => [`x-amz-meta-${name}`, value] as const,
    );
    response.writeHead(200, {
      'content-length': file.bytes.length,
      'content-type': 'application/json',
      etag: file.etag,
      'last-modified': 'Sun, 22 Nov 2026 00:00:00 GMT',
      ...Object.fromEntries(metadata),
    });
    response.end(request.method === 'HEAD' ? undefined : file.bytes);
  };
  const server = createServer((request, response) => {
    request.resume();
    setTimeout(() => answer(request, response), latencyMs);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
