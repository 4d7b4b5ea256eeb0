import { describe, expect, it } from 'vitest';
import { clientAddress, trustedProxies } from './client-address.ts';

const proxies = trustedProxies(['10.0.0.0/8', '192.168.1.7', 'fd00::/8']);

describe('the address of a client', () => {
  it.each<readonly [string, string | undefined, string, string]>([
    ['203.0.113.9', undefined, '203.0.113.9', 'nobody in between'],
    ['203.0.113.9', '198.51.100.1', '203.0.113.9', 'a header from somebody who is not trusted'],
    ['10.1.2.3', '198.51.100.1', '198.51.100.1', 'one trusted proxy'],
    ['::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1', 'an IPv4 proxy on an IPv6 socket'],
    ['10.1.2.3', '198.51.100.1, 192.168.1.7', '198.51.100.1', 'two trusted proxies'],
    ['10.1.2.3', '1.1.1.1, 198.51.100.1', '198.51.100.1', 'what the client itself wrote further left'],
    [
      '10.1.2.3',
      '1.1.1.1, 10.9.9.9, 198.51.100.1, 10.4.4.4',
      '198.51.100.1',
      'a trusted address further left',
    ],
    ['10.1.2.3', '10.4.4.4', '10.4.4.4', 'nobody but proxies'],
    ['10.1.2.3', undefined, '10.1.2.3', 'a proxy that says nothing'],
    ['10.1.2.3', 'unknown', '10.1.2.3', 'something that is no address'],
    ['10.1.2.3', '198.51.100.1, junk, 192.168.1.7', '192.168.1.7', 'something that is no address in between'],
    ['10.1.2.3', '198.51.100.1:4711', '198.51.100.1', 'an address with a port'],
    ['fd00::1', '[2001:db8::5]:4711', '2001:db8::5', 'an IPv6 address with a port'],
    ['fd00::1', '2001:db8::5', '2001:db8::5', 'an IPv6 address'],
    ['10.1.2.3', '[::ffff:c633:6401]:4711', '198.51.100.1', 'an IPv4 address as IPv6, in hexadecimal'],
    ['10.1.2.3', '::FFFF:a01:203, 198.51.100.1', '198.51.100.1', 'a spoofed one of these further left'],
    ['fe80::1%eth0', undefined, 'fe80::1', 'a zone'],
  ])('%s with %s is %s (%s)', (peer, header, address) => {
    expect(clientAddress(peer, header, proxies)).toBe(address);
  });

  it.each(['10.0.0.0/33', '10.0.0/8', 'proxy.example', 'fd00::/129', '10.0.0.0/8/8', '10.0.0.0/', ''])(
    'the setting refuses %o by name',
    (entry) => {
      expect(() => trustedProxies([entry])).toThrow(/CAIRN_TRUSTED_PROXIES takes/);
    },
  );
});
