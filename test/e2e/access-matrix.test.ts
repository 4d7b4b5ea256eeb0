import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import * as events from '@aws-sdk/client-eventbridge';
import * as iam from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import * as s3 from '@aws-sdk/client-s3';
import * as sts from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { declaredActions, isFree } from './access-matrix/declared.ts';
import {
  allowEverything,
  furnish,
  management,
  newKey,
  other,
  policy,
  rootClients,
  trust,
  type Keys,
  type RootClients,
  type Shared,
} from './access-matrix/furniture.ts';
import { whatIsPresent } from './access-matrix/present.ts';
import { allRows, type Outcome, type Row, type Sender } from './access-matrix/rows.ts';
import { eventually, startServer, type TestServer } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';

/**
 * Who may do what: every operation of every service and every signed path that a started server says it has is called, over
 * HTTP, by everybody who could try. Whoever adds an operation is in the matrix by adding it; the matrix fails when it does
 * not know a value for a member that the operation requires (`access-matrix/inputs.ts`).
 */

/** A permission, as a refusal names it. */
interface Permission {
  readonly action: string;
  readonly resource: string;
}

/** What the callers of one row met. */
interface Verdict {
  readonly input: Record<string, unknown>;
  readonly unsigned: Outcome;
  readonly wrongSecret: Outcome;
  readonly unknownKey: Outcome;
  readonly inactiveKey: Outcome;
  readonly withoutPolicies: Outcome;
  readonly explicitDeny: Outcome;
  readonly everythingElse: Outcome;
  readonly bounded: Outcome;
  readonly narrowSession: Outcome;
  readonly stranger: Outcome;
  /** What the refusals asked for, one after the other, until the call got past them. */
  readonly needed: readonly Permission[];
  /** The same actions, each on another resource than its own: one for every permission on a resource. */
  readonly elsewhere: readonly Outcome[];
  readonly exactly: Outcome;
}

/** Users of the management account that try the rows of one lane, one row after the other. Lanes run side by side. */
interface Lane {
  readonly allowed: Keys;
  readonly denied: Keys;
  readonly names: { readonly allowed: string; readonly denied: string };
}

/** Who is the same for all rows; those by service may do everything but what that service has. */
interface Everybody {
  readonly nobody: Keys;
  readonly inactive: Keys;
  readonly stranger: Keys;
  readonly bounded: ReadonlyMap<string, Keys>;
  readonly sessions: ReadonlyMap<string, Keys>;
}

const rows = await allRows(await whatIsPresent());
const lanes = 16;
const verdicts = new Map<Row, Verdict>();
let server: TestServer;
let root: RootClients;
let shared: Shared;
let everybody: Everybody;
let denials: ReadonlyMap<unknown, AuditRecord>;

const setPolicy = (UserName: string, PolicyDocument: string) =>
  root.iam.send(new iam.PutUserPolicyCommand({ UserName, PolicyName: 'matrix', PolicyDocument }));

async function newUser(UserName: string): Promise<Keys> {
  await root.iam.send(new iam.CreateUserCommand({ UserName }));
  return newKey(root.iam, UserName);
}

const allBut = (service: string) => policy({ Effect: 'Allow', NotAction: [`${service}:*`], Resource: '*' });

/** A user that may do everything, but for a permissions boundary. */
async function boundedUser(service: string): Promise<Keys> {
  const name = `bounded-${service}`;
  const made = await root.iam.send(
    new iam.CreatePolicyCommand({ PolicyName: name, PolicyDocument: allBut(service) }),
  );
  const keys = await newUser(name);
  await setPolicy(name, policy(allowEverything));
  await root.iam.send(
    new iam.PutUserPermissionsBoundaryCommand({ UserName: name, PermissionsBoundary: made.Policy!.Arn }),
  );
  return keys;
}

/** A session of a role that may do everything, but for its session policy. */
async function narrowSession(service: string, caller: Keys): Promise<Keys> {
  const client = new sts.STSClient({ ...server.clientOptions, credentials: caller });
  const { Credentials } = await client.send(
    new sts.AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${management}:role/everything`,
      RoleSessionName: service,
      Policy: allBut(service),
    }),
  );
  client.destroy();
  return {
    accessKeyId: Credentials!.AccessKeyId!,
    secretAccessKey: Credentials!.SecretAccessKey!,
    sessionToken: Credentials!.SessionToken!,
  };
}

async function inactiveKey(): Promise<Keys> {
  const keys = await newUser('inactive');
  await setPolicy('inactive', policy(allowEverything));
  const AccessKeyId = keys.accessKeyId;
  await root.iam.send(
    new iam.UpdateAccessKeyCommand({ UserName: 'inactive', AccessKeyId, Status: 'Inactive' }),
  );
  return keys;
}

async function rootOfOtherAccount(): Promise<Keys> {
  const created = await signedFetch(server, '/_cairn/accounts', {
    service: 'cairn',
    method: 'POST',
    body: JSON.stringify({ accountId: other, name: 'other' }),
  });
  return ((await created.json()) as { rootKey: Keys }).rootKey;
}

async function invite(): Promise<Everybody> {
  const services = [...new Set(rows.map(({ service }) => service))];
  await root.iam.send(new iam.CreateRoleCommand({ RoleName: 'everything', AssumeRolePolicyDocument: trust }));
  await root.iam.send(
    new iam.PutRolePolicyCommand({
      RoleName: 'everything',
      PolicyName: 'matrix',
      PolicyDocument: policy(allowEverything),
    }),
  );
  const assumer = await newUser('assumer');
  await setPolicy('assumer', policy(allowEverything));
  const all = async (make: (service: string) => Promise<Keys>) =>
    new Map(await Promise.all(services.map(async (service) => [service, await make(service)] as const)));
  return {
    nobody: await newUser('nobody'),
    inactive: await inactiveKey(),
    stranger: await rootOfOtherAccount(),
    bounded: await all(boundedUser),
    sessions: await all((service) => narrowSession(service, assumer)),
  };
}

type AuditRecord = Readonly<Record<string, unknown>>;

/** What the record of a refusal says, right after it. */
async function recordOf({ requestId }: Outcome): Promise<AuditRecord> {
  return eventually(async () => {
    const query = { text: requestId, limit: '1' };
    const answer = await signedFetch(server, '/_cairn/events', { service: 'cairn', query });
    const { events } = (await answer.json()) as { events: readonly AuditRecord[] };
    return events[0];
  });
}

/** All records that have these attributes, by their request ids. */
async function recordsWith(query: Record<string, string>): Promise<ReadonlyMap<unknown, AuditRecord>> {
  const everything = { service: 'cairn', query: { ...query, format: 'ndjson' } };
  const answer = await signedFetch(server, '/_cairn/events', everything);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  const records = lines.map((line) => JSON.parse(line) as AuditRecord);
  return new Map(records.map((record) => [record['requestID'], record]));
}

/** What a refusal says is missing. Answers to HEAD have no body; their record says it. */
async function permissionIn(outcome: Outcome): Promise<Permission> {
  const form = /not authorized to perform: (\S+) on resource: "?([^\s"]+)"?/;
  const found = form.exec(outcome.message) ?? form.exec(String((await recordOf(outcome))['errorMessage']));
  if (!found) throw new Error(`no permission is named in: ${outcome.message}`);
  return { action: found[1]!, resource: found[2]!.replaceAll('&quot;', '') };
}

const allow = ({ action, resource }: Permission) => ({ Effect: 'Allow', Action: action, Resource: resource });

/** Allows one permission after the other, each exactly as the refusal named it, until the call is not refused any more. */
async function grantStepByStep(name: string, send: (sender: Sender) => Promise<Outcome>, keys: Keys) {
  const needed: Permission[] = [];
  const elsewhere: Outcome[] = [];
  await setPolicy(name, policy({ Effect: 'Allow', Action: 'none:None', Resource: '*' }));
  let exactly = await send(keys);
  while (exactly.code !== undefined && needed.length < 6) {
    const permission = await permissionIn(exactly);
    if (permission.resource !== '*') {
      const beside = { ...permission, resource: `${permission.resource}-beside` };
      await setPolicy(name, policy(...needed.map(allow), allow(beside)));
      elsewhere.push(await send(keys));
    }
    needed.push(permission);
    await setPolicy(name, policy(...needed.map(allow)));
    exactly = await send(keys);
  }
  return { needed, elsewhere, exactly };
}

async function judge(row: Row, { allowed, denied, names }: Lane): Promise<Verdict> {
  const { nobody, inactive, stranger, bounded, sessions } = everybody;
  const input = await row.prepare(root, shared);
  const send = (sender: Sender) => row.send(server, sender, input);
  const actions = declaredActions(row.name);
  const asOthers = {
    unsigned: await send('unsigned'),
    wrongSecret: await send({ ...nobody, secretAccessKey: 'x'.repeat(40) }),
    unknownKey: await send({ ...nobody, accessKeyId: 'AKIAQAAAAAAAAAAAAAAA' }),
    inactiveKey: await send(inactive),
    withoutPolicies: await send(nobody),
    bounded: await send(bounded.get(row.service)!),
    narrowSession: await send(sessions.get(row.service)!),
    stranger: await send(stranger),
  };
  const denial = { Effect: 'Deny', Action: actions, Resource: '*' };
  await setPolicy(names.denied, policy(allowEverything, denial));
  const explicitDeny = await send(denied);
  await setPolicy(names.allowed, policy({ Effect: 'Allow', NotAction: actions, Resource: '*' }));
  const everythingElse = await send(allowed);
  return {
    input,
    ...asOthers,
    explicitDeny,
    everythingElse,
    ...(await grantStepByStep(names.allowed, send, allowed)),
  };
}

async function runLane(number: number): Promise<void> {
  const names = { allowed: `allowed-${number}`, denied: `denied-${number}` };
  const lane = { allowed: await newUser(names.allowed), denied: await newUser(names.denied), names };
  for (const [place, row] of rows.entries()) {
    if (place % lanes === number) verdicts.set(row, await judge(row, lane));
  }
}

beforeAll(async () => {
  server = await startServer();
  root = rootClients(server);
  shared = await furnish(root);
  everybody = await invite();
  await Promise.all(Array.from({ length: lanes }, (_, number) => runLane(number)));
  denials = await recordsWith({ errorCode: 'AccessDenied' });
}, 300_000);
afterAll(() => server[Symbol.asyncDispose]());

/** Whether a call of another account names what belongs to this one: by an ARN, or by a bucket, whose names are global. */
function namesThisAccount({ name }: Row, { input, needed: [first] }: Verdict): boolean {
  if (name === 's3:CreateBucket') return false;
  if (name === 'cloudtrail-data:PutAuditEvents' || 'Bucket' in input) return true;
  return first !== undefined && JSON.stringify(input).includes(JSON.stringify(first.resource));
}

/** Everything of this account that a call of another one could have touched. */
async function snapshot(): Promise<unknown> {
  const answers = await Promise.all([
    root.iam.send(new iam.GetAccountAuthorizationDetailsCommand({ MaxItems: 1000 })),
    root.iam.send(new iam.ListAccountAliasesCommand({})),
    root.s3.send(new s3.ListBucketsCommand({})),
    root.kms.send(new kms.ListKeysCommand({ Limit: 1000 })),
    root.kms.send(new kms.ListAliasesCommand({ Limit: 100 })),
    root.cloudtrail.send(new cloudtrail.DescribeTrailsCommand({})),
    root.cloudtrail.send(new cloudtrail.ListEventDataStoresCommand({})),
    root.cloudtrail.send(new cloudtrail.ListChannelsCommand({})),
    root.events.send(new events.ListEventBusesCommand({})),
    root.events.send(new events.ListRulesCommand({})),
    root.events.send(new events.ListConnectionsCommand({})),
    root.events.send(new events.ListApiDestinationsCommand({})),
  ]);
  return answers.map((answer) => ({ ...answer, $metadata: undefined, ...lastUsedLeftOut(answer) }));
}

/** Whoever looks changes when the roles were used last. */
const lastUsedLeftOut = (answer: object) =>
  'RoleDetailList' in answer
    ? {
        RoleDetailList: (answer.RoleDetailList as iam.RoleDetail[]).map((role) => ({
          ...role,
          RoleLastUsed: undefined,
        })),
      }
    : {};

const bound = rows.filter(({ name }) => !isFree(name)).map((row) => [row.name, row] as const);
const denied = /^(AccessDenied|AccessDeniedException|403)$/;

describe('the access matrix', () => {
  it('covers everything that is present', () => {
    expect(rows.length).toBeGreaterThan(250);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  it.each(rows.map((row) => [row.name, row] as const))(
    '%s is refused to whoever does not prove who they are',
    (_, row) => {
      const { unsigned, wrongSecret, unknownKey, inactiveKey: inactive } = verdicts.get(row)!;
      expect(unsigned.code).toMatch(
        /^(MissingAuthenticationToken(Exception)?|AccessDenied(Exception)?|403)$/,
      );
      expect(wrongSecret.code).toMatch(/^(SignatureDoesNotMatch|InvalidSignatureException|403)$/);
      for (const { code } of [unknownKey, inactive]) {
        expect(code).toMatch(/^(InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClientException|403)$/);
      }
    },
  );

  it.each(bound)('%s needs what AWS says it needs, on its own resource, and nothing else', (name, row) => {
    const { withoutPolicies, needed, elsewhere, everythingElse, exactly } = verdicts.get(row)!;
    expect(withoutPolicies.code).toMatch(denied);
    expect(everythingElse.code).toMatch(denied);
    expect([...new Set(needed.map(({ action }) => action))].toSorted()).toEqual(declaredActions(name));
    for (const { code } of elsewhere) expect(code).toMatch(denied);
    expect(exactly.code).toBeUndefined();
  });

  it.each(bound)('%s is refused by a deny, a boundary and a session policy, and recorded so', (name, row) => {
    const verdict = verdicts.get(row)!;
    const reasons = [
      [verdict.withoutPolicies, /no (identity-based|resource-based|role trust) policy allows/],
      [verdict.everythingElse, /no (identity-based|resource-based|role trust) policy allows/],
      [verdict.explicitDeny, /explicit deny in an identity-based policy/],
      [verdict.bounded, /no permissions boundary allows/],
      [verdict.narrowSession, /no session policy allows/],
    ] as const;
    for (const [{ code, message, requestId }, reason] of reasons) {
      expect(code).toMatch(denied);
      // S3 answers each object of DeleteObjects on its own, and the call as such succeeds.
      const record = name === 's3:DeleteObjects' ? { errorMessage: message } : denials.get(requestId);
      expect(record?.['errorMessage']).toMatch(reason);
      if (name !== 's3:DeleteObjects') {
        // Records of S3 and of PutEvents show their parameters also when they were denied.
        const parameters = /^s3(?:control)?:|^events:PutEvents$/.test(name)
          ? (expect.anything() as object)
          : null;
        expect(record).toMatchObject({ requestParameters: parameters, responseElements: null });
      }
    }
  });

  it.each(rows.filter(({ name }) => isFree(name)).map((row) => [row.name, row] as const))(
    '%s is allowed to everybody',
    (_, row) => {
      const { withoutPolicies, explicitDeny, bounded } = verdicts.get(row)!;
      for (const { code } of [withoutPolicies, explicitDeny, bounded]) expect(code).toBeUndefined();
    },
  );

  it('lets the root of another account at nothing that is of this one', async () => {
    const naming = rows.filter((row) => namesThisAccount(row, verdicts.get(row)!));
    expect(naming.length).toBeGreaterThan(120);
    for (const row of naming) expect(verdicts.get(row)!.stranger.code, row.name).toMatch(denied);
    const ofManagement = rows.filter(({ name }) => /^cairn:(CreateAccount|ListAccounts)$/.test(name));
    expect(ofManagement).toHaveLength(2);
    for (const row of ofManagement) expect(verdicts.get(row)!.stranger.code, row.name).toMatch(denied);
    const before = await snapshot();
    await Promise.all(rows.map((row) => row.send(server, everybody.stranger, verdicts.get(row)!.input)));
    expect(await snapshot()).toEqual(before);
  });

  it('records whoever did not prove who they are, or counts them where they are too many', async () => {
    const expected = [...verdicts.values()].flatMap((verdict) => [
      [verdict.unsigned, 'MissingAuthenticationToken'] as const,
      [verdict.wrongSecret, 'SignatureDoesNotMatch'] as const,
      [verdict.unknownKey, 'InvalidClientTokenId'] as const,
      [verdict.inactiveKey, 'InvalidClientTokenId'] as const,
    ]);
    const records = await recordsWith({ principalType: 'Unknown' });
    const metrics = await (await fetch(`${server.endpoint}/_cairn/metrics`)).text();
    const suppressed = Number(/^cairn_suppressed_records (\d+)/m.exec(metrics)?.[1]);
    const recorded = expected.filter(([{ requestId }]) => records.has(requestId));
    expect(recorded.length + suppressed).toBe(expected.length);
    for (const [{ requestId }, errorCode] of recorded) {
      expect(records.get(requestId)).toMatchObject({ errorCode, userIdentity: { type: 'Unknown' } });
    }
  });
});
