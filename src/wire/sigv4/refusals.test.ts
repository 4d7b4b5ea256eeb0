import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeaderLine, SignedRequest } from './canonical.ts';
import { claimedCredential } from './claim.ts';
import type { Dialect } from './faults.ts';
import { asReceived, codeOf, credentials, messageOf, signed, signer, time, verify } from './sdk-signer.ts';
import { presignUrl } from './sign.ts';
import { openSigningKeys } from './signing-key.ts';

/** The simplest request there is. */
function good(service = 'iam'): Promise<SignedRequest> {
  return signed(service, {
    method: 'GET',
    segments: [],
    query: {},
    headers: {},
    body: '',
    sessionToken: undefined,
  });
}

/** Verifies it so many milliseconds after it was signed. */
async function at(offset: number, dialect: Dialect): Promise<() => string> {
  const request = await good(dialect === 's3' ? 's3' : 'iam');
  return () => verify(request, '', dialect, time + offset);
}

function scope(service: string) {
  return { date: '20261122', region: 'us-east-1', service };
}

describe('time', () => {
  const quarter = 15 * 60_000;

  it('fifteen minutes either way are taken, a millisecond more is not', async () => {
    for (const dialect of ['aws', 's3'] as const) {
      expect(codeOf(await at(quarter, dialect))).toBe('verified');
      expect(codeOf(await at(-quarter, dialect))).toBe('verified');
      expect(codeOf(await at(quarter + 1, dialect))).not.toBe('verified');
      expect(codeOf(await at(-quarter - 1, dialect))).not.toBe('verified');
    }
  });

  it('says so in the words of the service', async () => {
    expect(codeOf(await at(2 * quarter, 'aws'))).toBe('SignatureDoesNotMatch');
    expect(messageOf(await at(2 * quarter, 'aws'))).toBe(
      'Signature expired: 20261122T120000Z is now earlier than 20261122T121500Z (20261122T123000Z - 15 min.)',
    );
    expect(messageOf(await at(-2 * quarter, 'aws'))).toBe(
      'Signature not yet current: 20261122T120000Z is still later than 20261122T114500Z (20261122T113000Z + 15 min.)',
    );
    expect(codeOf(await at(2 * quarter, 's3'))).toBe('RequestTimeTooSkewed');
  });
});

async function withAuthorization(edit: (text: string) => string): Promise<SignedRequest> {
  const request = await good();
  return {
    ...request,
    headers: request.headers.map(([name, value]): HeaderLine => [
      name,
      name === 'authorization' ? edit(value) : value,
    ]),
  };
}

describe('claims that are refused', () => {
  it.each([
    [
      'another algorithm',
      (text: string) => text.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'),
      /Signature Version 4A .*not supported/,
    ],
    [
      'Signature Version 2',
      () => 'AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo=',
      /Signature Version 2 is not supported/,
    ],
    ['a bearer token', () => 'Bearer abc', /not supported/],
    [
      'no credential',
      (text: string) => text.replace(/Credential=\S+/, 'Cred=a,'),
      /requires 'Credential' parameter/,
    ],
    ['no signature', (text: string) => text.replace(/, Signature=.*/, ''), /requires 'Signature' parameter/],
    ['a part twice', (text: string) => `${text}, Signature=${'0'.repeat(64)}`, /stands twice/],
    [
      'another terminator',
      (text: string) => text.replace('aws4_request', 'aws5_request'),
      /valid terminator: 'aws4_request'/,
    ],
    ['four elements', (text: string) => text.replace('/iam/', '/'), /exactly 5 slash-delimited elements/],
    [
      'another day',
      (text: string) => text.replace('/20261122/', '/20261121/'),
      /'20261121' != '20261122', from '20261122T120000Z'/,
    ],
    ['no region', (text: string) => text.replace('/eu-central-1/', '/EU/'), /scoped to a valid region/],
    ['the host unsigned', (text: string) => text.replace('host;', ''), /must be a 'SignedHeader'/],
    ['a header unsigned', (text: string) => text.replace(';x-amz-date', ''), /must be signed: x-amz-date/],
    [
      'names out of order',
      (text: string) => text.replace('host;x-amz-content-sha256', 'x-amz-content-sha256;host'),
      /in order/,
    ],
    [
      'a signed header that is not there',
      (text: string) => text.replace('host;', 'host;x-absent;'),
      /in order|does not match/,
    ],
    ['a short signature', (text: string) => text.slice(0, -1), /64 hexadecimal digits/],
    [
      'a signature in capitals',
      (text: string) => text.replace(/Signature=.*/, `Signature=${'A'.repeat(64)}`),
      /64 hexadecimal digits/,
    ],
  ])('%s', async (_, edit, message) => {
    const request = await withAuthorization(edit);
    expect(messageOf(() => verify(request, ''))).toMatch(message);
  });

  it('a date that cannot be read, or none', async () => {
    const request = await good();
    const without = { ...request, headers: request.headers.filter(([name]) => name !== 'x-amz-date') };
    expect(messageOf(() => verify(without, ''))).toMatch(
      /requires existence of either a 'X-Amz-Date' or a 'Date'/,
    );
    const odd = { ...without, headers: [...without.headers, ['x-amz-date', '2026-11-22'] as const] };
    expect(messageOf(() => verify(odd, ''))).toMatch(/ISO-8601 'basic format'/);
  });

  it('both kinds of signature at once', async () => {
    const request = { ...(await good()), query: 'X-Amz-Algorithm=AWS4-HMAC-SHA256' };
    expect(messageOf(() => verify(request, ''))).toMatch(/Only one auth mechanism allowed/);
  });

  it.each([
    [{ 'X-Amz-Expires': '604801' }, /less than a week/],
    [{ 'X-Amz-Expires': '-1' }, /non-negative/],
    [{ 'X-Amz-Expires': 'soon' }, /should be a number/],
    [{ 'X-Amz-Expires': undefined }, /missing: X-Amz-Expires/],
    [{ 'X-Amz-Algorithm': 'AWS4-ECDSA-P256-SHA256' }, /Signature Version 4A/],
    [{ 'X-Amz-Credential': 'a/b' }, /exactly 5/],
  ])('presigned with %o', (edit, message) => {
    const url = presignUrl({
      method: 'GET',
      url: new URL('http://localhost/b/k'),
      service: 's3',
      region: 'us-east-1',
      credentials,
      time,
      expiresSeconds: 60,
    });
    for (const [name, value] of Object.entries(edit)) {
      if (value === undefined) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    const request = {
      method: 'GET',
      path: url.pathname,
      query: url.search.slice(1),
      headers: [['host', 'localhost']] as HeaderLine[],
    };
    expect(messageOf(() => verify(request, '', 's3'))).toMatch(message);
  });

  it('a body left unsigned, but for S3', async () => {
    const request = await signer('iam').sign(
      {
        method: 'POST',
        protocol: 'http:',
        hostname: 'a',
        path: '/',
        headers: { host: 'a', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
        body: 'x',
      },
      { signingDate: new Date(time) },
    );
    expect(messageOf(() => verify(asReceived(request), 'x'))).toMatch(/does not take UNSIGNED-PAYLOAD/);
  });

  it('never quotes what the request carried', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 40 }), async (junk) => {
        const secretish = `SECRET${junk}`;
        const request = await withAuthorization((text) =>
          text.replace(/Credential=\S+/, `Credential=${secretish},`),
        );
        expect(messageOf(() => verify(request, ''))).not.toContain('SECRET');
      }),
      { numRuns: 100, seed: 20_261_122 },
    );
  });

  it('any text as Authorization or query is refused by name', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.constantFrom<Dialect>('s3', 'aws'), (text, dialect) => {
        const header = {
          method: 'GET',
          path: '/',
          query: '',
          headers: [
            ['host', 'a'],
            ['authorization', text],
          ] as HeaderLine[],
        };
        expect(codeOf(() => verify(header, '', dialect))).not.toBe('verified');
        const query = {
          method: 'GET',
          path: '/',
          query: `X-Amz-Signature=${text}`,
          headers: [['host', 'a']] as HeaderLine[],
        };
        expect(codeOf(() => verify(query, '', dialect))).not.toBe('verified');
      }),
      { numRuns: 500, seed: 20_261_122 },
    );
  });
});

describe('what a request claims before it is believed', () => {
  it('names service, region and key', async () => {
    const request = await good();
    const claimed = { accessKeyId: credentials.accessKeyId, region: 'eu-central-1', service: 'iam' };
    expect(claimedCredential(request)).toEqual(claimed);
    const unsigned = { ...request, headers: [] };
    expect(claimedCredential(unsigned)).toEqual({});
    const url = presignUrl({
      method: 'GET',
      url: new URL('http://localhost/b/k'),
      service: 's3',
      region: 'us-east-1',
      credentials,
      time,
      expiresSeconds: 60,
    });
    const presigned = { ...unsigned, query: url.search.slice(1) };
    expect(claimedCredential(presigned)).toEqual({ ...claimed, region: 'us-east-1', service: 's3' });
  });
});

describe('what is claimed is what is verified', () => {
  const s3Scope = `${credentials.accessKeyId}/20261122/eu-central-1/s3/aws4_request`;

  it('whatever else stands in the Authorization header', async () => {
    const request = await withAuthorization((text) => text.replace(' ', ` OtherCredential=${s3Scope}, `));
    expect(verify(request, '')).toBe('verified');
    expect(claimedCredential(request).service).toBe('iam');
  });

  it('however the names of a presigned URL are spelt', () => {
    const url = presignUrl({
      method: 'GET',
      url: new URL('http://localhost/b/x/../k'),
      service: 's3',
      region: 'us-east-1',
      credentials,
      time,
      expiresSeconds: 60,
    });
    for (const name of ['Credential', 'Algorithm', 'Signature', 'Date']) {
      const query = url.search.slice(1).replace(`X-Amz-${name}=`, `X-Am%7A-${name}=`);
      const request: SignedRequest = {
        method: 'GET',
        path: url.pathname,
        query,
        headers: [['host', 'localhost']],
      };
      expect(verify(request, '', 's3')).toBe('verified');
      expect(claimedCredential(request).service).toBe('s3');
    }
  });

  it('white space is that of ASCII: other bytes of a header are not', async () => {
    const request = await signed('iam', {
      method: 'GET',
      segments: [],
      query: {},
      headers: { 'x-amz-meta-a': 'voil\u00e0' },
      body: '',
      sessionToken: undefined,
    });
    expect(verify(request, '')).toBe('verified');
    const changed = {
      ...request,
      headers: request.headers.map(([name, value]): HeaderLine => [name, value.replace('\u00a0', '')]),
    };
    expect(codeOf(() => verify(changed, ''))).toBe('SignatureDoesNotMatch');
  });
});

describe('derived keys', () => {
  it('are kept up to a bound, and only for the secret they were derived from', () => {
    const bounded = openSigningKeys(2);
    const first = bounded.get('A', 'secret', scope('a'));
    for (const service of ['a', 'b', 'c'])
      bounded.keep('A', 'secret', scope(service), bounded.get('A', 'secret', scope(service)));
    const third = bounded.get('A', 'secret', scope('c'));
    expect(bounded.get('A', 'secret', scope('c'))).toBe(third);
    expect(bounded.get('A', 'secret', scope('a'))).not.toBe(first);
    expect(bounded.get('A', 'secret', scope('a')).equals(first)).toBe(true);
    expect(bounded.get('A', 'other', scope('c')).equals(third)).toBe(false);
  });
});
