import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  canonicalRequest,
  sha256Hex,
  stringToSign,
  type HeaderLine,
  type SignedRequest,
} from './canonical.ts';
import { readClaim } from './claim.ts';
import { openSigningKeys } from './signing-key.ts';
import { checkClaim, verifySignature } from './verify.ts';

/** AWS's own Signature Version 4 suite, from outside the project. The two secrets are those that its readme names. */
const suite = join('..', 'shared', 'data', 'protocol-tests', 'sigv4');
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

function casesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return casesBelow(join(folder, entry.name));
    return entry.name.endsWith('.req') ? [join(folder, entry.name.slice(0, -4))] : [];
  });
}

function read(file: string): string {
  return readFileSync(file, 'latin1').replaceAll('\r\n', '\n');
}

/** The suite writes a folded header over several lines; a server sees such lines joined by the parser. */
function parse(text: string): SignedRequest & { readonly body: string } {
  const [head = '', ...body] = text.split('\n\n');
  const [requestLine = '', ...lines] = head.split('\n');
  const method = requestLine.slice(0, requestLine.indexOf(' '));
  const target = requestLine.slice(method.length + 1, requestLine.lastIndexOf(' '));
  const question = target.indexOf('?');
  const headers: HeaderLine[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const last = headers.at(-1);
    if (/^\s/.test(line) && last) headers[headers.length - 1] = [last[0], `${last[1]} ${line.trim()}`];
    else headers.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1)]);
  }
  return {
    method,
    path: question === -1 ? target : target.slice(0, question),
    query: question === -1 ? '' : target.slice(question + 1),
    headers,
    body: body.join('\n\n'),
  };
}

describe.skipIf(!existsSync(suite))(
  'the Signature Version 4 suite (skipped where ../shared/data is absent)',
  () => {
    const cases = casesBelow(suite);

    it('is there', () => {
      expect(cases.length).toBeGreaterThan(30);
    });

    it.each(cases.map((path) => [path.slice(suite.length + 1), path] as const))('%s', (_, path) => {
      const authorization = read(`${path}.authz`).trim();
      // A token that is added after signing (`post-sts-header-after`) is the client's to send, so that the signed
      // request is read as it was signed.
      const request = parse(read(`${path}.req`));
      const signed = {
        ...request,
        headers: [...request.headers, ['authorization', authorization]] as HeaderLine[],
      };
      const claim = readClaim(signed, 'aws')!;
      const token = /x-amz-security-token:(.*)/.exec(read(`${path}.creq`))?.[1];
      if (token !== undefined && !request.headers.some(([name]) => name === 'x-amz-security-token')) {
        signed.headers.push(['x-amz-security-token', token]);
      }
      const payloadHash = sha256Hex(Buffer.from(request.body, 'latin1'));
      const canonical = canonicalRequest(signed, claim.signedHeaders, payloadHash, false)!;
      expect(canonical).toBe(read(`${path}.creq`).trimEnd());
      const scope = '20150830/us-east-1/service/aws4_request';
      expect(stringToSign(claim.timestamp, scope, canonical)).toBe(read(`${path}.sts`).trimEnd());
      checkClaim(signed, claim, 'aws', Date.parse('2015-08-30T12:40:00Z'));
      const keys = openSigningKeys(10);
      verifySignature(signed, claim, secret, payloadHash, 'aws', keys);
      expect(() => verifySignature(signed, claim, `${secret}x`, payloadHash, 'aws', keys)).toThrow(
        /signature we calculated/,
      );
    });
  },
);
