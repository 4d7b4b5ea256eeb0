import { isIPv4, isIPv6 } from 'node:net';

/**
 * Addresses as Trino has them: 16 bytes, those of IPv4 behind ::ffff:0:0, so that ranges of both are ranges of bytes.
 */

const octet = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const group = '[0-9a-fA-F]{1,4}';

/** Shapes of addresses as the engine's regular expressions; of IPv6 without a dotted end. */
export const addressShapes = {
  v4: `^${octet}([.]${octet}){3}$`,
  v6: `^${group}(:${group}){7}$`,
  v6Short: `^(${group}(:${group}){0,6})?::(${group}(:${group}){0,6})?$`,
} as const;

const v4Prefix = '00000000000000000000FFFF';

/** The bytes of text that has the shape `v4`. */
export function v4Bytes(text: string): string {
  const number = `list_reduce(list_transform(string_split(${text}, '.'), lambda "o": TRY_CAST("o" AS BIGINT)), lambda "a", "b": "a" * 256 + "b")`;
  return `unhex('${v4Prefix}' || to_base(${number}, 16, 8))`;
}

/** The digits that groups on one side of `::` stand for. */
export function v6Digits(text: string, side: 1 | 2): string {
  const groups = `list_filter(string_split(split_part(${text}, '::', ${side}), ':'), lambda "g": "g" <> '')`;
  return `array_to_string(list_transform(${groups}, lambda "g": lpad("g", 4, '0')), '')`;
}

/** The bytes of text that has the shape `v6` or `v6Short`, whose groups are not too many. */
export function v6Bytes(text: string): string {
  const [left, right] = [v6Digits(text, 1), v6Digits(text, 2)];
  return `unhex(${left} || repeat('0', 32 - length(${left}) - length(${right})) || ${right})`;
}

function v6Groups(text: string): readonly number[] {
  const plain = text.replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) => {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [left = [], right] = plain
    .split('::')
    .map((side) => (side === '' ? [] : side.split(':').map((one) => Number.parseInt(one, 16))));
  if (right === undefined) return left;
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function allDigits(address: bigint): string {
  return address.toString(16).padStart(32, '0').toUpperCase();
}

/** The first and the last address of a range such as 10.0.0.0/8, as 32 digits each; undefined if it is none. */
export function rangeOf(text: string): readonly [first: string, last: string] | undefined {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const isShort = isIPv4(address);
  if (!isShort && (!isIPv6(address) || address.includes('%'))) return undefined;
  const most = isShort ? 32 : 128;
  if (Number(length) > most) return undefined;
  const digits = isShort
    ? v4Prefix +
      address
        .split('.')
        .map((one) => Number(one).toString(16).padStart(2, '0'))
        .join('')
    : v6Groups(address)
        .map((one) => one.toString(16).padStart(4, '0'))
        .join('');
  const free = BigInt(most - Number(length));
  const first = (BigInt(`0x${digits}`) >> free) << free;
  return [allDigits(first), allDigits(first | ((1n << free) - 1n))];
}
