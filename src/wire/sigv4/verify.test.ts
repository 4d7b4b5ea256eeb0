import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeaderLine, SignedRequest } from './canonical.ts';
import { readClaim } from './claim.ts';
import {
  anyRequest,
  asReceived,
  codeOf,
  credentials,
  messageOf,
  signed,
  signer,
  time,
  verify,
} from './sdk-signer.ts';
import { presignUrl, signRequest } from './sign.ts';

describe("requests signed by the AWS SDK's own signer", () => {
  it.each(['iam', 's3'])('verify for %s', async (service) => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (made) => {
        expect(verify(await signed(service, made), made.body)).toBe('verified');
      }),
      { numRuns: 200, seed: 20_261_122 },
    );
  });

  it.each(['iam', 's3'])('presigned URLs verify for %s', async (service) => {
    const presigned = await signer(service, 'token/+=').presign(
      {
        method: 'GET',
        protocol: 'https:',
        hostname: 'localhost',
        path: '/b/a%20key',
        query: { versionId: '1' },
        headers: { host: 'localhost' },
        ...(service === 's3'
          ? { headers: { host: 'localhost', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }
          : {}),
      },
      {
        signingDate: new Date(time),
        expiresIn: 604_800,
        ...(service === 's3' ? { unhoistableHeaders: new Set() } : {}),
      },
    );
    const request = asReceived(presigned);
    expect(verify(request, '', service === 's3' ? 's3' : 'aws', time + 604_800_000)).toBe('verified');
    expect(readClaim(request, 'aws')!.sessionToken).toBe('token/+=');
    const late = messageOf(() => verify(request, '', service === 's3' ? 's3' : 'aws', time + 604_800_001));
    expect(late).toMatch(service === 's3' ? /Request has expired/ : /Signature expired/);
    if (service !== 's3') return;
    const expired = { members: expect.objectContaining({ 'X-Amz-Expires': 604_800 }) };
    expect(() => verify(request, '', 's3', time + 604_800_001)).toThrow(expect.objectContaining(expired));
  });
});

function flipped(text: string, at: number, flip: number): string {
  if (text === '') return String.fromCharCode(flip);
  const index = at % text.length;
  return text.slice(0, index) + String.fromCharCode(text.charCodeAt(index) ^ flip) + text.slice(index + 1);
}

function decode(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** What the operation would see: two requests that say the same may carry the same signature. */
function meaning(request: SignedRequest, service: string): string {
  const query = request.query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => `${decode(part.replaceAll('+', ' '))}${part.includes('=') ? '' : '='}`)
    .toSorted();
  const path =
    service === 's3'
      ? request.path.split('/').map(decode)
      : request.path.replace(/\/$/, '/').replaceAll(/\/(?:\.?\/)+/g, '/');
  const headers = request.headers.map(([name, value]) => [
    name,
    name === 'authorization' ? value.replaceAll(/[\s,]+/g, ' ').trim() : value.trim().replaceAll(/\s+/g, ' '),
  ]);
  return JSON.stringify([request.method, path, query, headers]);
}

function altered(
  request: SignedRequest,
  body: string,
  { where, at, flip }: { where: string; at: number; flip: number },
) {
  const index = at % request.headers.length;
  const lines = (edit: (line: HeaderLine) => HeaderLine) =>
    request.headers.map((line, position) => (position === index ? edit(line) : line));
  switch (where) {
    case 'method':
      return { request: { ...request, method: flipped(request.method, at, flip) }, body };
    case 'path':
      return { request: { ...request, path: flipped(request.path, at, flip) }, body };
    case 'query':
      return { request: { ...request, query: flipped(request.query, at, flip) }, body };
    case 'header':
      return {
        request: { ...request, headers: lines(([name, value]) => [name, flipped(value, at, flip)]) },
        body,
      };
    case 'name':
      return {
        request: { ...request, headers: lines(([name, value]) => [flipped(name, at, flip), value]) },
        body,
      };
    default:
      return { request, body: flipped(body, at, flip) };
  }
}

describe('whatever is changed after signing is refused', () => {
  const change = fc.record({
    where: fc.constantFrom('method', 'path', 'query', 'header', 'body', 'name'),
    at: fc.nat(1000),
    flip: fc.integer({ min: 1, max: 127 }),
  });

  it.each(['iam', 's3'])('for %s', async (service) => {
    await fc.assert(
      fc.asyncProperty(anyRequest, change, async (made, edit) => {
        const original = await signed(service, made);
        const { request, body } = altered(original, made.body, edit);
        fc.pre(body !== made.body || meaning(request, service) !== meaning(original, service));
        expect(codeOf(() => verify(request, body))).not.toBe('verified');
      }),
      { numRuns: 1500, seed: 20_261_122 },
    );
  });
});

describe("the project's own client side", () => {
  it('signs what the server verifies, and what the SDK would have signed', async () => {
    const url = new URL('http://127.0.0.1:4747/_cairn/events?eventName=Create User&limit=5');
    const headers = signRequest({
      method: 'POST',
      url,
      headers: { 'Content-Type': 'application/json' },
      body: '{"a":"ü"}',
      service: 'cairn',
      region: 'eu-central-1',
      credentials: { ...credentials, sessionToken: 'abc' },
      time,
    });
    const request = asReceived({ method: 'POST', path: url.pathname, headers });
    expect(verify({ ...request, query: url.search.slice(1) }, '{"a":"ü"}')).toBe('verified');
    const theirs = await signer('cairn', 'abc').sign(
      {
        method: 'POST',
        protocol: 'http:',
        hostname: '127.0.0.1',
        path: url.pathname,
        query: { eventName: 'Create User', limit: '5' },
        headers: { host: '127.0.0.1:4747', 'content-type': 'application/json' },
        body: '{"a":"ü"}',
      },
      { signingDate: new Date(time) },
    );
    expect(headers['authorization']).toBe(theirs.headers['authorization']);
  });

  it.each(['s3', 'cairn'])('presigns for %s', (service) => {
    const url = presignUrl({
      method: 'GET',
      url: new URL('http://localhost/a%20b/c?x=1'),
      service,
      region: 'us-east-1',
      credentials: { ...credentials, sessionToken: 'a/b+c=' },
      time,
      expiresSeconds: 60,
    });
    const request = {
      method: 'GET',
      path: url.pathname,
      query: url.search.slice(1),
      headers: [['host', 'localhost']] as HeaderLine[],
    };
    expect(verify(request, '', service === 's3' ? 's3' : 'aws', time + 60_000)).toBe('verified');
    expect(codeOf(() => verify(request, '', service === 's3' ? 's3' : 'aws', time + 60_001))).not.toBe(
      'verified',
    );
  });
});
