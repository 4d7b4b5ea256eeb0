import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock, SettingError } from '../../kernel/index.ts';
import { openOutsideBuckets, type OutsideBuckets } from './outside-buckets.ts';
import { readOutsideSettings } from './outside-settings.ts';

const secretAccessKey = 'a secret that stands in no log';
const entry = {
  endpoint: 'http://127.0.0.1:1',
  region: 'eu-central-1',
  accessKeyId: 'AKIAEXAMPLE',
  secretAccessKey,
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-outside-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function settingsFile(text: string, mode = 0o600): Promise<string> {
  const path = join(directory, 'outside.json');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

describe('the file of outside buckets', () => {
  it('maps buckets, and * for all others', async () => {
    const own = { ...entry, region: 'us-east-1', forcePathStyle: false, accounts: ['111111111111'] };
    const settings = await readOutsideSettings(await settingsFile(JSON.stringify({ '*': entry, own })));
    expect(settings.get('*')).toEqual({ ...entry, forcePathStyle: true, accounts: [] });
    expect(settings.get('own')).toEqual(own);
    const outside = openOutsideBuckets(settings, manualClock(0));
    expect([outside.has('own'), outside.has('any')]).toEqual([true, true]);
    const named = openOutsideBuckets(new Map([['own', { ...own }]]), manualClock(0));
    expect([named.has('own'), named.has('any')]).toEqual([true, false]);
    expect([named.serves('own', '111111111111'), named.serves('own', '222222222222')]).toEqual([true, false]);
    const all = openOutsideBuckets(new Map([['*', { ...own, accounts: ['*'] }]]), manualClock(0));
    expect(all.serves('any', '222222222222')).toBe(true);
  });

  it.each([0o640, 0o604, 0o660, 0o602])('is refused where others can read or write it: %o', async (mode) => {
    const path = await settingsFile(JSON.stringify({ '*': entry }), mode);
    const refused = await readOutsideSettings(path).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SettingError);
    expect((refused as Error).message).toContain(`chmod 600 ${path}`);
  });

  it.each([
    ['not JSON', `{"*": ${JSON.stringify(entry)}, secret "${secretAccessKey}"`],
    ['an object', '[]'],
    ['takes an object', JSON.stringify({ '*': 'x' })],
    ['"secretKey" is not known', JSON.stringify({ '*': { ...entry, secretKey: secretAccessKey } })],
    ['region takes', JSON.stringify({ '*': { ...entry, region: 'Nowhere!' } })],
    ['secretAccessKey takes', JSON.stringify({ '*': { ...entry, secretAccessKey: '' } })],
    ['accessKeyId takes', JSON.stringify({ '*': { ...entry, accessKeyId: 7 } })],
    ['endpoint takes', JSON.stringify({ '*': { ...entry, endpoint: 'nowhere' } })],
    ['http or https', JSON.stringify({ '*': { ...entry, endpoint: 'file:///etc/passwd' } })],
    ['no user name', JSON.stringify({ '*': { ...entry, endpoint: 'http://me:secret@127.0.0.1' } })],
    ['accounts takes', JSON.stringify({ '*': { ...entry, accounts: ['somebody'] } })],
    ['accounts takes', JSON.stringify({ '*': { ...entry, accounts: '*' } })],
    ['true or false', JSON.stringify({ '*': { ...entry, forcePathStyle: 'yes' } })],
  ])('is refused, with "%s", and the message holds no secret', async (message, text) => {
    const refused = await readOutsideSettings(await settingsFile(text)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SettingError);
    expect((refused as Error).message).toContain(message);
    expect((refused as Error).message).not.toContain('secret that');
  });

  it('that is not there is a setting that cannot be used', async () => {
    await expect(readOutsideSettings(join(directory, 'none'))).rejects.toThrow(SettingError);
  });
});

const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as Error & { code?: string },
  );

describe('an outside endpoint', () => {
  const file = { bucket: 'logs', key: 'a', body: Buffer.from('x'), contentType: 'text/plain' };
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function serve(answer: RequestListener, clock = manualClock(0)): Promise<OutsideBuckets> {
    server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return openOutsideBuckets(
      new Map([['*', { ...entry, endpoint, forcePathStyle: true, accounts: [] }]]),
      clock,
    );
  }

  it('that is not there fails by the name of the system, without the secret', async () => {
    using outside = openOutsideBuckets(
      new Map([['*', { ...entry, forcePathStyle: true, accounts: [] }]]),
      manualClock(0),
    );
    const error = await failureOf(outside.put(file));
    expect(error?.code).toBe('ECONNREFUSED');
    expect(error?.message).toBe(
      'the outside bucket logs at http://127.0.0.1:1 could not be used: ECONNREFUSED',
    );
    expect(error?.cause).toBeUndefined();
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(secretAccessKey);
  });

  it('that says nothing is given up', async () => {
    const clock = manualClock(0);
    const asked = Promise.withResolvers<void>();
    using outside = await serve(() => asked.resolve(), clock);
    const put = failureOf(outside.put(file));
    await asked.promise;
    await clock.advance(120_000);
    expect((await put)?.code).toBe('ETIMEDOUT');
  });

  it('that sends elsewhere is not followed', async () => {
    let requests = 0;
    using outside = await serve((_, response) => {
      requests += 1;
      response.writeHead(307, { location: 'http://127.0.0.1:1/elsewhere' }).end();
    });
    expect(await failureOf(outside.put(file))).toBeInstanceOf(Error);
    expect(requests).toBe(1);
  });

  it('gets the whole body, its MD5, and never a condition', async () => {
    let seen: Record<string, unknown> = {};
    using outside = await serve((request, response) => {
      seen = { method: request.method, url: request.url, ...request.headers };
      request.resume().on('end', () => response.writeHead(200, { etag: '"x"' }).end());
    });
    await outside.put({ ...file, metadata: { signature: 'ab' }, contentEncoding: 'gzip' });
    expect(seen).toMatchObject({
      method: 'PUT',
      url: '/logs/a?x-id=PutObject',
      'content-md5': 'ndTkYSaMgDT1yFZOFVxnpg==',
      'content-length': '1',
      'content-encoding': 'gzip',
      'x-amz-meta-signature': 'ab',
    });
    expect(Object.keys(seen).filter((name) => /^if-|trailer/.test(name))).toEqual([]);
  });

  it('is listed page by page', async () => {
    const tokens: (string | null)[] = [];
    using outside = await serve((request, response) => {
      const query = new URL(request.url ?? '', 'http://x').searchParams;
      const token = query.get('continuation-token');
      tokens.push(token ?? query.get('start-after'));
      const next =
        token === null
          ? '<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>'
          : '';
      const key = token === null ? 'b' : 'c';
      response
        .writeHead(200, { 'content-type': 'application/xml' })
        .end(
          `<ListBucketResult>${next}<Contents><Key>${key}</Key><Size>3</Size><LastModified>2026-11-22T10:00:00.000Z</LastModified></Contents></ListBucketResult>`,
        );
    });
    const found = await Array.fromAsync(outside.list('logs', { prefix: '', after: 'a' }));
    expect(found.map(({ key }) => key)).toEqual(['b', 'c']);
    expect(found[0]).toEqual({ key: 'b', sizeBytes: 3, lastModified: Date.UTC(2026, 10, 22, 10) });
    expect(tokens).toEqual(['a', 't']);
  });
});
