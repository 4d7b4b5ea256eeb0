import { describe, expect, test } from 'vitest';
import { decode, route, type WireRequest } from '../../src/wire/protocol/index.ts';
import { membersOf, type StructureShape, type UnitShape } from '../../src/wire/schema/index.ts';
import type { Services } from '../../src/wire/services.ts';
import { caseFiles, casesPresent, nativeValue, readCases, type ProtocolCase } from './protocol-cases.ts';

/** Cases that are about what only a client does, or that leave nothing on the wire to be read; each with the reason. */
const skipped: readonly (readonly [RegExp, string])[] = [
  [/^SDKAppl|^SDKAppend/, 'compresses: gzip is taken off before the protocols are asked'],
  [/EndpointTrait|HostWithPath/, 'builds a host name or a base path: the case has no operation on the wire'],
  [/IdempotencyToken/, 'fills in a token that the parameters lack'],
  [
    /ClientPopulatesDefault|ClientUsesExplicitly|ClientIgnoresDefault/,
    'fills in defaults that the parameters lack',
  ],
  [/^QueryEmptyQueryMaps$|PrefixHeadersAreNotPresent|OmitsEmptyListQuery/, 'leaves empty maps and lists out'],
  [/QueryPrecedence$/, 'drops a parameter that stands twice'],
  [
    /^RestJsonHttpWithEmptyStructurePayload|^RestJsonHttpWithHeadersButNoPayload/,
    'sends {} for an absent payload',
  ],
];

function isSkipped(id: string): boolean {
  return skipped.some(([pattern]) => pattern.test(id));
}

/** Bytes are bytes, in whichever sort of array. */
function plainBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => plainBytes(element));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plainBytes(entry)]));
}

function requestOf(one: ProtocolCase): { request: WireRequest; body: Uint8Array } {
  const { serialized } = one.content;
  const [path = '/', query = ''] = (serialized?.uri ?? '/').split('?');
  const headers = Object.fromEntries(
    Object.entries(serialized?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const body = Buffer.from(serialized?.body ?? '', one.protocol === 'rpcv2Cbor' ? 'base64' : 'utf8');
  const method = serialized?.method ?? one.given.http?.method ?? 'POST';
  return { request: { method, path, query, headers, host: serialized?.host ?? 'example.com' }, body };
}

/**
 * A map of query parameters holds those too that another member takes; of the cases some say so and some do not,
 * because on the wire it is the same.
 */
function withoutDoubles(
  shape: StructureShape | UnitShape,
  value: Record<string, unknown>,
): Record<string, unknown> {
  const members = membersOf(shape);
  const taken = new Set(members.flatMap(({ place }) => (place.in === 'query' ? [place.name] : [])));
  const result = { ...value };
  for (const { name } of members.filter(({ place }) => place.in === 'queryMap')) {
    const kept = Object.entries(result[name] ?? {}).filter(([key]) => !taken.has(key));
    if (kept.length === 0) delete result[name];
    else result[name] = Object.fromEntries(kept);
  }
  return result;
}

describe.skipIf(!casesPresent)('outside protocol cases, requests (../shared/data/protocol-tests)', () => {
  describe.each(caseFiles)('%s', (file) => {
    test.each(readCases('input', file).filter(({ id }) => !isSkipped(id)))('$id', async (one) => {
      const services: Services = {
        descriptions: [one.service.description],
        signedAs: () => [one.service.description],
        load: () => Promise.resolve(one.service),
      };
      const { request, body } = requestOf(one);
      const routed = await route(services, request, 'cases', () => Promise.resolve(body));
      expect(routed.operationName).toBe(one.operationName);
      expect(routed.protocol).toBe(one.protocol);
      const input = decode(routed, request, body);
      const shape = routed.operation.input;
      const expected = (nativeValue(shape, one.content.params ?? {}) ?? {}) as Record<string, unknown>;
      expect(plainBytes(withoutDoubles(shape, input))).toEqual(plainBytes(withoutDoubles(shape, expected)));
    });
  });
});
