import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import * as iam from '@aws-sdk/client-iam';
import * as sts from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountRoutes, openIam, openSts } from '../../src/identity/index.ts';
import { masterKeyFrom } from '../../src/identity/master-key.ts';
import { seededRandom } from '../../src/kernel/index.ts';
import { openTrailFixture } from '../trail-fixture.ts';
import type { HttpRoute } from '../../src/wire/endpoint.ts';
import type { Call, Operation } from '../../src/wire/service.ts';
import { startServer, type TestServer } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';

/**
 * Who may do what: every operation and every signed route that is present, taken from the tables in the source, is called by
 * everybody who could try, over HTTP. Whoever adds an operation is in the matrix by adding it; the matrix fails when it does not
 * know a value for a member that the operation requires.
 */

const management = '000000000000';
const other = '111111111111';
const arn = (resource: string) => `arn:aws:iam::${management}:${resource}`;
const allowEverything = { Effect: 'Allow', Action: '*', Resource: '*' };
const policy = (...statements: unknown[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const trust = policy({ Effect: 'Allow', Principal: { AWS: management }, Action: 'sts:AssumeRole' });

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Values of the members that requests have; all of them name things of the management account. */
const values: Record<string, unknown> = {
  UserName: 'target',
  GroupName: 'target',
  RoleName: 'target',
  InstanceProfileName: 'target',
  PolicyName: 'target',
  PolicyArn: arn('policy/target'),
  PolicyDocument: policy(allowEverything),
  AssumeRolePolicyDocument: trust,
  PermissionsBoundary: 'arn:aws:iam::aws:policy/AdministratorAccess',
  VersionId: 'v1',
  Status: 'Inactive',
  Description: 'matrix',
  AccountAlias: 'matrix',
  Tags: [{ Key: 'matrix', Value: '' }],
  TagKeys: ['matrix'],
  ActionNames: ['iam:GetUser'],
  PolicyInputList: [policy(allowEverything)],
  PolicySourceArn: arn('user/target'),
  /** Replaced by the target's own once it is made. */
  AccessKeyId: 'AKIAQAAAAAAAAAAAAAAA',
  RoleArn: arn('role/target'),
  RoleSessionName: 'matrix',
};

/** What an operation takes where the common value does not fit. */
const ownValues: Record<string, Record<string, unknown>> = {
  UpdateAssumeRolePolicy: { PolicyDocument: trust },
  // Other rows delete the target.
  AssumeRole: { RoleArn: arn('role/assumed') },
};

/** Kind, namespace, name, traits, and of structures their members, the members' schemas and how many are required. */
type Schema = readonly [number, string, string, unknown, (readonly string[])?, unknown?, number?];
type SdkModule = Readonly<Record<string, unknown>>;

/** The required members, and UserName wherever it may be given: without it the caller would act on itself. */
function inputOf(module: SdkModule, name: string): Record<string, unknown> {
  const operation = module[`${name}$`] as readonly unknown[];
  const input = operation[4] as Schema | (() => Schema);
  const [, , , , members = [], , required = 0] = typeof input === 'function' ? input() : input;
  const wanted = members.filter((member, place) => place < required || member === 'UserName');
  return Object.fromEntries(
    wanted.map((member) => {
      const value = ownValues[name]?.[member] ?? values[member];
      if (value === undefined) throw new Error(`the matrix has no value for ${member} of ${name}`);
      return [member, value];
    }),
  );
}

/** One row of the matrix. */
interface Row {
  readonly name: string;
  /** The actions that the call needs. */
  readonly actions: readonly string[];
  /** Code of the refusal; undefined when the call was not refused as such. */
  send(keys: Keys): Promise<string | undefined>;
  sendUnsigned(): Promise<string | undefined>;
}

/** Users of the management account that try the rows of one lane, one row after the other. Lanes run side by side. */
interface Lane {
  readonly number: number;
  readonly nobody: Keys;
  readonly allowed: Keys;
  readonly denied: Keys;
}

let server: TestServer;
let stranger: Keys;

const refusals =
  /^(AccessDenied|MissingAuthenticationToken|SignatureDoesNotMatch|InvalidSignature|InvalidClientTokenId|UnrecognizedClient|IncompleteSignature)(Exception)?$/;
const refusal = (code: string | undefined) => (code !== undefined && refusals.test(code) ? code : undefined);

function codeIn(answer: Response, body: string): string | undefined {
  if (answer.ok) return undefined;
  const code =
    answer.headers.get('x-amzn-errortype') ??
    /<Code>([^<]+)<\/Code>/.exec(body)?.[1] ??
    /"(?:__type|code)":"([^"]+)"/.exec(body)?.[1];
  return (
    refusal(code?.split('#').at(-1)?.split(':')[0]) ?? (answer.status === 403 ? `403 ${body}` : undefined)
  );
}

const nobodysView = {
  get: () => Promise.resolve(undefined),
  list: () => Promise.resolve([]),
  count: () => Promise.resolve(0),
};
const someCall = {
  accountId: management,
  principal: { type: 'Root', accountId: management, arn: arn('root'), accessKeyId: 'x' },
  region: 'us-east-1',
} as unknown as Call;

async function actionsOf(prefix: string, name: string, operation: Operation<never>, input: unknown) {
  const needs = (await operation.needs?.(input, someCall)) ?? [
    { action: `${prefix}:${name}`, resource: '*' },
  ];
  return needs.map((need) => need.action);
}

type Client = { send(command: unknown): Promise<unknown>; destroy(): void };
type ClientClass = new (options: unknown) => Client;
const clients = new Map<string, Client>();

function clientOf(module: SdkModule, name: string, credentials: Keys): Client {
  const key = [name, credentials.accessKeyId, credentials.secretAccessKey].join(' ');
  const client =
    clients.get(key) ?? new (module[name] as ClientClass)({ ...server.clientOptions, credentials });
  clients.set(key, client);
  return client;
}

async function sdkRow(
  module: SdkModule,
  client: string,
  prefix: string,
  [name, operation]: readonly [string, Operation<never>],
): Promise<Row> {
  const command = module[`${name}Command`] as new (input: unknown) => unknown;
  return {
    name: `${prefix}:${name}`,
    actions: await actionsOf(prefix, name, operation, inputOf(module, name)),
    async send(keys) {
      try {
        await clientOf(module, client, keys).send(new command(inputOf(module, name)));
        return undefined;
      } catch (error) {
        return refusal((error as Error).name);
      }
    },
    async sendUnsigned() {
      const isQuery = prefix !== 'cloudtrail';
      const version = prefix === 'iam' ? '2010-05-08' : '2011-06-15';
      const answer = await fetch(server.endpoint, {
        method: 'POST',
        headers: isQuery
          ? { 'content-type': 'application/x-www-form-urlencoded' }
          : { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `CloudTrail_20131101.${name}` },
        body: isQuery ? `Action=${name}&Version=${version}` : '{}',
      });
      return codeIn(answer, await answer.text());
    },
  };
}

const read = async (answer: Response, abort: AbortController) => {
  // An answer that goes on for good, such as the live tail, has said all that matters with its head.
  const code = answer.ok ? undefined : codeIn(answer, await answer.text());
  abort.abort();
  return code;
};

/** A row of what no SDK client calls: PutAuditEvents and the routes of our own. */
function httpRow(
  name: string,
  action: string,
  request: {
    method: 'GET' | 'POST';
    path: string;
    service: string;
    query?: Record<string, string>;
    body?: string;
  },
): Row {
  const { method, path, body } = request;
  return {
    name,
    actions: [action],
    async send(credentials) {
      const abort = new AbortController();
      const signed = { ...request, signal: abort.signal };
      return read(await signedFetch({ endpoint: server.endpoint, credentials }, path, signed), abort);
    },
    async sendUnsigned() {
      const abort = new AbortController();
      const query = new URLSearchParams(request.query).toString();
      const sent = { method, ...(body === undefined ? {} : { body }), signal: abort.signal };
      return read(await fetch(`${server.endpoint}${path}?${query}`, sent), abort);
    },
  };
}

const routeRow = ({ method, path, operationName }: HttpRoute<never>): Row =>
  httpRow(`cairn:${operationName}`, `cairn:${operationName}`, {
    method,
    path: path.replace(/\/\*$/, '/x'),
    service: 'cairn',
    ...(method === 'POST' ? { body: '{"name":"matrix"}' } : {}),
  });

const table = (operations: unknown) => Object.entries(operations as Record<string, Operation<never>>);

async function allRows(): Promise<readonly Row[]> {
  const random = seededRandom(1);
  const masterKey = masterKeyFrom(random.bytes(32), random);
  const parts = { state: nobodysView, random, masterKey };
  await using fixture = await openTrailFixture();
  const trailOperations = fixture.trail.operations;
  const routes = [...fixture.trail.routes, ...accountRoutes({ masterKey, random })] as HttpRoute<never>[];
  expect(table(trailOperations['cloudtrail-data']).map(([name]) => name)).toEqual(['PutAuditEvents']);
  const put = httpRow('cloudtrail-data:PutAuditEvents', 'cloudtrail-data:PutAuditEvents', {
    method: 'POST',
    path: '/PutAuditEvents',
    service: 'cloudtrail-data',
    query: { channelArn: `arn:aws:cloudtrail:us-east-1:${management}:channel/default` },
    body: JSON.stringify({ auditEvents: [{ id: '1', eventData: '{}' }] }),
  });
  return [
    ...(await Promise.all(table(openIam(parts)).map((row) => sdkRow(iam, 'IAMClient', 'iam', row)))),
    ...(await Promise.all(table(openSts(parts)).map((row) => sdkRow(sts, 'STSClient', 'sts', row)))),
    ...(await Promise.all(
      table(trailOperations.cloudtrail).map((row) =>
        sdkRow(cloudtrail, 'CloudTrailClient', 'cloudtrail', row),
      ),
    )),
    put,
    ...routes.filter((route) => !route.unsigned).map(routeRow),
  ];
}

const rows = await allRows();
let root: iam.IAMClient;

async function newUser(UserName: string): Promise<Keys> {
  await root.send(new iam.CreateUserCommand({ UserName }));
  const { AccessKey } = await root.send(new iam.CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
}

const setPolicy = (UserName: string, PolicyDocument: string) =>
  root.send(new iam.PutUserPolicyCommand({ UserName, PolicyName: 'matrix', PolicyDocument }));

async function furnish(): Promise<void> {
  values['AccessKeyId'] = (await newUser('target')).accessKeyId;
  await root.send(new iam.CreateGroupCommand({ GroupName: 'target' }));
  for (const RoleName of ['target', 'assumed']) {
    await root.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }));
  }
  await root.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: 'target' }));
  const PolicyDocument = policy(allowEverything);
  await root.send(new iam.CreatePolicyCommand({ PolicyName: 'target', PolicyDocument }));
}

/** Everything of the management account that another account could have touched. */
async function snapshot(): Promise<unknown> {
  const details = await root.send(new iam.GetAccountAuthorizationDetailsCommand({}));
  const keys = await root.send(new iam.ListAccessKeysCommand({ UserName: 'target' }));
  const aliases = await root.send(new iam.ListAccountAliasesCommand({}));
  return [details, keys, aliases].map((answer) => ({ ...answer, $metadata: undefined }));
}

/** Codes of refusals; undefined where the call was not refused. */
interface Verdict {
  readonly unsigned: string | undefined;
  readonly wrongSecret: string | undefined;
  readonly unknownKey: string | undefined;
  readonly withoutPolicies: string | undefined;
  readonly explicitDeny: string | undefined;
  readonly allowedEverythingElse: string | undefined;
  readonly allowedExactlyThis: string | undefined;
}

const lanes = 8;
const verdicts = new Map<Row, Verdict>();

async function judge(row: Row, { number, nobody, allowed, denied }: Lane): Promise<Verdict> {
  const [action = 'none:None'] = row.actions;
  const asOthers = {
    unsigned: await row.sendUnsigned(),
    wrongSecret: await row.send({ ...nobody, secretAccessKey: 'x'.repeat(40) }),
    unknownKey: await row.send({ ...nobody, accessKeyId: 'AKIAQAAAAAAAAAAAAAAA' }),
    withoutPolicies: await row.send(nobody),
  };
  await setPolicy(
    `denied-${number}`,
    policy(allowEverything, { Effect: 'Deny', Action: action, Resource: '*' }),
  );
  const explicitDeny = await row.send(denied);
  const actions = row.actions.length > 0 ? row.actions : ['none:None'];
  await setPolicy(`allowed-${number}`, policy({ Effect: 'Allow', NotAction: actions, Resource: '*' }));
  const allowedEverythingElse = await row.send(allowed);
  await setPolicy(`allowed-${number}`, policy({ Effect: 'Allow', Action: actions, Resource: '*' }));
  return { ...asOthers, explicitDeny, allowedEverythingElse, allowedExactlyThis: await row.send(allowed) };
}

async function runLane(number: number): Promise<void> {
  const lane: Lane = {
    number,
    nobody: await newUser(`nobody-${number}`),
    allowed: await newUser(`allowed-${number}`),
    denied: await newUser(`denied-${number}`),
  };
  for (const [place, row] of rows.entries()) {
    if (place % lanes === number) verdicts.set(row, await judge(row, lane));
  }
}

beforeAll(async () => {
  server = await startServer();
  root = new iam.IAMClient(server.clientOptions);
  await furnish();
  const created = await signedFetch(server, '/_cairn/accounts', {
    service: 'cairn',
    method: 'POST',
    body: JSON.stringify({ accountId: other, name: 'other' }),
  });
  stranger = ((await created.json()) as { rootKey: Keys }).rootKey;
  await Promise.all(Array.from({ length: lanes }, (_, number) => runLane(number)));
});
afterAll(async () => {
  for (const client of clients.values()) client.destroy();
  await server[Symbol.asyncDispose]();
});

/** What every authenticated caller may do, whatever policies say, as AWS documents of both. */
const free = new Set(['sts:GetCallerIdentity', 'sts:GetSessionToken']);
/** What names its resource by an ARN, which says whose it is. */
const byArn = (row: Row) =>
  /:(SimulatePrincipalPolicy|GetContextKeysForPrincipalPolicy|AssumeRole|ListEntitiesForPolicy|PutAuditEvents|(Get|Delete|Tag|Untag|Create|List|SetDefault)(Default)?Policy(Version|Versions|Tags)?)$/.test(
    row.name,
  ) && row.name !== 'iam:CreatePolicy';

describe('the access matrix', () => {
  it('covers every operation, each needing an action unless it is free', () => {
    expect(rows.length).toBeGreaterThan(110);
    expect(new Set(rows.map((row) => row.name)).size).toBeGreaterThan(110);
    expect(
      rows
        .filter((row) => row.actions.length === 0)
        .map((row) => row.name)
        .toSorted(),
    ).toEqual([...free].toSorted());
  });

  it.each(rows.map((row) => [row.name, row] as const))('%s', (name, row) => {
    const verdict = verdicts.get(row)!;
    // What no service claims is refused as S3 refuses anonymous requests.
    const unsigned =
      name === 'cloudtrail-data:PutAuditEvents' ? /^AccessDenied/ : /^MissingAuthenticationToken/;
    expect(verdict.unsigned).toMatch(unsigned);
    expect(verdict.wrongSecret).toMatch(/^(SignatureDoesNotMatch|InvalidSignature)/);
    expect(verdict.unknownKey).toMatch(/^(InvalidClientTokenId|UnrecognizedClient)/);
    if (free.has(name)) {
      expect(verdict).toMatchObject({ withoutPolicies: undefined, explicitDeny: undefined });
    } else {
      expect(verdict.withoutPolicies).toMatch(/^AccessDenied/);
      expect(verdict.explicitDeny).toMatch(/^AccessDenied/);
      expect(verdict.allowedEverythingElse).toMatch(/^AccessDenied/);
    }
    expect(verdict.allowedExactlyThis).toBeUndefined();
  });

  it('of the root of another account: it never touches this one', async () => {
    const before = await snapshot();
    const codes = await Promise.all(rows.map((row) => row.send(stranger)));
    for (const [place, row] of rows.entries()) {
      const code = codes[place];
      if (byArn(row)) expect(code, row.name).toMatch(/^AccessDenied/);
      if (/^cairn:(Create|List)Accounts?$/.test(row.name)) expect(code, row.name).toMatch(/^AccessDenied/);
    }
    expect(await snapshot()).toEqual(before);
  });
});
