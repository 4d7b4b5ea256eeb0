import * as fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { AwsFault } from '../../src/kernel/index.ts';
import {
  decode,
  encodeFault,
  route,
  unrouted,
  validate,
  type WireRequest,
} from '../../src/wire/protocol/index.ts';
import type { ProtocolName } from '../../src/wire/service.ts';
import { openServices } from '../../src/wire/services.ts';
import { clientExports, makeClient, makeCommand } from './clients.ts';
import { capturing } from './in-process.ts';
import { chooseInput, synthesise } from './synthetic.ts';

const services = openServices();

interface Sent {
  readonly request: WireRequest;
  readonly body: Uint8Array;
}

/** What real clients send for a handful of operations with inputs of every kind. */
const targets: readonly (readonly [string, ProtocolName, readonly string[]])[] = [
  ['cloudtrail', 'awsJson1_1', ['LookupEvents', 'PutEventSelectors', 'CreateTrail']],
  ['cloudwatch', 'awsJson1_0', ['PutMetricData', 'GetMetricData']],
  ['cloudwatch', 'awsQuery', ['PutMetricData', 'PutMetricAlarm']],
  ['cloudwatch', 'rpcv2Cbor', ['PutMetricData', 'GetMetricData', 'PutMetricAlarm']],
  ['iam', 'awsQuery', ['CreateUser', 'SimulatePrincipalPolicy', 'TagRole']],
  ['sqs', 'awsQuery', ['SendMessageBatch', 'SetQueueAttributes']],
  [
    's3',
    'restXml',
    ['PutBucketLifecycleConfiguration', 'DeleteObjects', 'PutObject', 'CompleteMultipartUpload'],
  ],
  ['lambda', 'restJson1', ['CreateFunction', 'Invoke', 'ListFunctions']],
  ['cloudtrail-data', 'restJson1', ['PutAuditEvents']],
];

async function capture([name, protocol, operations]: (typeof targets)[number]): Promise<Sent[]> {
  const description = services.descriptions.find((one) => one.name === name)!;
  const { schema } = await services.load(name);
  const exports = await clientExports(description);
  const kept: Sent[] = [];
  const client = makeClient(name, exports, protocol, capturing(kept));
  for (const operationName of operations) {
    const input = synthesise(schema.operations.get(operationName)!.input, 1, chooseInput);
    await client.send(makeCommand(name, exports, operationName, input)).catch(() => undefined);
  }
  client.destroy();
  return kept;
}

/** Whatever comes in: an input or an AwsFault that can be answered comes out. */
async function offer(signingName: string, { request, body }: Sent): Promise<'taken' | 'refused'> {
  try {
    const routed = await route(services, request, signingName, () => Promise.resolve(body));
    validate(routed, decode(routed, request, body));
    return 'taken';
  } catch (error) {
    expect(error).toBeInstanceOf(AwsFault);
    const fault = error as AwsFault;
    expect(fault.status ?? 400).toBeLessThan(500);
    const answer = encodeFault(await unrouted(services, request, signingName), fault, 'id');
    expect(answer.status).toBeGreaterThanOrEqual(400);
    return 'refused';
  }
}

type Edit = (bytes: Uint8Array) => Uint8Array;

/** Changes of a valid body: bytes replaced, cut out, doubled, put in, the end cut off. */
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })).map(([at, byte]): Edit => (bytes) => {
    const result = Uint8Array.from(bytes);
    if (result.length > 0) result[at % result.length] = byte;
    return result;
  }),
  fc.tuple(fc.nat(), fc.nat({ max: 40 })).map(([at, length]): Edit => (bytes) => {
    const start = bytes.length === 0 ? 0 : at % bytes.length;
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + length)]);
  }),
  fc.tuple(fc.nat(), fc.nat({ max: 60 })).map(([at, length]): Edit => (bytes) => {
    const start = bytes.length === 0 ? 0 : at % bytes.length;
    return Buffer.concat([bytes.subarray(0, start + length), bytes.subarray(start)]);
  }),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 20 })).map(([at, more]): Edit => (bytes) => {
    const start = bytes.length === 0 ? 0 : at % bytes.length;
    return Buffer.concat([bytes.subarray(0, start), more, bytes.subarray(start)]);
  }),
  fc
    .tuple(
      fc.nat(),
      fc.constantFrom(
        'null',
        '{}',
        '[]',
        '"x"',
        '1e999',
        '-1',
        'true',
        '<a/>',
        '&lt;',
        '&#0;',
        '%zz',
        '%ff',
        '=',
        '&',
        '.1.',
      ),
    )
    .map(([at, more]): Edit => (bytes) => {
      const start = bytes.length === 0 ? 0 : at % bytes.length;
      return Buffer.concat([
        bytes.subarray(0, start),
        Buffer.from(more),
        bytes.subarray(start + more.length),
      ]);
    }),
  fc.nat().map(
    (at): Edit =>
      (bytes) =>
        bytes.subarray(0, bytes.length === 0 ? 0 : at % bytes.length),
  ),
);
const edits = fc.array(edit, { minLength: 1, maxLength: 4 });

function apply(changes: readonly Edit[], bytes: Uint8Array): Uint8Array {
  return changes.reduce((result, change) => change(result), bytes);
}

describe.each(targets)('%s over %s', (...target) => {
  const [name] = target;
  const signingName = services.descriptions.find((one) => one.name === name)!.signingName;
  let sent: Sent[] = [];
  beforeAll(async () => {
    sent = await capture(target);
  });

  test('what the client sends is taken as far as the constraints', async () => {
    expect(sent.length).toBe(target[2].length);
    for (const { request, body } of sent) {
      const routed = await route(services, request, signingName, () => Promise.resolve(body));
      expect(decode(routed, request, body)).toBeTypeOf('object');
    }
  });

  test('random bytes for a body are taken or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.uint8Array({ maxLength: 300 }), async (which, body) => {
        await offer(signingName, { request: sent[which % sent.length]!.request, body });
      }),
      { numRuns: 150 },
    );
  });

  test('a damaged body is taken or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), edits, async (which, changes) => {
        const { request, body } = sent[which % sent.length]!;
        await offer(signingName, { request, body: apply(changes, body) });
      }),
      { numRuns: 400 },
    );
  });

  test('a damaged path, query or header is taken or refused', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        edits,
        fc.constantFrom('path', 'query', 'header'),
        async (which, changes, where) => {
          const { request, body } = sent[which % sent.length]!;
          const damage = (text: string): string =>
            Buffer.from(apply(changes, Buffer.from(text, 'latin1'))).toString('latin1');
          const names = Object.keys(request.headers);
          const header = names[which % names.length]!;
          await offer(signingName, {
            request: {
              ...request,
              ...(where === 'path' ? { path: damage(request.path) } : {}),
              ...(where === 'query' ? { query: damage(request.query) } : {}),
              ...(where === 'header'
                ? { headers: { ...request.headers, [header]: damage(request.headers[header]!) } }
                : {}),
            },
            body,
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});
