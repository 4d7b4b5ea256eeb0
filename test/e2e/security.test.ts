import { gzipSync } from 'node:zlib';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  GetPolicyCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './harness.ts';
import { signedFetch } from './signed-fetch.ts';

/** What somebody with a key of their own tries against a real server, and what must come of it. */

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const memberAccount = '111111111111';
const channel = '00000000-0000-4000-8000-000000000000';

let server: TestServer;
let member: Keys;
/** A user of the management account who may do nothing. */
let nobody: Keys;

beforeAll(async () => {
  server = await startServer();
  const created = await signedFetch(server, '/_cairn/accounts', {
    service: 'cairn',
    method: 'POST',
    body: JSON.stringify({ accountId: memberAccount, name: 'member' }),
  });
  member = ((await created.json()) as { rootKey: Keys }).rootKey;
  nobody = await userWith('nobody', []);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function userWith(UserName: string, actions: readonly string[]): Promise<Keys> {
  const iam = new IAMClient(server.clientOptions);
  await iam.send(new CreateUserCommand({ UserName }));
  if (actions.length > 0) {
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: actions, Resource: '*' },
    });
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument }));
  }
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

const as = (credentials: Keys): TestServer => ({ ...server, credentials });

function cairn(keys: Keys, pathAndQuery: string, method = 'GET', signal?: AbortSignal): Promise<Response> {
  const [path = '', query = ''] = pathAndQuery.split('?');
  return signedFetch(as(keys), path, {
    service: 'cairn',
    method,
    query: Object.fromEntries(new URLSearchParams(query)),
    ...(signal && { signal }),
  });
}

/** Whose records stand in a page or in lines. */
function ownersIn(text: string): ReadonlySet<string> {
  const records = text.startsWith('{"events"')
    ? (JSON.parse(text) as { events: { recipientAccountId: string }[] }).events
    : text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { recipientAccountId: string });
  return new Set(records.map((record) => record.recipientAccountId));
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error as Error).name,
  );
}

interface PutAnswer {
  readonly successful: readonly { readonly id: string; readonly eventID: string }[];
  readonly failed: readonly { readonly id: string; readonly errorCode: string }[];
}

async function putEvents(keys: Keys, events: readonly (readonly [id: string, eventData: string])[]) {
  const answer = await signedFetch(as(keys), '/PutAuditEvents', {
    service: 'cloudtrail-data',
    method: 'POST',
    query: { channelArn: channel },
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auditEvents: events.map(([id, eventData]) => ({ id, eventData })) }),
  });
  return { status: answer.status, body: (await answer.json()) as PutAnswer };
}

function eventData(over: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    version: '1',
    userIdentity: { type: 'x', principalId: 'y' },
    eventSource: 'own.example',
    eventName: 'Own',
    eventTime: '2026-11-22T10:00:00Z',
    UID: 'u',
    recipientAccountId: memberAccount,
    ...over,
  });
}

async function expectServing(): Promise<void> {
  expect((await fetch(`${server.endpoint}/_cairn/health`)).status).toBe(200);
  expect(server.process.exitCode).toBeNull();
}

/** Posts a packed body in the name of somebody who may do nothing. */
async function post(service: string, headers: Record<string, string>, path: string, body: Uint8Array) {
  const packed = new Uint8Array(gzipSync(body));
  return signedFetch(as(nobody), path, {
    service,
    method: 'POST',
    headers: { 'content-encoding': 'gzip', ...headers },
    body: packed,
  });
}

describe('small bodies that want to be large', () => {
  it('a form of which every key is a tree of its own', async () => {
    const keys = Array.from({ length: 26_000 }, (_, index) => `${index}${'.a'.repeat(290)}=`);
    const body = Buffer.from(`Action=ListUsers&Version=2010-05-08&${keys.join('&')}`);
    expect(body.length).toBeLessThan(16 * 1024 * 1024);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post('iam', form, '/', body)).status).toBe(404);
    await expectServing();
  });

  it('a CBOR text of millions of empty chunks', async () => {
    const body = Buffer.alloc(16_000_000, 0x60);
    body[0] = 0x7f;
    body[body.length - 1] = 0xff;
    const cbor = { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' };
    const path = '/service/GraniteServiceVersion20100801/operation/PutMetricData';
    expect((await post('monitoring', cbor, path, body)).status).toBe(400);
    await expectServing();
  });

  it('an audit event that is nested without end', async () => {
    const depth = 40_000;
    const deep = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const data = eventData({ requestParameters: 0 }).replace(
      '"requestParameters":0',
      `"requestParameters":${deep}`,
    );
    const answer = await putEvents(member, [
      ['deep', data],
      ['plain', eventData()],
    ]);
    expect(answer.status).toBe(200);
    expect(answer.body.failed).toMatchObject([{ id: 'deep', errorCode: 'FieldTooLong' }]);
    expect(answer.body.successful).toMatchObject([{ id: 'plain' }]);
  });
});

describe('another account', () => {
  it('puts no event into the management account, and reads none of it', async () => {
    const foreign = eventData({ recipientAccountId: server.accountId });
    const twice = eventData().replace('{', `{"recipientAccountId":"${server.accountId}",`);
    const { body } = await putEvents(member, [
      ['foreign', foreign],
      ['twice', twice],
    ]);
    expect(body.failed).toMatchObject([{ id: 'foreign', errorCode: 'InvalidRecipient' }]);
    const eventID = body.successful[0]?.eventID ?? '';
    const seen = async (keys: Keys) => {
      const page = (await (await cairn(keys, `/_cairn/events?eventId=${eventID}`)).json()) as {
        events: { recipientAccountId: string }[];
      };
      return page.events.map((event) => event.recipientAccountId);
    };
    expect(await seen(member)).toEqual([memberAccount]);
    expect(await seen(server.credentials)).toEqual([memberAccount]);
  });

  it.each([
    `/_cairn/events?accountId=000000000000`,
    `/_cairn/events?account=000000000000`,
    `/_cairn/events?format=ndjson&account=000000000000`,
    `/_cairn/events/count?by=eventName&account=000000000000`,
    `/_cairn/events/tail?account=000000000000`,
    '/_cairn/accounts',
    '/_cairn/retention',
    '/_cairn/status',
  ])('is refused %s', async (path) => {
    expect((await cairn(member, path)).status).toBe(403);
  });

  it.each([
    '/_cairn/events?limit=1000',
    '/_cairn/events?format=ndjson',
    '/_cairn/events?not.accountId=111111111111',
    '/_cairn/events?text=CreateAccount',
  ])('sees nothing of the others by %s', async (path) => {
    const answer = await cairn(member, path);
    expect(answer.status).toBe(200);
    expect(ownersIn(await answer.text())).not.toContain('000000000000');
  });

  it("goes on from no page that the management account's search gave", async () => {
    const first = (await (await cairn(server.credentials, '/_cairn/events?limit=1')).json()) as {
      next: string;
    };
    const stolen = await cairn(member, `/_cairn/events?limit=1000&after=${first.next}`);
    expect(ownersIn(await stolen.text())).toEqual(new Set([memberAccount]));
    const trail = new CloudTrailClient(server.clientOptions);
    const { NextToken } = await trail.send(new LookupEventsCommand({ MaxResults: 1 }));
    const theirs = new CloudTrailClient({ ...server.clientOptions, credentials: member });
    expect(NextToken).toBeDefined();
    expect(await codeOf(theirs.send(new LookupEventsCommand({ MaxResults: 1, NextToken })))).toBe(
      'InvalidNextTokenException',
    );
  });

  it('acts on no policy and no role by its ARN', async () => {
    const iam = new IAMClient({ ...server.clientOptions, credentials: member });
    const PolicyArn = `arn:aws:iam::${server.accountId}:policy/any`;
    expect(await codeOf(iam.send(new GetPolicyCommand({ PolicyArn })))).toBe('AccessDenied');
    const sts = new STSClient({ ...server.clientOptions, credentials: member });
    const RoleArn = `arn:aws:iam::${server.accountId}:role/any`;
    expect(await codeOf(sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'x2' })))).toBe(
      'AccessDenied',
    );
  });
});

describe('listeners', () => {
  it('that only ask with HEAD hold no place', async () => {
    for (let index = 0; index < 101; index += 1) {
      expect((await cairn(member, '/_cairn/events/tail', 'HEAD')).status).toBe(200);
    }
    const abort = new AbortController();
    const answer = await cairn(member, '/_cairn/events/tail', 'GET', abort.signal);
    expect(answer.status).toBe(200);
    abort.abort();
  });
});

describe('policies to simulate', () => {
  it('that would be matched hundreds of millions of times are refused', async () => {
    const auditor = await userWith('auditor', ['iam:Simulate*']);
    const statement = '{"Effect":"Allow","Action":"*","Resource":"*"}';
    const document = `{"Version":"2012-10-17","Statement":[${Array.from({ length: 2_700 }, () => statement).join(',')}]}`;
    const form = new URLSearchParams({
      Action: 'SimulateCustomPolicy',
      Version: '2010-05-08',
      MaxItems: '1000',
    });
    for (let index = 1; index <= 40; index += 1) form.set(`PolicyInputList.member.${index}`, document);
    for (let index = 1; index <= 1_000; index += 1) form.set(`ActionNames.member.${index}`, `a:A${index}`);
    const answer = await signedFetch(as(auditor), '/', {
      service: 'iam',
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' },
      body: new Uint8Array(gzipSync(form.toString())),
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('InvalidInput');
    await expectServing();
  });
});
