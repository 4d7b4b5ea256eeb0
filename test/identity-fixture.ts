import {
  accountRoutes,
  openAuthentication,
  openAuthorisation,
  openIam,
  openLastUsed,
  openManagementAccount,
  openSts,
  type LastUsed,
  type NewAccessKey,
} from '../src/identity/index.ts';
import { masterKeyFrom, type MasterKey } from '../src/identity/master-key.ts';
import { openJournal, type Stream } from '../src/journal/index.ts';
import {
  accountId,
  manualClock,
  region,
  seededRandom,
  silentLog,
  type AccountId,
  type ManualClock,
} from '../src/kernel/index.ts';
import { openMemoryState, type Change, type State } from '../src/state/index.ts';
import { openMemoryCursors, openMemoryLog } from '../src/store/memory/index.ts';
import type { Authorise, FindCredential, HttpRoute, RouteAnswer } from '../src/wire/endpoint.ts';
import type { Call, Operation, Operations, Principal } from '../src/wire/service.ts';

/** Identity over real parts in memory: calls are authenticated, authorised, run and committed as the pipeline does. */

export const management = accountId('000000000000');
const startMs = Date.UTC(2026, 10, 22, 10, 0, 0);

/** The credentials that a caller signs with. */
export interface Caller {
  readonly accessKeyId: string;
  readonly sessionToken?: string | undefined;
}

type Answer = any; // oxlint-disable-line typescript/no-explicit-any -- answers of all operations stand side by side

export interface IdentityFixture extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly state: State;
  /** The journal's `audit` stream. */
  readonly stream: Stream;
  /** Its `bus` stream. */
  readonly busStream: Stream;
  readonly masterKey: MasterKey;
  readonly iam: Operations<Change>;
  readonly sts: Operations<Change>;
  readonly findCredential: FindCredential;
  readonly authorise: Authorise;
  readonly lastUsed: LastUsed;
  /** The management account's root. */
  readonly root: NewAccessKey;
  /** Calls an operation of IAM or STS, named like `CreateUser`; as root where no caller is given. */
  call(operation: string, input?: unknown, caller?: Caller, over?: Partial<Call>): Promise<Answer>;
  /** Runs an operation without authentication and authorisation, as this principal. */
  run(operation: Operation<Change>, input: unknown, principal: Principal): Promise<Answer>;
  /** The call that a caller makes now. */
  callOf(caller: Caller, over?: Partial<Call>): Promise<Call>;
  route(method: 'GET' | 'POST', body: unknown, caller?: Caller): Promise<RouteAnswer>;
  /** Creates a user with an access key and, if a policy is given, with that as inline policy. */
  user(name: string, policy?: unknown, as?: Caller): Promise<NewAccessKey>;
  /** Creates a member account; its root key. */
  account(id: AccountId): Promise<NewAccessKey>;
}

export function allow(
  action: string | readonly string[],
  resource: string | readonly string[] = '*',
): unknown {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: resource }] };
}

export function deny(
  action: string | readonly string[],
  resource: string | readonly string[] = '*',
): unknown {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: action, Resource: resource }] };
}

/** A trust policy for these AWS principals. */
export function trust(
  principals: string | readonly string[],
  actions: readonly string[] = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
  condition?: unknown,
): string {
  const statement = { Effect: 'Allow', Principal: { AWS: principals }, Action: actions };
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [condition === undefined ? statement : { ...statement, Condition: condition }],
  });
}

/** What a call did not answer with. Fails when it answered. */
export async function faultOf(answer: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await answer;
  } catch (error) {
    return { code: (error as { code?: string }).code ?? '', message: (error as Error).message };
  }
  throw new Error('the call was answered, and should have been refused');
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

export async function openIdentityFixture(seed = 1): Promise<IdentityFixture> {
  const clock = manualClock(startMs);
  const log = silentLog;
  const random = seededRandom(seed);
  const masterKey = masterKeyFrom(random.bytes(32), random);
  await using opening = new AsyncDisposableStack();
  const journal = opening.use(
    await openJournal({
      openLog: () => openMemoryLog(),
      openCursors: () => openMemoryCursors(),
      clock,
      log,
      streams: ['audit', 'bus'],
    }),
  );
  const stream = journal.stream('audit');
  const state = opening.use(await openMemoryState({ stream, clock, log }));
  const { rootKey: root } = await openManagementAccount({
    state,
    masterKey,
    random,
    clock,
    accountId: management,
    rootKey: undefined,
  });
  if (!root) throw new Error('a fresh account has a root key');
  const parts = { state, random, masterKey };
  const iam = openIam(parts);
  const sts = openSts(parts);
  const lastUsed = opening.use(openLastUsed({ state, clock, log }));
  const { findCredential } = opening.use(openAuthentication({ state, clock, masterKey }));
  const { authorise } = opening.use(openAuthorisation({ state, lastUsed }));
  const routes: readonly HttpRoute<Change>[] = accountRoutes({ masterKey, random });
  const opened = opening.move();

  const callOf = async (caller: Caller, over: Partial<Call> = {}): Promise<Call> => {
    const { principal } = await findCredential(caller.accessKeyId, caller.sessionToken);
    return { ...callBy(principal, clock.now()), ...over };
  };

  const commit = async (work: (change: Change) => Promise<Answer>): Promise<Answer> => {
    for (;;) {
      const change = state.begin();
      const answer = await work(change);
      const result = await state.commit(change, []);
      if (result.kind === 'committed') return answer;
    }
  };

  const fixture: IdentityFixture = {
    clock,
    state,
    stream,
    busStream: journal.stream('bus'),
    masterKey,
    iam,
    sts,
    findCredential,
    authorise,
    lastUsed,
    root,
    callOf,
    async call(name, input = {}, caller = root, over = {}) {
      const operation = iam[name] ?? sts[name];
      if (!operation) throw new Error(`there is no operation ${name}`);
      const call = await callOf(caller, over);
      await authorise(call, (await operation.needs?.(input, call)) ?? []);
      return commit((change) => operation.handle(input, call, change));
    },
    run: (operation, input, principal) =>
      commit((change) => operation.handle(input, callBy(principal, clock.now()), change)),
    async route(method, body, caller = root) {
      const route = routes.find((one) => one.method === method);
      if (!route) throw new Error(`there is no route ${method}`);
      const call = await callOf(caller);
      await authorise(call, [{ action: `cairn:${route.operationName}`, resource: '*' }]);
      const request = {
        path: route.path,
        query: new URLSearchParams(),
        headers: {},
        body: once(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))),
        call,
        signal: new AbortController().signal,
      };
      return (await commit((change) => route.handle(request, change))) as RouteAnswer;
    },
    async user(name, policy, as = root) {
      await fixture.call('CreateUser', { UserName: name }, as);
      if (policy !== undefined) {
        const document = { UserName: name, PolicyName: 'p', PolicyDocument: JSON.stringify(policy) };
        await fixture.call('PutUserPolicy', document, as);
      }
      const { AccessKey: key } = await fixture.call('CreateAccessKey', { UserName: name }, as);
      return { accessKeyId: key.AccessKeyId as string, secretAccessKey: key.SecretAccessKey as string };
    },
    async account(id) {
      const answer = await fixture.route('POST', { accountId: id, name: `account ${id}` });
      const { rootKey } = JSON.parse(answer.body as string) as { rootKey: NewAccessKey };
      return rootKey;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return fixture;
}

/** A call by this principal, at this time. */
function callBy(principal: Principal, time: number): Call {
  return {
    principal,
    accountId: principal.accountId,
    region: region('eu-central-1'),
    time,
    requestId: 'request-1',
    sourceIp: '192.0.2.7',
    userAgent: 'aws-cli/2.9.19',
    tls: undefined,
    host: '127.0.0.1:4747',
  };
}

/** The caller that temporary credentials make. */
export function callerOf(credentials: { AccessKeyId: string; SessionToken: string }): Caller {
  return { accessKeyId: credentials.AccessKeyId, sessionToken: credentials.SessionToken };
}
