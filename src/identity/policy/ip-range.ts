/** Addresses and CIDR ranges of IPv4 and IPv6, for the IP address condition operators. */

/** 4 or 16 bytes. */
export type IpAddress = readonly number[];

export interface IpRange {
  readonly address: IpAddress;
  readonly prefixBits: number;
}

function parseIpv4(text: string): IpAddress | undefined {
  const parts = text.split('.');
  // A leading zero is refused, because some readers take it for octal and others do not.
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const ending = last.includes('.') ? parseIpv4(last) : [];
  if (!ending) return undefined;
  const groups = ending.length > 0 ? parts.slice(0, -1) : parts;
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return [
    ...groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
    ...ending,
  ];
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '');
  if (!head) return undefined;
  if (halves.length === 1) return head.length === 16 ? head : undefined;
  // An IPv4 ending may only stand at the very end, not before the gap.
  if (halves[0]?.includes('.')) return undefined;
  const tail = parseGroups(halves[1] ?? '');
  if (!tail || head.length + tail.length > 14) return undefined;
  return [...head, ...Array.from({ length: 16 - head.length - tail.length }, () => 0), ...tail];
}

function isMapped(address: IpAddress): boolean {
  return address.length === 16 && address.every((byte, at) => at >= 12 || byte === (at >= 10 ? 255 : 0));
}

/** Parses an address; one that maps IPv4 into IPv6 (`::ffff:203.0.113.9`) becomes the IPv4 address that it means. */
export function parseIp(text: string): IpAddress | undefined {
  const address = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  return address && isMapped(address) ? address.slice(12) : address;
}

/** Parses an address or a CIDR range. Without a prefix it is the one address alone. */
export function parseIpRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  const written = slash === -1 ? text : text.slice(0, slash);
  const full = written.includes(':') ? parseIpv6(written) : parseIpv4(written);
  if (!full) return undefined;
  const bits = slash === -1 ? String(full.length * 8) : text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > full.length * 8) return undefined;
  const prefixBits = Number(bits);
  return isMapped(full) && prefixBits >= 96
    ? { address: full.slice(12), prefixBits: prefixBits - 96 }
    : { address: full, prefixBits };
}

/** Whether the address lies in the range. An IPv4 address is in no IPv6 range, and the other way round. */
export function isInRange(address: IpAddress, range: IpRange): boolean {
  if (address.length !== range.address.length) return false;
  const whole = range.prefixBits >> 3;
  for (let at = 0; at < whole; at += 1) if (address[at] !== range.address[at]) return false;
  const rest = range.prefixBits & 7;
  if (rest === 0) return true;
  const mask = 0xff & (0xff << (8 - rest));
  return ((address[whole] ?? 0) & mask) === ((range.address[whole] ?? 0) & mask);
}
