import { CloudTrailClient, EnableFederationCommand, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteUserCommand,
  GetUserCommand,
  IAMClient,
  ListUsersCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './harness.ts';

let server: TestServer;
let iam: IAMClient;
let sts: STSClient;
let cloudtrail: CloudTrailClient;

beforeAll(async () => {
  server = await startServer();
  iam = new IAMClient(server.clientOptions);
  sts = new STSClient(server.clientOptions);
  cloudtrail = new CloudTrailClient(server.clientOptions);
});
afterAll(() => server[Symbol.asyncDispose]());

async function lookUp(name: string, value: string): Promise<Record<string, unknown>> {
  const event = await eventually(async () => {
    const answer = await cloudtrail.send(
      new LookupEventsCommand({
        LookupAttributes: [
          { AttributeKey: 'EventName', AttributeValue: name },
          { AttributeKey: 'Username', AttributeValue: value },
        ],
      }),
    );
    return answer.Events?.[0];
  });
  return JSON.parse(event.CloudTrailEvent ?? '') as Record<string, unknown>;
}

async function newUser(name: string): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  await iam.send(new CreateUserCommand({ UserName: name }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

function clientsOf(credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) {
  const options = { ...server.clientOptions, credentials };
  return {
    iam: new IAMClient(options),
    sts: new STSClient(options),
    cloudtrail: new CloudTrailClient(options),
  };
}

/** A role that `AWS` may assume and tag sessions of. */
async function makeRole(RoleName: string, AWS: string): Promise<string> {
  const Action = ['sts:AssumeRole', 'sts:TagSession'];
  const Statement = [{ Effect: 'Allow', Principal: { AWS }, Action }];
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  return Role!.Arn!;
}

describe('the AWS SDK for JavaScript', () => {
  it('learns who it is', async () => {
    const identity = await sts.send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({
      Account: server.accountId,
      Arn: `arn:aws:iam::${server.accountId}:root`,
      UserId: server.accountId,
    });
  });

  it('finds its own write in the event history, field by field', async () => {
    await iam.send(
      new CreateUserCommand({ UserName: 'field-by-field', Tags: [{ Key: 'team', Value: 'blue' }] }),
    );
    const record = await eventually(async () => {
      const answer = await cloudtrail.send(
        new LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: 'field-by-field' }],
        }),
      );
      return answer.Events?.[0];
    });
    expect(record).toMatchObject({
      EventName: 'CreateUser',
      EventSource: 'iam.amazonaws.com',
      ReadOnly: 'false',
      Username: 'root',
    });
    expect(record.AccessKeyId).toBe(server.credentials.accessKeyId);
    expect(JSON.parse(record.CloudTrailEvent ?? '')).toMatchObject({
      eventVersion: '1.11',
      userIdentity: {
        type: 'Root',
        principalId: server.accountId,
        arn: `arn:aws:iam::${server.accountId}:root`,
        accountId: server.accountId,
        accessKeyId: server.credentials.accessKeyId,
      },
      eventSource: 'iam.amazonaws.com',
      eventName: 'CreateUser',
      awsRegion: 'us-east-1',
      sourceIPAddress: '127.0.0.1',
      requestParameters: { userName: 'field-by-field', tags: [{ key: 'team', value: 'blue' }] },
      responseElements: { user: { userName: 'field-by-field', path: '/' } },
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      eventCategory: 'Management',
      recipientAccountId: server.accountId,
    });
  });

  it('is told which action on which resource it may not do, and that is recorded', async () => {
    const user = clientsOf(await newUser('nobody'));
    const denied = user.iam.send(new DeleteUserCommand({ UserName: 'field-by-field' }));
    await expect(denied).rejects.toMatchObject({
      name: 'AccessDenied',
      message:
        `User: arn:aws:iam::${server.accountId}:user/nobody is not authorized to perform: iam:DeleteUser on resource: ` +
        `arn:aws:iam::${server.accountId}:user/field-by-field because no identity-based policy allows the iam:DeleteUser action`,
    });
    const record = await lookUp('DeleteUser', 'nobody');
    expect(record).toMatchObject({
      errorCode: 'AccessDenied',
      requestParameters: null,
      responseElements: null,
      userIdentity: { type: 'IAMUser', userName: 'nobody' },
    });
  });

  it('may do what its policy allows from the very next call, and no more', async () => {
    const user = clientsOf(await newUser('reader'));
    await expect(user.iam.send(new ListUsersCommand({}))).rejects.toMatchObject({ name: 'AccessDenied' });
    await iam.send(
      new PutUserPolicyCommand({
        UserName: 'reader',
        PolicyName: 'list',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'iam:ListUsers', Resource: '*' }],
        }),
      }),
    );
    const listed = await user.iam.send(new ListUsersCommand({}));
    expect(listed.Users?.map(({ UserName }) => UserName)).toContain('reader');
    await expect(user.iam.send(new CreateUserCommand({ UserName: 'x' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it('assumes a role, and the record names the session and the role behind it', async () => {
    const user = clientsOf(await newUser('visitor'));
    await iam.send(
      new AttachUserPolicyCommand({
        UserName: 'visitor',
        PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
      }),
    );
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: 'auditor',
        AssumeRolePolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: `arn:aws:iam::${server.accountId}:user/visitor` },
              Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
            },
          ],
        }),
      }),
    );
    const { Credentials } = await user.sts.send(
      new AssumeRoleCommand({
        RoleArn: Role?.Arn,
        RoleSessionName: 'night-shift',
        SourceIdentity: 'visitor',
      }),
    );
    const session = clientsOf({
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    });
    const identity = await session.sts.send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toBe(`arn:aws:sts::${server.accountId}:assumed-role/auditor/night-shift`);
    await expect(session.iam.send(new GetUserCommand({ UserName: 'visitor' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    const record = await lookUp('GetUser', 'night-shift');
    expect(record['userIdentity']).toMatchObject({
      type: 'AssumedRole',
      arn: identity.Arn,
      sessionContext: {
        sessionIssuer: { type: 'Role', userName: 'auditor', arn: Role?.Arn },
        attributes: { mfaAuthenticated: 'false' },
        sourceIdentity: 'visitor',
      },
    });
  });

  // "Example AWS STS role chaining API event in CloudTrail log file"
  it('hands tags on from role to role, and the record shows what came in', async () => {
    const user = clientsOf(await newUser('chained'));
    const first = await makeRole('first', `arn:aws:iam::${server.accountId}:user/chained`);
    const second = await makeRole('second', first);
    const { Credentials } = await user.sts.send(
      new AssumeRoleCommand({
        RoleArn: first,
        RoleSessionName: 'link-one',
        Tags: [
          { Key: 'Department', Value: 'Engineering' },
          { Key: 'Mood', Value: 'good' },
        ],
        TransitiveTagKeys: ['Department'],
      }),
    );
    const session = clientsOf({
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    });
    await session.sts.send(new AssumeRoleCommand({ RoleArn: second, RoleSessionName: 'link-two' }));
    const chained = await lookUp('AssumeRole', 'link-one');
    expect(chained['requestParameters']).toEqual({
      incomingTransitiveTags: { Department: 'Engineering' },
      roleArn: second,
      roleSessionName: 'link-two',
    });
    const unchained = await lookUp('AssumeRole', 'chained');
    expect(unchained['requestParameters']).not.toHaveProperty('incomingTransitiveTags');
  });

  it('is told what is absent', async () => {
    const absent = cloudtrail.send(
      new EnableFederationCommand({
        EventDataStore: 'main',
        FederationRoleArn: 'arn:aws:iam::000000000000:role/glue',
      }),
    );
    await expect(absent).rejects.toMatchObject({
      name: 'NotImplementedException',
      $metadata: { httpStatusCode: 501 },
    });
    await expect(lookUp('EnableFederation', 'root')).resolves.toMatchObject({ errorCode: 'NotImplemented' });
  });

  it('never meets a secret in the event history', async () => {
    const { secretAccessKey } = await newUser('secretive');
    const record = await eventually(async () => {
      const answer = await cloudtrail.send(
        new LookupEventsCommand({
          LookupAttributes: [
            { AttributeKey: 'EventName', AttributeValue: 'CreateAccessKey' },
            { AttributeKey: 'ResourceName', AttributeValue: 'secretive' },
          ],
        }),
      );
      return answer.Events?.[0];
    });
    expect(record.CloudTrailEvent).not.toContain(secretAccessKey);
    expect(record.CloudTrailEvent).toContain('"accessKeyId"');
  });

  it('pages through the history without losing or repeating an event while new ones come in', async () => {
    const seen: string[] = [];
    let token: string | undefined;
    for (let page = 0; page < 5; page++) {
      const answer = await cloudtrail.send(
        new LookupEventsCommand({ MaxResults: 5, ...(token === undefined ? {} : { NextToken: token }) }),
      );
      seen.push(...(answer.Events ?? []).map(({ EventId }) => EventId ?? ''));
      token = answer.NextToken;
      if (token === undefined) break;
      await iam.send(new CreateUserCommand({ UserName: `page-${page}` }));
    }
    expect(seen.length).toBeGreaterThan(15);
    expect(new Set(seen).size).toBe(seen.length);
  });
});
