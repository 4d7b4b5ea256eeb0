import { BlockList, isIP } from 'node:net';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isInRange, parseIp, parseIpRange } from './ip-range.ts';

const near = fc.constantFrom(0, 1, 2, 127, 128, 254, 255);
const ipv4 = fc.tuple(near, near, near, near).map((bytes) => bytes.join('.'));
const group = fc.constantFrom('0', '1', '7fff', '8000', 'ffff', 'FFFE', '0db8');
const ipv6 = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':'));

test('ranges agree with the block lists of Node', () => {
  const sameFamily = fc.oneof(
    fc.tuple(ipv4, ipv4, fc.integer({ min: 0, max: 32 }), fc.constant('ipv4' as const)),
    fc.tuple(ipv6, ipv6, fc.integer({ min: 0, max: 128 }), fc.constant('ipv6' as const)),
  );
  fc.assert(
    fc.property(sameFamily, ([address, net, bits, family]) => {
      const list = new BlockList();
      list.addSubnet(net, bits, family);
      expect(isInRange(parseIp(address)!, parseIpRange(`${net}/${bits}`)!)).toBe(list.check(address, family));
    }),
    { numRuns: 3000 },
  );
});

test('what is an address agrees with Node', () => {
  const character = fc.constantFrom('0', '1', '9', 'a', 'f', 'g', ':', '::', '.', '255', 'ffff', '%', '/');
  const soup = fc.array(character, { maxLength: 12 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(soup, ipv4, ipv6), (text) => {
      // Node takes addresses with a zone; a policy cannot mean one.
      expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0 && !text.includes('%'));
    }),
    { numRuns: 5000 },
  );
});

test.each([
  ['::', '0000:0000:0000:0000:0000:0000:0000:0000'],
  ['1::', '1:0:0:0:0:0:0:0'],
  ['::1', '0:0:0:0:0:0:0:1'],
  ['1:2::7:8', '1:2:0:0:0:0:7:8'],
  ['64:ff9b::192.0.2.33', '64:ff9b:0:0:0:0:c000:221'],
  ['::ffff:192.0.2.33', '192.0.2.33'],
])('%s is %s', (left, right) => {
  expect(parseIp(left)).toEqual(parseIp(right));
});

test.each([
  '1:2:3:4::5:6:7:8',
  '1:2:3:4:5:6:7:8::',
  '1:2:3:4:5:6:7',
  '1.2.3.4::',
  ':::',
  '1:2:3:4:5:6:7:1.2.3.4',
  '12345::',
])('%s is no address', (text) => {
  expect(parseIp(text)).toBeUndefined();
});
