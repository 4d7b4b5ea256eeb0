import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Target } from '@aws-sdk/client-eventbridge';
import { openBus, type EventBus } from '../src/bus/index.ts';
import {
  busArn,
  ruleKey,
  targetKey,
  type BusPlace,
  type RuleDocument,
  type TargetDocument,
} from '../src/bus/bus-documents.ts';
import { openAuthorisation } from '../src/identity/index.ts';
import { busEventText, encodeBusEvent, type Stream } from '../src/journal/index.ts';
import { region, seededRandom, silentLog, type Logger } from '../src/kernel/index.ts';
import { openLoggedByTrails } from '../src/trail/delivery/index.ts';
import {
  allow,
  management,
  openIdentityFixture,
  type Caller,
  type IdentityFixture,
} from './identity-fixture.ts';

/** The event bus over real parts in memory, with targets that are really called. */

type Answer = any; // oxlint-disable-line typescript/no-explicit-any -- answers of all operations stand side by side

const busPlace: BusPlace = { account: management, region: 'eu-central-1' };

export interface DeliveryFixture extends AsyncDisposable {
  readonly identity: IdentityFixture;
  readonly bus: EventBus;
  readonly directory: string;
  /** Closes the bus, and opens it again over what is durable. */
  restart(): Promise<void>;
  /** Calls an operation of EventBridge as the management account's root, unless said otherwise. */
  call(operation: string, input?: unknown, caller?: Caller): Promise<Answer>;
  /** Puts a rule that is enabled on a bus, with its targets. */
  rule(
    name: string,
    pattern: unknown,
    targets: readonly Target[],
    over?: { bus?: string; place?: BusPlace; state?: RuleDocument['state'] },
  ): Promise<void>;
  /** A role that EventBridge may assume, which may do this; its ARN. */
  role(name: string, action?: string | readonly string[], resource?: string): Promise<string>;
  /** A connection with an API key and an API destination for it; the destination's ARN. */
  destination(name: string, endpoint: string, over?: Record<string, unknown>): Promise<string>;
  /** Puts an event on a bus of this account; its id. */
  put(event: { source?: string; detail?: unknown }, bus?: string): Promise<string>;
}

export async function openDeliveryFixture(
  options: {
    readonly httpTargets?: readonly string[];
    readonly log?: Logger;
    /** May put something around the journal's stream of deliveries. */
    readonly wrap?: (stream: Stream) => Stream;
  } = {},
): Promise<DeliveryFixture> {
  const { httpTargets = ['127.0.0.1'], log = silentLog, wrap = (one) => one } = options;
  await using opening = new AsyncDisposableStack();
  const identity = opening.use(await openIdentityFixture());
  const { state, clock, stream, busStream, masterKey } = identity;
  const random = seededRandom(7);
  const { authorise, authoriseRole } = opening.use(openAuthorisation({ state }));
  const directory = mkdtempSync(join(tmpdir(), 'cairn-bus-'));
  opening.defer(() => rmSync(directory, { recursive: true, force: true }));
  const open = () =>
    openBus({
      state,
      audit: stream,
      bus: wrap(busStream),
      directory,
      masterKey,
      authoriseRole,
      openTrailSelection: (from) => openLoggedByTrails({ state, stream, from }),
      httpTargets,
      clock,
      random,
      log,
    });
  let bus = await open();
  opening.defer(() => bus[Symbol.asyncDispose]());
  const opened = opening.move();

  const fixture: DeliveryFixture = {
    identity,
    directory,
    get bus() {
      return bus;
    },
    async restart() {
      await bus[Symbol.asyncDispose]();
      bus = await open();
    },
    async call(name, input = {}, caller = identity.root) {
      const operation = bus.operations[name];
      if (!operation) throw new Error(`there is no operation ${name}`);
      const call = await identity.callOf(caller, { region: region(busPlace.region) });
      await authorise(call, (await operation.needs?.(input, call)) ?? []);
      for (;;) {
        const change = state.begin();
        const answer: Answer = await operation.handle(input, call, change);
        if ((await state.commit(change, [])).kind === 'committed') return answer;
      }
    },
    async rule(name, pattern, targets, over = {}) {
      const { bus: on = 'default', place = busPlace, state: ruleState = 'ENABLED' } = over;
      const change = state.begin();
      const rule: RuleDocument = {
        name,
        bus: on,
        eventPattern: JSON.stringify(pattern),
        state: ruleState,
        createdBy: `arn:aws:iam::${place.account}:root`,
        tags: [],
      };
      change.put(ruleKey(place, on, name), rule);
      for (const target of targets) {
        const document: TargetDocument = { rule: name, bus: on, target };
        change.put(targetKey(place, on, name, target.Id ?? ''), document);
      }
      await state.commit(change, []);
    },
    async role(name, action = ['events:PutEvents', 'events:InvokeApiDestination'], resource = '*') {
      const trust = {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      };
      const { Role } = await identity.call('CreateRole', {
        RoleName: name,
        Path: '/',
        AssumeRolePolicyDocument: JSON.stringify(trust),
      });
      await identity.call('PutRolePolicy', {
        RoleName: name,
        PolicyName: 'p',
        PolicyDocument: JSON.stringify(allow(action, resource)),
      });
      return Role.Arn as string;
    },
    async destination(name, endpoint, over = {}) {
      const { ConnectionArn } = await fixture.call('CreateConnection', {
        Name: `${name}-connection`,
        AuthorizationType: 'API_KEY',
        AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: 'X-Key', ApiKeyValue: 'the-secret-key' } },
      });
      const { ApiDestinationArn } = await fixture.call('CreateApiDestination', {
        Name: name,
        ConnectionArn,
        InvocationEndpoint: endpoint,
        HttpMethod: 'POST',
        ...over,
      });
      return ApiDestinationArn as string;
    },
    async put({ source = 'my.app', detail = {} }, on = 'default') {
      const id = random.uuid();
      const text = busEventText({
        id,
        detailType: 'Thing happened',
        source,
        account: busPlace.account,
        region: busPlace.region,
        time: clock.now(),
        resources: [],
        detail: JSON.stringify(detail),
      });
      await stream.append([encodeBusEvent(busArn(busPlace, on), text)]);
      return id;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return fixture;
}
