import { isIPv4, isIPv6 } from 'node:net';
import { AwsFault } from '../../kernel/index.ts';

/** A range of addresses: the first `bits` of `address` (4 or 16 bytes) are fixed. */
export interface AddressRange {
  readonly address: Uint8Array;
  readonly bits: number;
}

function parseIPv4(text: string): Uint8Array {
  return Uint8Array.from(text.split('.'), Number);
}

function units(part: string | undefined): readonly number[] {
  return part ? part.split(':').map((unit) => Number.parseInt(unit, 16)) : [];
}

function parseIPv6(text: string): Uint8Array {
  const plain = text.replace(/%.*$/u, '');
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/u.exec(plain);
  const tail = dotted?.[2] === undefined ? [] : [...parseIPv4(dotted[2])];
  const groups = (dotted?.[1] === undefined ? plain : `${dotted[1]}0:0`).split('::');
  const [head, rest] = [units(groups[0]), units(groups[1])];
  const gap = groups.length === 2 ? Array.from({ length: 8 - head.length - rest.length }, () => 0) : [];
  const bytes = Uint8Array.from([...head, ...gap, ...rest].flatMap((unit) => [unit >> 8, unit & 0xff]));
  if (tail.length > 0) bytes.set(tail, 12);
  return bytes;
}

/** ::ffff:a.b.c.d is an IPv4 address in other clothes. */
function unmapped(bytes: Uint8Array): Uint8Array {
  const isMapped =
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.subarray(12) : bytes;
}

/** The bytes of an IP address; undefined for other text (CloudTrail also puts service names in sourceIPAddress). */
function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return parseIPv4(text);
  return isIPv6(text) ? unmapped(parseIPv6(text)) : undefined;
}

/**
 * An IP address as CloudTrail writes it: IPv6 in small letters and shortened (RFC 5952), IPv4 without the clothes of IPv6. Other text is
 * as it was.
 */
export function canonicalAddress(text: string): string {
  const bytes = isIPv6(text) ? parseAddress(text) : undefined;
  if (!bytes) return text;
  if (bytes.length === 4) return bytes.join('.');
  return new URL(`http://[${text.replace(/%.*$/u, '')}]`).hostname.slice(1, -1);
}

/** Parses an IPv4 or IPv6 CIDR, or a single address. Throws `InvalidParameterException` for anything else. */
export function parseAddressRange(text: string): AddressRange {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/u.exec(text);
  const address = match?.[1] === undefined ? undefined : parseAddress(match[1]);
  const most = (address?.length ?? 0) * 8;
  const mapped = match?.[1] !== undefined && isIPv6(match[1]) && most === 32 ? 96 : 0;
  const bits = match?.[2] === undefined ? most : Number(match[2]) - mapped;
  if (!address || bits < 0 || bits > most) {
    throw new AwsFault(
      'InvalidParameterException',
      `"${text}" is not an IP address or a CIDR range such as 192.0.2.0/24 or 2001:db8::/32.`,
    );
  }
  return { address, bits };
}

export function isInRange(text: string, range: AddressRange): boolean {
  const address = parseAddress(text);
  if (address?.length !== range.address.length) return false;
  const whole = range.bits >> 3;
  for (let index = 0; index < whole; index += 1) if (address[index] !== range.address[index]) return false;
  const rest = 8 - (range.bits & 7);
  return rest === 8 || (address[whole] ?? 0) >> rest === (range.address[whole] ?? 0) >> rest;
}
