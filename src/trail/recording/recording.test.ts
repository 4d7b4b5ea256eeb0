import type { Change } from '../../state/index.ts';
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  callBy,
  managementAccount,
  openTrailFixture,
  otherAccount,
  rootOf,
  serviceNamed,
  startMs,
  type TrailFixture,
} from '../../../test/trail-fixture.ts';
import { AwsFault, DiskFullError, OverloadError, region } from '../../kernel/index.ts';
import type { Stream } from '../../journal/index.ts';
import { LogFailedError } from '../../store/index.ts';
import type { Operation, RejectedCall } from '../../wire/index.ts';
import { openAuditView, openServices } from '../../wire/index.ts';

type Op = Operation<Change>;

function write(handle: Op['handle'], over: Partial<Op> = {}): Op {
  return { access: 'write', handle, ...over };
}

function read(handle: Op['handle'] = () => Promise.resolve({ users: [] }), over: Partial<Op> = {}): Op {
  return { access: 'read', handle, ...over };
}

/** Puts a document and answers with its key. */
const createUser = write(async (input: { name: string }, _call, change) => {
  if (await change.get(`user/${input.name}`))
    throw new AwsFault('EntityAlreadyExistsException', 'there already');
  change.put(`user/${input.name}`, { at: 1 });
  return { user: { userName: input.name } };
});

/** A stream whose appends are decided by the test. */
function guarded(decide: (call: number) => Error | Promise<void> | undefined): (stream: Stream) => Stream {
  let calls = 0;
  return (stream) =>
    Object.assign(Object.create(stream) as Stream, {
      async append(entries: Parameters<Stream['append']>[0]) {
        const decision = decide(calls++);
        if (decision instanceof Error) throw decision;
        await decision;
        return stream.append(entries);
      },
    });
}

const rejected: RejectedCall = {
  service: undefined,
  operationName: undefined,
  call: undefined,
  claimedAccessKeyId: 'AKIANOBODY0000000001',
  requestId: 'request-9',
  time: startMs,
  region: 'eu-central-1',
  sourceIp: '198.51.100.9',
  userAgent: 'curl/8',
  host: 'localhost',
  tls: undefined,
  error: { code: 'InvalidClientTokenId', message: 'The security token included in the request is invalid.' },
};

async function kinds({ stream }: TrailFixture): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { entries } of stream.read(stream.start)) found.push(...entries.map(({ kind }) => kind));
  return found;
}

describe('writes', () => {
  it('commit the change and its record in one append, before they are answered', async () => {
    let appends = 0;
    await using fixture = await openTrailFixture({ wrap: guarded(() => void appends++) });
    const output = await fixture.perform(createUser, { input: { name: 'ada' } });
    expect(output).toEqual({ user: { userName: 'ada' } });
    expect(appends).toBe(1);
    expect(await kinds(fixture)).toEqual(['change', 'record']);
    expect(await fixture.state.get('user/ada')).toMatchObject({ value: { at: 1 } });
    expect(await fixture.records()).toMatchObject([
      {
        eventName: 'CreateUser',
        eventSource: 'iam.amazonaws.com',
        // IAM is one service for all regions, and CloudTrail records it in us-east-1.
        awsRegion: 'us-east-1',
        requestParameters: { name: 'ada' },
        responseElements: { user: { userName: 'ada' } },
        readOnly: false,
        recipientAccountId: managementAccount,
        requestID: 'request-1',
      },
    ]);
  });

  it('append what an operation adds in the same append, before the record', async () => {
    let appends = 0;
    await using fixture = await openTrailFixture({ wrap: guarded(() => void appends++) });
    const ingest = write(async (_input, _call, change) => {
      change.append({ kind: 'ingested', payload: Buffer.from('{"one":1}') });
      change.put('seen', true);
      return {};
    });
    await fixture.perform(ingest);
    expect(await kinds(fixture)).toEqual(['change', 'ingested', 'record']);
    expect(appends).toBe(1);
  });

  it('run again from the start when another call changed what they read', async () => {
    await using fixture = await openTrailFixture();
    let runs = 0;
    const count = write(async (_input, _call, change) => {
      const before = (await change.get<number>('counter'))?.value ?? 0;
      runs++;
      change.put('counter', before + 1);
      return { value: before + 1 };
    });
    const answers = await Promise.all([1, 2, 3].map(() => fixture.perform(count)));
    expect(new Set(answers.map(({ value }) => value))).toEqual(new Set([1, 2, 3]));
    expect(await fixture.state.get('counter')).toMatchObject({ value: 3 });
    expect(runs).toBeGreaterThan(3);
    const values = (await fixture.records()).map((record) => record['responseElements']);
    expect(values).toHaveLength(3);
    expect(values).toEqual(expect.arrayContaining([{ value: 1 }, { value: 2 }, { value: 3 }]));
  });

  it('all get through, however many of them want the same document', async () => {
    await using fixture = await openTrailFixture();
    const count = write(async (_input, _call, change) => {
      const before = (await change.get<number>('counter'))?.value ?? 0;
      await Promise.resolve();
      change.put('counter', before + 1);
      return { value: before + 1 };
    });
    await Promise.all(Array.from({ length: 60 }, () => fixture.perform(count)));
    expect(await fixture.state.get('counter')).toMatchObject({ value: 60 });
  });

  it('give up with a throttling fault, recorded, after meeting other changes again and again', async () => {
    await using fixture = await openTrailFixture();
    let runs = 0;
    const unlucky = write(async (_input, _call, change) => {
      await change.get('contended');
      runs++;
      const other = fixture.state.begin();
      other.put('contended', runs);
      await fixture.state.commit(other, []);
      change.put('mine', runs);
      return {};
    });
    const outcome = fixture.perform(unlucky).catch((error: unknown) => error);
    for (let turns = 0; turns < 200 && fixture.stream.end < 9; turns++) await fixture.clock.advance(1_000);
    expect(await outcome).toMatchObject({ code: 'ThrottlingException' });
    expect(runs).toBe(8);
    expect(await fixture.state.get('mine')).toBeUndefined();
    expect(await fixture.records()).toMatchObject([
      { errorCode: 'ThrottlingException', responseElements: null },
    ]);
  });

  it.each([
    ['overloaded', new OverloadError('too much'), /too much is being written/],
    ['full', new DiskFullError('no room'), /the disk is full/],
    ['failed', new LogFailedError('a sync failed'), /until Cairn is started again/],
  ])('fail and change nothing when the journal is %s', async (_name, error, message) => {
    await using fixture = await openTrailFixture({ wrap: guarded(() => error) });
    await expect(fixture.perform(createUser, { input: { name: 'ada' } })).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      status: 503,
      message: expect.stringMatching(message) as string,
    });
    expect(await fixture.state.get('user/ada')).toBeUndefined();
    expect(await fixture.records()).toEqual([]);
  });

  it('fail when their parameters cannot be shown, and say so in the record', async () => {
    await using fixture = await openTrailFixture({
      show(_service, _operation, side) {
        if (side === 'output') throw new Error('no schema');
        return { shown: true };
      },
    });
    await expect(fixture.perform(createUser, { input: { name: 'ada' } })).rejects.toThrow('no schema');
    expect(await fixture.state.get('user/ada')).toBeUndefined();
    expect(await fixture.records()).toMatchObject([
      { errorCode: 'InternalFailure', requestParameters: { shown: true }, responseElements: null },
    ]);
  });

  it('show what the operation says, and never what the walker hides', async () => {
    await using fixture = await openTrailFixture({
      show: (_service, _operation, side, value) =>
        side === 'input'
          ? Object.fromEntries(Object.entries(value as object).filter(([name]) => name !== 'password'))
          : value,
    });
    await fixture.perform(
      write(async () => ({})),
      { input: { userName: 'ada', password: 'hunter2' } },
    );
    await fixture.perform(
      write(async () => ({ secret: 'hunter3' }), {
        recorded: () => ({ requestParameters: { own: 1 }, responseElements: { own: 2 } }),
      }),
      { input: { password: 'hunter2' } },
    );
    const records = await fixture.records();
    expect(records).toMatchObject([
      { requestParameters: { userName: 'ada' }, responseElements: null },
      { requestParameters: { own: 1 }, responseElements: { own: 2 } },
    ]);
    expect(JSON.stringify(records)).not.toContain('hunter');
  });

  it('are recorded for the owner of a resource in another account as well', async () => {
    await using fixture = await openTrailFixture();
    const assume = write(async () => ({ assumedRoleUser: 'x' }), {
      resources: () => [
        { ARN: `arn:aws:iam::${otherAccount}:role/r`, accountId: otherAccount, type: 'AWS::IAM::Role' },
      ],
    });
    await fixture.perform(assume, { service: serviceNamed('sts'), operationName: 'AssumeRole' });
    const [own, foreign, ...more] = await fixture.records();
    expect(more).toEqual([]);
    expect(own).toMatchObject({ recipientAccountId: managementAccount, awsRegion: 'eu-central-1' });
    expect(foreign).toMatchObject({
      recipientAccountId: otherAccount,
      sharedEventID: own?.['sharedEventID'],
      userIdentity: { type: 'AWSAccount', accountId: managementAccount },
    });
    expect(foreign?.['eventID']).not.toBe(own?.['eventID']);
    expect(JSON.stringify(foreign)).not.toContain('AKIAROOT');
  });
});

describe('members that the model marks as sensitive', () => {
  const services = openServices();
  const iam = services.descriptions.find(({ name }) => name === 'iam');

  it.each<[string, object, object]>([
    [
      'CreateAccessKey',
      { UserName: 'ada' },
      {
        AccessKey: {
          UserName: 'ada',
          AccessKeyId: 'AKIAADA',
          Status: 'Active',
          SecretAccessKey: 'hunter2-secret',
        },
      },
    ],
    ['CreateLoginProfile', { UserName: 'ada', Password: 'hunter2' }, { LoginProfile: { UserName: 'ada' } }],
    ['ChangePassword', { OldPassword: 'hunter1', NewPassword: 'hunter2' }, {}],
  ])('never appear: %s', async (operationName, input, output) => {
    await using fixture = await openTrailFixture({ show: openAuditView(services) });
    await fixture.perform(
      write(async () => output),
      { service: iam!, operationName, input: input as never },
    );
    await expect(
      fixture.perform(
        write(() => Promise.reject(new AwsFault('NoSuchEntityException', 'no'))),
        {
          service: iam!,
          operationName,
          input: input as never,
        },
      ),
    ).rejects.toThrow('no');
    const records = await fixture.records();
    expect(records).toMatchObject([{ eventName: operationName }, { eventName: operationName }]);
    expect(JSON.stringify(records)).not.toContain('hunter');
    if ('UserName' in input) {
      expect(records).toMatchObject([1, 2].map(() => ({ requestParameters: { userName: 'ada' } })));
    }
  });
});

describe('failures and denials', () => {
  it('are recorded alone, before the answer, with the fault of the operation', async () => {
    await using fixture = await openTrailFixture();
    await fixture.perform(createUser, { input: { name: 'ada' } });
    await expect(fixture.perform(createUser, { input: { name: 'ada' } })).rejects.toMatchObject({
      code: 'EntityAlreadyExistsException',
    });
    expect(await kinds(fixture)).toEqual(['change', 'record', 'record']);
    expect((await fixture.records())[1]).toMatchObject({
      errorCode: 'EntityAlreadyExistsException',
      errorMessage: 'there already',
      requestParameters: { name: 'ada' },
      responseElements: null,
    });
  });

  it('discard what a failed operation put and appended', async () => {
    await using fixture = await openTrailFixture();
    const half = write(async (_input, _call, change) => {
      change.put('half', 1);
      change.append({ kind: 'ingested', payload: Buffer.from('{}') });
      throw new AwsFault('ValidationException', 'no');
    });
    await expect(fixture.perform(half)).rejects.toMatchObject({ code: 'ValidationException' });
    expect(await fixture.state.get('half')).toBeUndefined();
    expect(await kinds(fixture)).toEqual(['record']);
  });

  it('of authorisation never reach the handler, and show no parameters', async () => {
    await using fixture = await openTrailFixture();
    fixture.denied.add('iam:CreateUser');
    let ran = false;
    const operation = write(async () => {
      ran = true;
      return {};
    });
    await expect(fixture.perform(operation, { input: { name: 'x' } })).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    expect(ran).toBe(false);
    expect(await fixture.records()).toMatchObject([
      { errorCode: 'AccessDenied', requestParameters: null, responseElements: null },
    ]);
  });

  it('are judged by the needs that the operation declares', async () => {
    await using fixture = await openTrailFixture();
    fixture.denied.add('iam:PassRole');
    const operation = write(async () => ({}), {
      needs: () => [
        { action: 'iam:CreateUser', resource: '*' },
        { action: 'iam:PassRole', resource: 'arn:aws:iam::1:role/r' },
      ],
    });
    await expect(fixture.perform(operation)).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('of unknown kind are recorded as InternalFailure without their text, and thrown on', async () => {
    await using fixture = await openTrailFixture();
    const boom = new TypeError('secret detail');
    await expect(fixture.perform(write(() => Promise.reject(boom)))).rejects.toBe(boom);
    await expect(fixture.perform(read(() => Promise.reject(boom)))).rejects.toBe(boom);
    const records = await fixture.records();
    expect(records).toMatchObject([{ errorCode: 'InternalFailure' }, { errorCode: 'InternalFailure' }]);
    expect(JSON.stringify(records)).not.toContain('secret detail');
  });

  it('are not told when their record cannot be taken', async () => {
    await using fixture = await openTrailFixture({ wrap: guarded(() => new OverloadError('too much')) });
    fixture.denied.add('iam:CreateUser');
    await expect(fixture.perform(createUser)).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      status: 503,
    });
  });

  it('of absent operations are authorised, recorded and name themselves', async () => {
    await using fixture = await openTrailFixture();
    const absent = { service: serviceNamed('config'), operationName: 'PutConfigRule' };
    await expect(fixture.perform(undefined, absent)).rejects.toMatchObject({
      code: 'NotImplemented',
      message: expect.stringMatching(/PutConfigRule of config.*docs\/coverage\.md/) as string,
    });
    fixture.denied.add('config:PutConfigRule');
    await expect(fixture.perform(undefined, absent)).rejects.toMatchObject({ code: 'AccessDenied' });
    expect(await fixture.records()).toMatchObject([
      { errorCode: 'NotImplemented', eventName: 'PutConfigRule', readOnly: false },
      { errorCode: 'AccessDenied', eventName: 'PutConfigRule' },
    ]);
  });
});

describe('reads', () => {
  it('are answered first and recorded behind the answer, without response elements', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    await using fixture = await openTrailFixture({ wrap: guarded(() => gate) });
    const answer = await fixture.perform(read(), { operationName: 'ListUsers', input: { path: '/' } });
    expect(answer).toEqual({ users: [] });
    expect(await fixture.records()).toEqual([]);
    open();
    await fixture.trail.settle();
    expect(await fixture.records()).toMatchObject([
      { eventName: 'ListUsers', readOnly: true, requestParameters: { path: '/' }, responseElements: null },
    ]);
  });

  it('that give out credentials show them in their record, which is durable before the answer', async () => {
    await using fixture = await openTrailFixture();
    const assume = read(() => Promise.resolve({ credentials: { accessKeyId: 'ASIA1' } }), {
      issuesCredentials: true,
    });
    await fixture.perform(assume, { operationName: 'AssumeRole', service: serviceNamed('sts') });
    expect(await fixture.records()).toMatchObject([
      { readOnly: true, responseElements: { credentials: { accessKeyId: 'ASIA1' } } },
    ]);
  });

  it('whose operation is denied are recorded before the answer', async () => {
    await using fixture = await openTrailFixture();
    fixture.denied.add('iam:ListUsers');
    await expect(fixture.perform(read(), { operationName: 'ListUsers' })).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    expect(await fixture.records()).toMatchObject([{ errorCode: 'AccessDenied', readOnly: true }]);
  });

  it('are all in the journal when the trail is closed', async () => {
    const fixture = await openTrailFixture();
    await Promise.all(
      Array.from({ length: 20 }, () => fixture.perform(read(), { operationName: 'ListUsers' })),
    );
    const { stream } = fixture;
    await fixture.trail[Symbol.asyncDispose]();
    expect(stream.end).toBe(20);
    await fixture[Symbol.asyncDispose]();
  });
});

describe('rejected calls', () => {
  it('of nobody proven are recorded in the management account, marked as not authenticated', async () => {
    await using fixture = await openTrailFixture();
    await fixture.trail.recordRejected(rejected);
    await fixture.trail.recordRejected({
      ...rejected,
      service: serviceNamed('iam'),
      operationName: 'DeleteUser',
      region: 'x y',
    });
    expect(await fixture.records()).toMatchObject([
      {
        userIdentity: { type: 'Unknown', accessKeyId: 'AKIANOBODY0000000001' },
        eventSource: 'unknown',
        eventName: 'Unknown',
        awsRegion: 'eu-central-1',
        sourceIPAddress: '198.51.100.9',
        errorCode: 'InvalidClientTokenId',
        additionalEventData: { authenticated: false },
        recipientAccountId: managementAccount,
      },
      { eventSource: 'iam.amazonaws.com', eventName: 'DeleteUser', awsRegion: 'us-east-1' },
    ]);
  });

  it('of a proven caller are recorded in the caller’s account', async () => {
    await using fixture = await openTrailFixture();
    const call = callBy(rootOf(otherAccount), { region: region('eu-west-1') });
    await fixture.trail.recordRejected({
      ...rejected,
      call,
      service: serviceNamed('sts'),
      operationName: 'GetCallerIdentity',
      error: { code: 'ValidationException', message: 'bad' },
    });
    const [record] = await fixture.records();
    expect(record).toMatchObject({
      userIdentity: { type: 'Root', accountId: otherAccount },
      recipientAccountId: otherAccount,
      readOnly: true,
      errorCode: 'ValidationException',
    });
    expect(record).not.toHaveProperty('additionalEventData');
  });

  it('of nobody proven are bounded in number, and what goes over it is counted', async () => {
    await using fixture = await openTrailFixture();
    for (let index = 0; index < 510; index++) await fixture.trail.recordRejected(rejected);
    expect(fixture.stream.end).toBe(500);
    expect(fixture.trail.suppressedRejections).toBe(10);
    await fixture.clock.advance(1_000);
    for (let index = 0; index < 30; index++) await fixture.trail.recordRejected(rejected);
    expect(fixture.stream.end).toBe(520);
    expect(fixture.trail.suppressedRejections).toBe(20);
  });

  it('are refused when their record cannot be taken', async () => {
    await using fixture = await openTrailFixture({ wrap: guarded(() => new DiskFullError('full')) });
    await expect(fixture.trail.recordRejected(rejected)).rejects.toMatchObject({
      code: 'ServiceUnavailable',
    });
  });
});

describe('the whole way', () => {
  it('makes a call searchable', async () => {
    await using fixture = await openTrailFixture();
    await fixture.perform(createUser, { input: { name: 'ada' } });
    await fixture.trail.settle();
    const answer = await fixture.route('GET', '/_cairn/events?eventName=CreateUser');
    expect(JSON.parse((await bodyOf(answer)).toString())).toMatchObject({
      events: [{ eventName: 'CreateUser' }],
    });
  });
});
