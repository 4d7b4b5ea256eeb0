import type { Target } from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach } from 'vitest';
import { openBusOperations } from '../src/bus/api/open-bus-operations.ts';
import { checkTarget } from '../src/bus/targets/index.ts';
import { openAuthorisation } from '../src/identity/index.ts';
import { decodeBusEvent } from '../src/journal/index.ts';
import { region, seededRandom, type Region } from '../src/kernel/index.ts';
import type { Change } from '../src/state/index.ts';
import { validate } from '../src/wire/protocol/index.ts';
import { openServices, type Operations } from '../src/wire/index.ts';
import {
  faultOf,
  management,
  openIdentityFixture,
  type Caller,
  type IdentityFixture,
} from './identity-fixture.ts';

/**
 * EventBridge's operations over real identities in memory: calls are authenticated, validated, authorised, run and committed
 * as the pipeline does.
 */

type Answer = any; // oxlint-disable-line typescript/no-explicit-any -- answers of all operations stand side by side

export const busRegion = region('eu-central-1');

/** An event as it was put, and the bus that it was put on. */
export interface PutEvent {
  readonly bus: string;
  readonly event: Readonly<Record<string, unknown>>;
}

export interface BusFixture extends AsyncDisposable {
  readonly identity: IdentityFixture;
  readonly operations: Operations<Change>;
  /** Every event that calls have put, in order. */
  readonly events: readonly PutEvent[];
  /** Calls an operation of EventBridge; as the management account's root where no caller is given. */
  call(operation: string, input?: unknown, caller?: Caller, inRegion?: Region): Promise<Answer>;
  /** Makes a rule on every event of `source`, and puts targets on it. */
  rule(Name: string, over?: object, targets?: readonly Target[]): Promise<string>;
}

const services = openServices();

/** The ARN of what is in the region and the account of the tests, such as `event-bus/orders`. */
export const eventsArn = (resource: string): string =>
  `arn:aws:events:${busRegion}:${management}:${resource}`;

/** The code that a call is refused with. */
export const codeOf = async (answer: Promise<unknown>): Promise<string> => (await faultOf(answer)).code;

/** Opens a bus of its own before each test of the file, for `use` to take and to prepare, and closes it afterwards. */
export function openBusForEachTest(use: (bus: BusFixture) => void | Promise<void>): void {
  let bus: BusFixture | undefined;
  beforeEach(async () => {
    bus = await openBusFixture();
    await use(bus);
  });
  afterEach(() => bus?.[Symbol.asyncDispose]());
}

export async function openBusFixture(seed = 1): Promise<BusFixture> {
  await using opening = new AsyncDisposableStack();
  const identity = opening.use(await openIdentityFixture(seed));
  const { state } = identity;
  const authorisation = opening.use(openAuthorisation({ state }));
  const operations = openBusOperations({ state, random: seededRandom(seed + 1000), checkTarget });
  const service = await services.load('events');
  const opened = opening.move();
  const events: PutEvent[] = [];

  const fixture: BusFixture = {
    identity,
    operations,
    events,
    async call(operationName, input = {}, caller = identity.root, inRegion = busRegion) {
      const operation = operations[operationName];
      const schema = service.schema.operations.get(operationName);
      if (!operation || !schema) throw new Error(`there is no operation ${operationName}`);
      validate(
        { service, protocol: 'awsJson1_1', operation: schema, operationName } as never,
        input as Readonly<Record<string, unknown>>,
      );
      const call = await identity.callOf(caller, { region: inRegion });
      await authorisation.authorise(call, (await operation.needs?.(input, call)) ?? []);
      for (;;) {
        const change = state.begin();
        const answer: Answer = await operation.handle(input, call, change);
        if ((await state.commit(change, [])).kind !== 'committed') continue;
        for (const { payload } of change.entries) {
          const { head, raw } = decodeBusEvent(payload);
          const event = JSON.parse(Buffer.from(raw).toString()) as PutEvent['event'];
          events.push({ bus: head.bus, event });
        }
        return answer;
      }
    },
    async rule(Name, over = {}, targets = []) {
      const EventPattern = '{"source":["shop"]}';
      const { RuleArn } = await fixture.call('PutRule', { Name, EventPattern, ...over });
      if (targets.length > 0) await fixture.call('PutTargets', { Rule: Name, ...over, Targets: targets });
      return RuleArn as string;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return fixture;
}
