import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { ForbiddenAddressError, openEgress } from './egress.ts';
import { isPublicAddress } from './public-addresses.ts';

describe('public addresses', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.255.255',
    '172.32.0.1',
    '192.0.1.1',
    '223.255.255.255',
    '2001:4860:4860::8888',
    '2600::1',
    '2a00:1450:4001::1',
  ])('%s is one', (address) => expect(isPublicAddress(address)).toBe(true));

  it.each([
    ['this machine', '127.0.0.1'],
    ['this machine', '127.255.255.254'],
    ['this machine', '0.0.0.0'],
    ['this machine', '::1'],
    ['this machine', '::'],
    ['a private network', '10.0.0.1'],
    ['a private network', '172.16.0.1'],
    ['a private network', '172.31.255.255'],
    ['a private network', '192.168.1.1'],
    ['a private network', 'fc00::1'],
    ['a private network', 'fd00:ec2::254'],
    ['a provider', '100.64.0.1'],
    ['a link, such as the metadata service of clouds', '169.254.169.254'],
    ['a link', 'fe80::1'],
    ['a link', 'fe80::1%eth0'],
    ['a link', '2600::1%1'],
    ['a site', 'fec0::1'],
    ['documentation', '192.0.2.1'],
    ['documentation', '198.51.100.1'],
    ['documentation', '203.0.113.1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['benchmarks', '198.18.0.1'],
    ['many', '224.0.0.1'],
    ['many', 'ff02::1'],
    ['nobody', '240.0.0.1'],
    ['everybody', '255.255.255.255'],
    ['IPv4 in IPv6', '::ffff:127.0.0.1'],
    ['IPv4 in IPv6', '::ffff:8.8.8.8'],
    ['IPv4 in IPv6', '::ffff:7f00:1'],
    ['IPv4 in IPv6', '::127.0.0.1'],
    ['IPv4 by NAT64', '64:ff9b::7f00:1'],
    ['IPv4 by NAT64', '64:ff9b:1::7f00:1'],
    ['IPv4 by 6to4', '2002:7f00:1::'],
    ['IPv4 by Teredo', '2001:0:7f00:1::1'],
    ['nothing', 'localhost'],
    ['nothing', ''],
  ])('one of %s, %s, is none', (_, address) => expect(isPublicAddress(address)).toBe(false));
});

type Resolved = { readonly error?: Error | null; readonly address?: unknown };

function lookup(
  url: string,
  listed: readonly string[],
  addresses: readonly string[],
  all = true,
): Promise<Resolved> {
  const answers: LookupAddress[] = addresses.map((address) => ({
    address,
    family: address.includes(':') ? 6 : 4,
  }));
  const egress = openEgress(listed, (_host, _options, done) => done(null, answers));
  const target = new URL(url);
  return new Promise((resolve) => {
    egress.lookupFor(target)(target.hostname, { all }, (error, address) => resolve({ error, address }));
  });
}

const refuse = (url: string, listed: readonly string[] = []) => openEgress(listed).refuse(new URL(url));

describe('where requests may go', () => {
  it.each([
    'https://hooks.example.com/a',
    'https://hooks.example.com:8443/a',
    'https://8.8.8.8/',
    'https://[2600::1]/',
  ])('%s may be asked', (url) => expect(refuse(url)).toBeUndefined());

  it.each([
    ['http://hooks.example.com/', /is not HTTPS/],
    ['ftp://hooks.example.com/', /is not HTTPS/],
    ['file:///etc/passwd', /is not HTTPS/],
    ['https://user:password@hooks.example.com/', /holds credentials/],
    ['https://127.0.0.1/', /no public address/],
    ['https://[::1]/', /no public address/],
    ['https://[::ffff:127.0.0.1]/', /no public address/],
    // The ways in which URLs may write an address of IPv4.
    ['https://2130706433/', /127\.0\.0\.1 is no public address/],
    ['https://0x7f.1/', /127\.0\.0\.1 is no public address/],
    ['https://0177.0.0.1/', /127\.0\.0\.1 is no public address/],
    ['https://169.254.169.254/latest/meta-data', /no public address/],
  ])('%s may not', (url, reason) => expect(refuse(url)).toMatch(reason));

  it('hosts that are listed may be asked over HTTP, on the port that is listed or on any', () => {
    expect(refuse('http://hooks.internal/', ['hooks.internal'])).toBeUndefined();
    expect(refuse('http://hooks.internal:8080/', ['hooks.internal'])).toBeUndefined();
    expect(refuse('http://HOOKS.internal/', ['hooks.internal:80'])).toBeUndefined();
    expect(refuse('https://hooks.internal/', ['hooks.internal:443'])).toBeUndefined();
    expect(refuse('http://hooks.internal:8081/', ['hooks.internal:8080'])).toMatch(/is not HTTPS/);
    expect(refuse('http://127.0.0.1:8080/', ['127.0.0.1:8080'])).toBeUndefined();
    expect(refuse('http://[::1]:8080/', ['[::1]:8080'])).toBeUndefined();
    expect(refuse('http://user:password@hooks.internal/', ['hooks.internal'])).toMatch(/credentials/);
  });

  it('a name is what its addresses are, at the moment of connecting', async () => {
    const url = 'https://hooks.example.com/';
    expect((await lookup(url, [], ['8.8.8.8'])).address).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect((await lookup(url, [], ['8.8.8.8'], false)).address).toBe('8.8.8.8');
    const refused = await lookup(url, [], ['10.0.0.1', '::1']);
    expect(refused.error).toBeInstanceOf(ForbiddenAddressError);
    expect(refused.error?.message).toMatch(/hooks\.example\.com \(10\.0\.0\.1, ::1\) is no public address/);
    // Of a name with addresses of both kinds, none but the public ones is connected to.
    expect((await lookup(url, [], ['127.0.0.1', '8.8.8.8'])).address).toEqual([
      { address: '8.8.8.8', family: 4 },
    ]);
    expect((await lookup(url, ['hooks.example.com'], ['127.0.0.1'])).address).toEqual([
      { address: '127.0.0.1', family: 4 },
    ]);
  });
});
