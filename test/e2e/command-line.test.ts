import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsCli, eventually, hasAwsCli, hasBoto3, python, startServer, type TestServer } from './harness.ts';

const run = promisify(execFile);

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function aws(...command: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(awsCli, ['--endpoint-url', server.endpoint, ...command, '--output', 'json'], {
    env: server.env,
  });
  return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
}

async function awsFails(...command: string[]): Promise<string> {
  const outcome = await run(awsCli, ['--endpoint-url', server.endpoint, ...command], {
    env: server.env,
  }).catch((error: { stderr: string }) => error.stderr);
  return typeof outcome === 'string' ? outcome : `it succeeded: ${outcome.stdout}`;
}

const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
});
const allowList = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'iam:List*', Resource: '*' }],
});

describe.skipIf(!hasAwsCli)('the aws CLI (skipped where /usr/bin/aws is absent)', () => {
  it('manages users, groups and managed policies', async () => {
    await aws('iam', 'create-user', '--user-name', 'ada', '--tags', 'Key=team,Value=blue');
    await aws('iam', 'create-group', '--group-name', 'staff');
    await aws('iam', 'add-user-to-group', '--user-name', 'ada', '--group-name', 'staff');
    const created = await aws(
      'iam',
      'create-policy',
      '--policy-name',
      'lists',
      '--policy-document',
      allowList,
    );
    const { Arn: policyArn } = created['Policy'] as { Arn: string };
    expect(policyArn).toBe(`arn:aws:iam::${server.accountId}:policy/lists`);
    await aws('iam', 'attach-group-policy', '--group-name', 'staff', '--policy-arn', policyArn);
  });

  it('manages roles, inline policies and keys, and shows everything', async () => {
    await aws('iam', 'create-role', '--role-name', 'reader', '--assume-role-policy-document', trust);
    await aws(
      'iam',
      'put-role-policy',
      '--role-name',
      'reader',
      '--policy-name',
      'p',
      '--policy-document',
      allowList,
    );
    await aws('iam', 'create-access-key', '--user-name', 'ada');
    const details = await aws('iam', 'get-account-authorization-details');
    expect(details['UserDetailList']).toMatchObject([
      { UserName: 'ada', GroupList: ['staff'], Tags: [{ Key: 'team', Value: 'blue' }] },
    ]);
    expect(details['RoleDetailList']).toMatchObject([
      { RoleName: 'reader', RolePolicyList: [{ PolicyDocument: JSON.parse(allowList) }] },
    ]);
  });

  it('is told why a call of IAM fails', async () => {
    await expect(awsFails('iam', 'delete-user', '--user-name', 'ada')).resolves.toContain('(DeleteConflict)');
    await expect(awsFails('iam', 'get-user', '--user-name', 'nemo')).resolves.toContain(
      'An error occurred (NoSuchEntity) when calling the GetUser operation: The user with name nemo cannot be found.',
    );
  });

  it('assumes a role', async () => {
    const answer = await aws(
      'sts',
      'assume-role',
      '--role-arn',
      `arn:aws:iam::${server.accountId}:role/reader`,
      '--role-session-name',
      'cli',
    ).catch((error: { stderr: string }) => ({ failed: error.stderr }));
    // The root user may not assume roles, as AWS documents it.
    expect(JSON.stringify(answer)).toContain('Roles may not be assumed by root accounts');
  });

  it('simulates a policy', async () => {
    const answer = await aws(
      'iam',
      'simulate-principal-policy',
      '--policy-source-arn',
      `arn:aws:iam::${server.accountId}:user/ada`,
      '--action-names',
      'iam:ListUsers',
      'iam:DeleteUser',
    );
    const verdicts = (answer['EvaluationResults'] as { EvalActionName: string; EvalDecision: string }[]).map(
      ({ EvalActionName, EvalDecision }) => [EvalActionName, EvalDecision],
    );
    expect(verdicts).toEqual([
      ['iam:ListUsers', 'allowed'],
      ['iam:DeleteUser', 'implicitDeny'],
    ]);
  });

  it('finds its calls by lookup-events', async () => {
    const events = await eventually(async () => {
      const answer = await aws(
        'cloudtrail',
        'lookup-events',
        '--lookup-attributes',
        'AttributeKey=EventName,AttributeValue=CreateGroup',
      );
      const found = answer['Events'] as Record<string, unknown>[];
      return found.length > 0 ? found : undefined;
    });
    expect(events).toMatchObject([
      { EventName: 'CreateGroup', Username: 'root', EventSource: 'iam.amazonaws.com' },
    ]);
  });

  it('is refused by name what is wrong', async () => {
    await expect(
      awsFails(
        'cloudtrail',
        'lookup-events',
        '--lookup-attributes',
        'AttributeKey=Nonsense,AttributeValue=x',
      ),
    ).resolves.toContain('InvalidLookupAttributesException');
    await expect(
      awsFails('cloudtrail', 'lookup-events', '--max-results', '51', '--no-paginate'),
    ).resolves.toContain('InvalidMaxResultsException');
    await expect(awsFails('logs', 'describe-log-groups')).resolves.toContain('(NotImplementedException)');
  });
});

const pythonScript = `
import json, os, sys, time, boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
import urllib.request

endpoint = os.environ['AWS_ENDPOINT_URL']
client = lambda name: boto3.client(name, endpoint_url=endpoint, region_name='us-east-1')
account = client('sts').get_caller_identity()['Account']
iam = client('iam')
iam.create_user(UserName='grace')
names = [user['UserName'] for page in iam.get_paginator('list_users').paginate() for user in page['Users']]
assert 'grace' in names, names
try:
    iam.create_user(UserName='grace')
    raise SystemExit('a second user of the same name was created')
except iam.exceptions.EntityAlreadyExistsException:
    pass

event = {'version': '1.0', 'userIdentity': {'type': 'app', 'principalId': 'grace'}, 'eventSource': 'shop.example', 'eventName': 'Refund',
         'eventTime': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()), 'UID': '11111111-2222-4333-8444-555555555555',
         'recipientAccountId': account}
body = json.dumps({'auditEvents': [{'id': 'one', 'eventData': json.dumps(event)}, {'id': 'two', 'eventData': 'not json'}]})
url = endpoint + '/PutAuditEvents?channelArn=' + urllib.parse.quote(sys.argv[1].replace('ACCOUNT', account), safe='')
request = AWSRequest('POST', url, data=body, headers={'Content-Type': 'application/json'})
SigV4Auth(Credentials(os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY']), 'cloudtrail-data', 'us-east-1').add_auth(request)
answer = json.load(urllib.request.urlopen(urllib.request.Request(url, body.encode(), dict(request.headers))))
assert [one['id'] for one in answer['successful']] == ['one'], answer
assert [one['id'] for one in answer['failed']] == ['two'], answer

trail = client('cloudtrail')
for attempt in range(100):
    found = trail.lookup_events(LookupAttributes=[{'AttributeKey': 'ResourceName', 'AttributeValue': 'grace'}])['Events']
    if len(found) >= 2: break
    time.sleep(0.05)
print(json.dumps([one['EventName'] for one in found]))
`;

describe.skipIf(!hasBoto3)('boto3 (skipped where python3-boto3 is absent)', () => {
  it('calls IAM and STS, puts audit events, and finds them', async () => {
    const channel = 'arn:aws:cloudtrail:us-east-1:ACCOUNT:channel/00000000-0000-4000-8000-000000000000';
    const { stdout } = await run(python, ['-c', pythonScript, channel], { env: server.env });
    expect(JSON.parse(stdout)).toEqual(['CreateUser', 'CreateUser']);
  });
});
