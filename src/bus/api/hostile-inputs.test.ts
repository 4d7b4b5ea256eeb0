import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AwsFault } from '../../kernel/index.ts';
import { busRegion, openBusFixture } from '../../../test/bus-fixture.ts';
import { management } from '../../../test/identity-fixture.ts';

/** Texts that are almost what is asked for, and texts that are nothing at all. */
const part = fc.oneof(
  fc.constantFrom(
    'default',
    'orders',
    'r',
    '..',
    'a/b',
    '',
    '\0',
    '\ud800',
    '*',
    '__proto__',
    'x'.repeat(300),
  ),
  fc.string({ maxLength: 12 }),
);
const name = fc.oneof(
  part,
  fc
    .tuple(part, fc.constantFrom('event-bus', 'rule', 'rule/orders'), fc.constantFrom(busRegion, '', 'a b'))
    .map(([last, kind, where]) => `arn:aws:events:${where}:${management}:${kind}/${last}`),
);
const json = fc.oneof(
  name,
  fc.json({ maxDepth: 4 }),
  fc
    .tuple(part, fc.jsonValue({ maxDepth: 2 }))
    .map(([key, value]) =>
      JSON.stringify({ source: [value], [key]: { [key]: [value] }, $or: [value, value] }),
    ),
  fc.tuple(part, part).map(([action, principal]) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Principal: { AWS: principal },
        Action: `events:${action}`,
        Resource: '*',
      },
    }),
  ),
);
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const tags = fc.array(fc.record({ Key: part, Value: part }), { maxLength: 3 });
const entries = fc.array(
  fc.record(
    {
      Source: name,
      DetailType: part,
      Detail: json,
      EventBusName: name,
      Resources: fc.array(name, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  ),
  { minLength: 1, maxLength: 3 },
);
const targets = fc.array(
  fc.record({ Id: part, Arn: name, RoleArn: maybe(name), Input: maybe(json), InputPath: maybe(part) }),
  { minLength: 1, maxLength: 3 },
);
const members = {
  Name: name,
  NamePrefix: part,
  NextToken: part,
  EventBusName: name,
  EventPattern: json,
  Event: json,
  Description: part,
  RoleArn: name,
  Rule: part,
  Ids: fc.array(part, { minLength: 1, maxLength: 3 }),
  TargetArn: name,
  Targets: targets,
  Entries: entries,
  Policy: json,
  Action: part.map((text) => `events:${text}`),
  Principal: fc.oneof(fc.constantFrom(management, '*'), part),
  StatementId: part,
  ResourceARN: name,
  Tags: tags,
  TagKeys: fc.array(part, { maxLength: 3 }),
};

it('every operation takes or refuses whatever it is given', async () => {
  await using bus = await openBusFixture();
  await bus.call('CreateEventBus', { Name: 'orders' });
  await bus.rule('r', { EventBusName: 'orders' });
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(bus.operations)),
      fc.record(members, { requiredKeys: ['Name', 'Rule', 'Targets', 'Entries', 'Ids', 'TagKeys', 'Tags'] }),
      async (operation, input) => {
        try {
          await bus.call(operation, input);
          outcomes.add(operation);
        } catch (error) {
          if (!(error instanceof AwsFault)) throw error;
          outcomes.add(error.code);
        }
      },
    ),
    { numRuns: 3000, seed: 11 },
  );
  // It is no test of refusals alone.
  expect([...outcomes]).toEqual(
    expect.arrayContaining([
      'PutEvents',
      'CreateEventBus',
      'ListRules',
      'ValidationException',
      'ResourceNotFoundException',
    ]),
  );
}, 60_000);
