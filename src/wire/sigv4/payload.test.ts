import { createSecretKey } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsFault } from '../../kernel/index.ts';
import type { HeaderLine, SignedRequest } from './canonical.ts';
import { readClaim } from './claim.ts';
import { verifiedPayload } from './payload.ts';
import { payloadHashText, payloadMode } from './payload-mode.ts';
import { openSigningKeys } from './signing-key.ts';
import { checkClaim, verifySignature } from './verify.ts';

/** The examples of the S3 API reference on chunked uploads, with and without trailing headers. */
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const now = Date.parse('2013-05-24T00:05:00Z');
const credential = 'Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';

function head(headers: readonly HeaderLine[], seed: string): SignedRequest {
  const all: HeaderLine[] = [
    ['host', 's3.amazonaws.com'],
    ['x-amz-date', '20130524T000000Z'],
    ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
    ...headers,
  ];
  const signedHeaders = all.map(([name]) => name).toSorted();
  const authorization = `AWS4-HMAC-SHA256 ${credential},SignedHeaders=${signedHeaders.join(';')},Signature=${seed}`;
  return {
    method: 'PUT',
    path: '/examplebucket/chunkObject.txt',
    query: '',
    headers: [...all, ['authorization', authorization]],
  };
}

const signedHead = head(
  [
    ['content-encoding', 'aws-chunked'],
    ['content-length', '66824'],
    ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'],
    ['x-amz-decoded-content-length', '66560'],
  ],
  '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
);
const signedBody = [
  `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${'a'.repeat(65_536)}\r\n`,
  `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${'a'.repeat(1024)}\r\n`,
  '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n',
].join('');

const trailerHead = head(
  [
    ['content-encoding', 'aws-chunked'],
    ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'],
    ['x-amz-decoded-content-length', '66560'],
    ['x-amz-trailer', 'x-amz-checksum-crc32c'],
  ],
  '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
);
const trailerBody = [
  `10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n${'a'.repeat(65_536)}\r\n`,
  `400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n${'a'.repeat(1024)}\r\n`,
  '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n',
  'x-amz-checksum-crc32c:sOO8/Q==\r\n',
  'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n',
].join('');

async function* pieces(body: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}

/** Verifies the head, then reads the body through its checks. */
async function receive(request: SignedRequest, body: Uint8Array | string, size = 10_000): Promise<Buffer> {
  const claim = readClaim(request, 's3')!;
  checkClaim(request, claim, 's3', now);
  const mode = payloadMode(request, claim, 's3');
  const verified = verifySignature(
    request,
    claim,
    secret,
    payloadHashText(request, claim),
    's3',
    openSigningKeys(1),
  );
  const read: Uint8Array[] = [];
  const source = pieces(Buffer.from(body as string, 'latin1'), size);
  for await (const piece of verifiedPayload(request, source, mode, verified, 's3')) read.push(piece);
  return Buffer.concat(read);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'taken';
  } catch (error) {
    if (error instanceof AwsFault) return error.code;
    throw error;
  }
}

describe('aws-chunked bodies with signed chunks', () => {
  it('verifies the documented example', async () => {
    const body = await receive(signedHead, signedBody);
    expect(body.equals(Buffer.alloc(66_560, 'a'))).toBe(true);
  });

  it('verifies the documented example with a trailing checksum', async () => {
    const body = await receive(trailerHead, trailerBody);
    expect(body.equals(Buffer.alloc(66_560, 'a'))).toBe(true);
  });

  it.each([1, 7, 8192, 100_000])('in pieces of %i bytes', async (size) => {
    expect((await receive(trailerHead, trailerBody, size)).length).toBe(66_560);
  });

  it('refuses the body with any byte changed', async () => {
    const body = Buffer.from(trailerBody, 'latin1');
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.nat(150),
          fc.nat(body.length - 1),
          fc.integer({ min: body.length - 300, max: body.length - 1 }),
        ),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const changed = Buffer.from(body);
          changed[at] = changed[at]! ^ flip;
          // Names of trailers are read without regard to case, as header names are, so that only their bytes'
          // case may change; and an `A` for an `a` in a chunk's size says the same size.
          const same = changed.toString('latin1').toLowerCase() === trailerBody.toLowerCase();
          const code = await codeOf(receive(trailerHead, changed));
          if (!same) expect(code).not.toBe('taken');
        },
      ),
      { numRuns: 300, seed: 20_261_122 },
    );
  });

  it('refuses a body that is cut off anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(trailerBody.length - 1), async (length) => {
        expect(await codeOf(receive(trailerHead, trailerBody.slice(0, length)))).toBe('IncompleteBody');
      }),
      { numRuns: 100, seed: 20_261_122 },
    );
  });

  it('refuses chunks left out, repeated or moved', async () => {
    const [one = '', two = '', three = ''] = signedBody.split(/(?<=a\r\n)/);
    expect(one.length + two.length + three.length).toBe(signedBody.length);
    expect(await codeOf(receive(signedHead, one + three))).not.toBe('taken');
    expect(await codeOf(receive(signedHead, one + two + two + three))).not.toBe('taken');
    expect(await codeOf(receive(signedHead, two + one + three))).not.toBe('taken');
    expect(await codeOf(receive(signedHead, `${signedBody}0\r\n\r\n`))).toBe('InvalidRequest');
  });
});

/** A request whose head is verified elsewhere, for what is said about the body alone. */
async function body(
  headers: readonly HeaderLine[],
  text: string,
  method = 'PUT',
  query = '',
): Promise<string> {
  const request: SignedRequest = { method, path: '/b/k', query, headers };
  const claim = { form: 'header', scope: { service: 's3' } } as ReturnType<typeof readClaim>;
  const mode = payloadMode(request, claim!, 's3');
  const unsigned = { key: createSecretKey(Buffer.alloc(32)), timestamp: '', scopeText: '', signature: '' };
  const read: Uint8Array[] = [];
  for await (const piece of verifiedPayload(request, pieces(Buffer.from(text), 5), mode, unsigned, 's3')) {
    read.push(piece);
  }
  return Buffer.concat(read).toString();
}

function trailerHeaders(name: string, length: number): HeaderLine[] {
  return [
    ['x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
    ['x-amz-decoded-content-length', String(length)],
    ['x-amz-trailer', name],
  ];
}

function md5Headers(md5: string): HeaderLine[] {
  return [
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
    ['content-md5', md5],
  ];
}

describe('checksums of a body', () => {
  const values = [
    ['crc32', 'y/Q5Jg=='],
    ['crc32c', '4waSgw=='],
    ['crc64nvme', 'rosUhgp5mIg='],
    ['sha1', '98O8HYCOBHMq32eZZczDTKeuNEE='],
    ['sha256', 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU='],
  ] as const;

  it.each(values)('%s in a trailer', async (name, value) => {
    const header = `x-amz-checksum-${name}`;
    const chunked = (checksum: string) => `9\r\n123456789\r\n0\r\n${header}:${checksum}\r\n\r\n`;
    expect(await body(trailerHeaders(header, 9), chunked(value))).toBe('123456789');
    const wrong = `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`;
    expect(await codeOf(body(trailerHeaders(header, 9), chunked(wrong)))).toBe('BadDigest');
    expect(await codeOf(body(trailerHeaders(header, 9), chunked('?')))).toBe('InvalidRequest');
    expect(await codeOf(body(trailerHeaders(header, 9), '9\r\n123456789\r\n0\r\n\r\n'))).toBe(
      'MalformedTrailerError',
    );
    expect(await codeOf(body(trailerHeaders(header, 8), chunked(value)))).toBe('IncompleteBody');
    expect(await codeOf(body(trailerHeaders(header, 10), chunked(value)))).toBe('IncompleteBody');
  });

  it.each(values)('%s in a header', async (name, value) => {
    const headers = (checksum: string): HeaderLine[] => [
      ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
      [`x-amz-checksum-${name}`, checksum],
      ['x-amz-checksum-algorithm', name.toUpperCase()],
    ];
    expect(await body(headers(value), '123456789')).toBe('123456789');
    expect(await codeOf(body(headers(value), '123456788'))).toBe('BadDigest');
    expect(await codeOf(body(headers('nonsense'), '123456789'))).toBe('InvalidRequest');
  });

  it('refuses two checksums, an unknown one, and one that a trailer did not announce', async () => {
    const unsigned: HeaderLine = ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'];
    const crc: HeaderLine = ['x-amz-checksum-crc32', 'y/Q5Jg=='];
    const sha: HeaderLine = ['x-amz-checksum-sha1', '98O8HYCOBHMq32eZZczDTKeuNEE='];
    expect(await codeOf(body([unsigned, crc, sha], '123456789'))).toBe('InvalidRequest');
    expect(await codeOf(body([unsigned, ['x-amz-checksum-xxhash64', 'AAAA']], '1'))).toBe('InvalidRequest');
    const announced = trailerHeaders('x-amz-checksum-sha1', 9);
    const other = '9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n';
    expect(await codeOf(body(announced, other))).toBe('MalformedTrailerError');
    expect(await codeOf(body(trailerHeaders('x-amz-meta-a', 9), other))).toBe('InvalidRequest');
  });

  it('Content-MD5', async () => {
    expect(await body(md5Headers('JfnnlDI7RTiF9RgfG2JNCw=='), '123456789')).toBe('123456789');
    expect(await codeOf(body(md5Headers('JfnnlDI7RTiF9RgfG2JNCw=='), '12345678'))).toBe('BadDigest');
    expect(await codeOf(body(md5Headers('nonsense'), '123456789'))).toBe('InvalidDigest');
  });

  it('x-amz-content-sha256', async () => {
    const sha256 = '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225';
    expect(await body([['x-amz-content-sha256', sha256]], '123456789')).toBe('123456789');
    expect(await codeOf(body([['x-amz-content-sha256', sha256]], '12345678'))).toBe(
      'XAmzContentSHA256Mismatch',
    );
    expect(await codeOf(body([['x-amz-content-sha256', 'abc']], ''))).toBe('InvalidArgument');
    expect(await codeOf(body([], ''))).toBe('InvalidRequest');
  });

  it('the checksum of a completed multipart upload is not that of the body', async () => {
    const headers: HeaderLine[] = [
      ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
      ['x-amz-checksum-crc32', 'AAAAAA=='],
    ];
    expect(await body(headers, '<xml/>', 'POST', 'uploadId=1')).toBe('<xml/>');
    expect(await codeOf(body(headers, '<xml/>', 'POST', 'delete'))).toBe('BadDigest');
  });
});

describe('the framing of aws-chunked bodies', () => {
  const crc = 'x-amz-checksum-crc32';

  it('takes chunks of 8 KiB and more, and a shorter last one', async () => {
    const framed = (sizes: readonly number[]) =>
      `${sizes.map((size) => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`).join('')}0\r\n${crc}:AAAAAA==\r\n\r\n`;
    expect(await codeOf(body(trailerHeaders(crc, 8193), framed([8192, 1])))).toBe('BadDigest');
    expect(await codeOf(body(trailerHeaders(crc, 8192), framed([1, 8191])))).toBe('InvalidChunkSizeError');
  });

  it('anything else is a named refusal', async () => {
    const seeds = [
      '0\r\n\r\n',
      '5\r\nhello\r\n',
      'zz\r\n',
      '\r\n',
      '5;a=b\r\n',
      '5\nhello',
      `5\r\nhelloXX\r\n`,
    ];
    const text = fc.oneof(
      fc.constantFrom(...seeds),
      fc.string({ maxLength: 30 }),
      fc.tuple(fc.constantFrom(...seeds), fc.string({ maxLength: 30 })).map((parts) => parts.join('')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (chunked) => {
        const named = ['IncompleteBody', 'InvalidRequest', 'MalformedTrailerError', 'InvalidChunkSizeError'];
        expect(named).toContain(await codeOf(body(trailerHeaders(crc, 5), chunked)));
      }),
      { numRuns: 500, seed: 20_261_122 },
    );
  });

  it('bounds a line', async () => {
    expect(await codeOf(body(trailerHeaders(crc, 5), '0'.repeat(5000)))).toBe('InvalidRequest');
  });
});
