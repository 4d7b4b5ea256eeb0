import { BlockList, isIP, isIPv4 } from 'node:net';
import { SettingError } from '../../kernel/index.ts';

/** The addresses whose forwarding headers are believed. */
export interface TrustedProxies {
  trusts(address: string): boolean;
}

/**
 * Reads `CAIRN_TRUSTED_PROXIES`: addresses such as `10.0.0.7`, and networks such as `10.0.0.0/8` or `fd00::/8`.
 * Throws SettingError for anything else.
 */
export function trustedProxies(entries: readonly string[]): TrustedProxies {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix, rest] = entry.split('/');
    const version = isIP(address);
    const bits = prefix === undefined ? (version === 4 ? 32 : 128) : Number(prefix);
    const valid =
      version !== 0 &&
      rest === undefined &&
      (prefix === undefined || /^\d{1,3}$/.test(prefix)) &&
      bits <= (version === 4 ? 32 : 128);
    if (!valid) {
      throw new SettingError(
        `CAIRN_TRUSTED_PROXIES takes addresses and networks such as 10.0.0.7 or 10.0.0.0/8, not "${entry}"`,
      );
    }
    list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
  return {
    trusts(address) {
      if (entries.length === 0) return false;
      const version = isIP(address);
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
    },
  };
}

/** An address without what an IPv4 one wears on an IPv6 socket, and without a zone. */
export function plainAddress(address: string): string {
  if (isIPv4(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  // Some proxies write the same address in hexadecimal; conditions on IPv4 addresses must hold for it as well.
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address) ?? [];
  if (high === undefined || low === undefined) return address.replace(/%.*$/, '');
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join('.');
}

/**
 * Where a request comes from. X-Forwarded-For is read from the right, for as long as each address named was seen by one
 * that is trusted; what a client itself wrote further left is never believed.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  proxies: TrustedProxies,
): string {
  let address = plainAddress(peer);
  if (forwardedFor === undefined) return address;
  for (const entry of forwardedFor.split(',').toReversed()) {
    if (!proxies.trusts(address)) return address;
    const named = forwardedAddress(entry.trim());
    if (named === undefined) return address;
    address = named;
  }
  return address;
}

/** Proxies write `1.2.3.4`, `1.2.3.4:5678`, `[2001:db8::1]:5678` or `2001:db8::1`. */
function forwardedAddress(entry: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(entry)?.[1];
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(entry)?.[1];
  const address = plainAddress(bracketed ?? withPort ?? entry);
  return isIP(address) === 0 ? undefined : address;
}
