import { describe, expect, it } from 'vitest';
import { findEndpoint, findRegion } from './endpoint.ts';

describe('findEndpoint', () => {
  it('takes the option, else the environment, else the standard address', () => {
    const env = { AWS_ENDPOINT_URL: 'https://cairn.example:8443' };
    expect(findEndpoint('http://[::1]:1', env).origin).toBe('http://[::1]:1');
    expect(findEndpoint(undefined, env).origin).toBe('https://cairn.example:8443');
    expect(findEndpoint(undefined, {}).origin).toBe('http://127.0.0.1:4747');
    expect(findEndpoint(undefined, { AWS_ENDPOINT_URL: '' }).origin).toBe('http://127.0.0.1:4747');
  });

  it.each(['127.0.0.1:4747', 'ftp://x', 'http://x/path', 'http://u:p@x', 'http://x/?q=1', 'x'])(
    'refuses %s',
    (text) => {
      expect(() => findEndpoint(text, {})).toThrow('--endpoint takes a URL');
      expect(() => findEndpoint(undefined, { AWS_ENDPOINT_URL: text })).toThrow(
        'AWS_ENDPOINT_URL takes a URL',
      );
    },
  );
});

describe('findRegion', () => {
  it('follows the order of the AWS SDKs', () => {
    expect(findRegion({ AWS_REGION: 'a', AWS_DEFAULT_REGION: 'b' })).toBe('a');
    expect(findRegion({ AWS_DEFAULT_REGION: 'b', CAIRN_REGION: 'c' })).toBe('b');
    expect(findRegion({})).toBe('us-east-1');
  });
});
