import { describe, expect, test } from 'vitest';
import { AwsFault } from '../../src/kernel/index.ts';
import { validate } from '../../src/wire/protocol/index.ts';
import type { Member, OperationShape } from '../../src/wire/schema/index.ts';
import { openServices } from '../../src/wire/services.ts';
import { clientExports, makeClient, makeCommand } from './clients.ts';
import { inProcess } from './in-process.ts';
import { chooseInput, synthesise } from './synthetic.ts';

const services = openServices();

function chooseOutput(member: Member): unknown {
  // Made of Expires by the client itself.
  return member.name === 'ExpiresString' ? null : undefined;
}

/** Members that a client adds by itself. */
const added = ['ChecksumAlgorithm', 'ChecksumCRC32', 'ContentMD5', 'AttributeNames'];

function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => comparable(element));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([key, entry]) => [key, comparable(entry)]),
  );
}

async function comparableOutput(output: Record<string, unknown>): Promise<unknown> {
  const { $metadata: _, ExpiresString: __, ...rest } = output;
  for (const [name, value] of Object.entries(rest)) {
    const stream = value as { transformToByteArray?: () => Promise<Uint8Array> } | undefined;
    if (stream?.transformToByteArray) rest[name] = await stream.transformToByteArray();
  }
  return comparable(rest);
}

/** Operations that take or answer a stream of events; they are refused by name. */
const eventStreams = new Set([
  'GetLogObject',
  'StartLiveTail',
  'SelectObjectContent',
  'InvokeWithResponseStream',
]);

function usable(operation: OperationShape): boolean {
  return !eventStreams.has(operation.name);
}

describe.each(services.descriptions.map(({ name }) => name))('%s', (name) => {
  const description = services.descriptions.find((one) => one.name === name)!;

  test.each(description.protocols)('every operation survives %s in both directions', async (protocol) => {
    const { schema } = await services.load(name);
    const exports = await clientExports(description);
    let turn = 0;
    let received: { operationName: string; input: unknown; protocol: string } | undefined;
    let output: Record<string, unknown> = {};
    const client = makeClient(
      name,
      exports,
      protocol,
      inProcess(
        services,
        (routed, input) => {
          received = { operationName: routed.operationName, input, protocol: routed.protocol };
          return Promise.resolve(output);
        },
        description.signingName,
      ),
    );
    for (const operation of schema.operations.values()) {
      if (!usable(operation)) continue;
      turn += 1;
      const input = synthesise(operation.input, turn, chooseInput);
      output = synthesise(operation.output, turn, chooseOutput);
      received = undefined;
      const answer = await client
        .send(makeCommand(name, exports, operation.name, input))
        .catch((error: unknown) => Promise.reject(new Error(operation.name, { cause: error })));
      expect(received, operation.name).toMatchObject({ operationName: operation.name, protocol });
      const decoded = { ...(received!.input as Record<string, unknown>) };
      for (const member of added) if (input[member] === undefined) delete decoded[member];
      expect(comparable(decoded), `input of ${operation.name}`).toEqual(comparable(input));
      expect(await comparableOutput(answer), `output of ${operation.name}`).toEqual(comparable(output));
    }
    client.destroy();
  });

  test.each(description.protocols)('every modelled error survives %s', async (protocol) => {
    const { schema } = await services.load(name);
    const exports = await clientExports(description);
    const operation = [...schema.operations.values()].find(
      (one) => usable(one) && one.http?.method !== 'HEAD',
    )!;
    let fault = new AwsFault('Unset', '');
    const client = makeClient(
      name,
      exports,
      protocol,
      inProcess(services, () => Promise.reject(fault), description.signingName),
    );
    const input = synthesise(operation.input, 1, chooseInput);
    let turn = 0;
    for (const error of schema.errors.values()) {
      turn += 1;
      const members = synthesise(error, turn, chooseOutput);
      for (const member of Object.keys(members)) {
        if (member.toLowerCase() === 'message') delete members[member];
      }
      fault = new AwsFault(error.name, `what ${error.name} says <&>`, { members });
      const caught: unknown = await client.send(makeCommand(name, exports, operation.name, input)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(caught, error.name).toMatchObject({ message: fault.message, ...members });
      // Where two errors share a code of the query protocol, its clients take the first.
      const code = error.queryError?.code;
      const names = [...schema.errors.values()]
        .filter((one) => one === error || (code !== undefined && one.queryError?.code === code))
        .map((one) => one.name);
      expect(names, error.name).toContain((caught as Error).name);
      expect(
        (caught as { $metadata: { httpStatusCode: number } }).$metadata.httpStatusCode,
      ).toBeGreaterThanOrEqual(400);
    }
    client.destroy();
  });

  test('an input without its required members is refused by name', async () => {
    const loaded = await services.load(name);
    for (const operation of loaded.schema.operations.values()) {
      if (operation.input.kind === 'unit' || !operation.input.members.some(({ required }) => required))
        continue;
      const routed = {
        service: loaded,
        protocol: description.protocols[0]!,
        operation,
        operationName: operation.name,
        streamingInput: false,
        streamingOutput: false,
        labels: {},
        queryMode: false,
        method: 'POST',
      };
      expect(() => validate(routed, {}), operation.name).toThrow(AwsFault);
    }
  });
});
