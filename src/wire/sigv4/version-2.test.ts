import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AwsFault } from '../../kernel/index.ts';
import { claimedCredential } from './claim.ts';
import type { SignedRequest } from './canonical.ts';
import { readVersion2Claim, verifyVersion2, withoutVersion2 } from './version-2.ts';

/** Key, path, time and signature of the example of "Signing and authenticating REST requests" in the S3 developer guide. */
const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const expires = 1_175_139_620;
const now = (expires - 60) * 1000;

const sign = (text: string) => createHmac('sha1', secret).update(text).digest('base64');

function url(signature: string, over: Partial<SignedRequest> = {}, more = ''): SignedRequest {
  const given = { AWSAccessKeyId: accessKeyId, Signature: signature, Expires: String(expires) };
  const query = `${more}${more === '' ? '' : '&'}${new URLSearchParams(given).toString()}`;
  return { method: 'GET', path: '/photos/puppy.jpg', query, headers: [['host', 'x']], ...over };
}

/** `verified`, or the code of the refusal. */
function verdict(request: SignedRequest, bucket?: string, at = now): string {
  try {
    const claim = readVersion2Claim(request, at);
    if (!claim) return 'none';
    verifyVersion2(request, claim, secret, bucket);
    return 'verified';
  } catch (error) {
    if (error instanceof AwsFault) return error.code;
    throw error;
  }
}

describe('URLs presigned by Signature Version 2', () => {
  it('verify, as the example of the documentation does, for the bucket of the host', () => {
    const example = url('NpgCjnDzrM+WFzoENXmpNDUsSn8=');
    expect(verdict(example, 'johnsmith')).toBe('verified');
    expect(verdict({ ...example, path: '/johnsmith/photos/puppy.jpg' })).toBe('verified');
    expect(verdict(example, 'johnsmiths')).toBe('SignatureDoesNotMatch');
    expect(verdict({ ...example, method: 'PUT' }, 'johnsmith')).toBe('SignatureDoesNotMatch');
    expect(claimedCredential(example)).toEqual({ accessKeyId, region: undefined, service: 's3' });
    expect(withoutVersion2(`acl&${example.query}`)).toBe('acl');
  });

  it('count until they expire', () => {
    const example = url('NpgCjnDzrM+WFzoENXmpNDUsSn8=');
    expect(verdict(example, 'johnsmith', expires * 1000)).toBe('verified');
    expect(verdict(example, 'johnsmith', expires * 1000 + 1)).toBe('AccessDenied');
    const later = { ...example, query: example.query.replace(String(expires), String(expires + 1)) };
    expect(verdict(later, 'johnsmith')).toBe('SignatureDoesNotMatch');
    for (const bad of ['x', '', '-1', '1e9']) {
      expect(verdict({ ...example, query: example.query.replace(String(expires), bad) })).toBe(
        'AccessDenied',
      );
    }
  });

  it('cover subresources, Content-MD5, Content-Type and x-amz headers, wherever those stand', () => {
    const text = `PUT\nmd5\ntext/plain\n${expires}\nx-amz-acl:private\nx-amz-meta-a:b\n/b/key?tagging&versionId=1 2`;
    const headers: SignedRequest['headers'] = [
      ['x-amz-meta-a', ' b'],
      ['content-type', 'text/plain'],
      ['content-md5', 'md5'],
    ];
    const over = { method: 'PUT', path: '/b/key', headers };
    const more = 'versionId=1%202&x-amz-acl=private&tagging&content-type=text%2Fplain';
    expect(verdict(url(sign(text), over, more))).toBe('verified');
    expect(verdict(url(sign(text), over, more.replace('private', 'public-read')))).toBe(
      'SignatureDoesNotMatch',
    );
    const others: SignedRequest['headers'] = [['x-amz-meta-b', 'b'], ...headers];
    expect(verdict(url(sign(text), { ...over, headers: others }, more))).toBe('SignatureDoesNotMatch');
    expect(verdict(url(sign(text), over, `${more}&acl`))).toBe('SignatureDoesNotMatch');
  });

  it('are refused with what they do not cover, and with two answers to one question', () => {
    const signature = sign(`GET\n\n\n${expires}\n/b/key`);
    const over = { path: '/b/key' };
    expect(verdict(url(signature, over))).toBe('verified');
    for (const more of ['attributes', 'retention', 'legal-hold', 'list-type=2', 'prefix=x', 'X-Amz-Date=x']) {
      expect(verdict(url(signature, over, more)), more).toBe('InvalidArgument');
    }
    expect(verdict(url(signature, over, `Expires=${expires}`))).toBe('InvalidArgument');
    const twice: SignedRequest['headers'] = [['authorization', 'AWS4-HMAC-SHA256 x']];
    expect(verdict(url(signature, { ...over, headers: twice }))).toBe('InvalidArgument');
    const chunked: SignedRequest['headers'] = [
      ['x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
    ];
    expect(verdict(url(signature, { ...over, headers: chunked }))).toBe('InvalidArgument');
    expect(verdict({ ...url(signature, over), query: `AWSAccessKeyId=${accessKeyId}` })).toBe('AccessDenied');
    expect(verdict({ ...url(signature, over), query: '' })).toBe('none');
  });

  it('cover the session token', () => {
    const signature = sign(`GET\n\n\n${expires}\nx-amz-security-token:to+ken\n/b/key`);
    const request = url(signature, { path: '/b/key' }, 'x-amz-security-token=to%2Bken');
    expect(verdict(request)).toBe('verified');
    expect(readVersion2Claim(request, now)?.sessionToken).toBe('to+ken');
    expect(withoutVersion2(request.query)).toBe('');
  });
});
