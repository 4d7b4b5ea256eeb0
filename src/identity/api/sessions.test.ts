import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountId, seededRandom } from '../../kernel/index.ts';
import {
  allow,
  callerOf,
  deny,
  faultOf,
  management,
  openIdentityFixture,
  trust,
  type Caller,
  type IdentityFixture,
} from '../../../test/identity-fixture.ts';

let identity: IdentityFixture;
beforeEach(async () => {
  identity = await openIdentityFixture();
});
afterEach(() => identity[Symbol.asyncDispose]());

const arnOf = (kind: string, name: string, account: string = management) =>
  `arn:aws:iam::${account}:${kind}/${name}`;

async function role(name: string, AssumeRolePolicyDocument: string, over: object = {}) {
  await identity.call('CreateRole', { RoleName: name, AssumeRolePolicyDocument, ...over });
  return arnOf('role', name);
}

const assume = (RoleArn: string, caller: Caller, over: object = {}) =>
  identity.call('AssumeRole', { RoleArn, RoleSessionName: 'session', ...over }, caller);

const denied = async (call: Promise<unknown>, text: string) => {
  const fault = await faultOf(call);
  expect(fault.code).toBe('AccessDenied');
  expect(fault.message).toContain(text);
};

describe('AssumeRole', () => {
  it('within an account is allowed by a trust policy that names the user', async () => {
    const alice = await identity.user('alice');
    const arn = await role('r', trust(arnOf('user', 'alice')));
    const { Credentials } = await assume(arn, alice);
    expect(Credentials.AccessKeyId).toMatch(/^ASIA/);
    expect(Credentials.SecretAccessKey).toHaveLength(40);
    expect(Credentials.Expiration).toEqual(new Date(identity.clock.now() + 3_600_000));
  });

  it('needs an identity policy as well where the trust policy names the account', async () => {
    const alice = await identity.user('alice');
    const bob = await identity.user('bob', allow('sts:AssumeRole'));
    const arn = await role('r', trust(management));
    await denied(assume(arn, alice), 'because no identity-based policy allows the sts:AssumeRole action');
    await assume(arn, bob);
  });

  it('is denied where the trust policy does not name the caller, whatever its own policies say', async () => {
    const alice = await identity.user('alice', allow('*'));
    await identity.user('bob');
    const arn = await role('r', trust(arnOf('user', 'bob')));
    await denied(assume(arn, alice), 'because no role trust policy allows the sts:AssumeRole action');
  });

  it('says the same of a role that does not exist', async () => {
    const alice = await identity.user('alice', allow('*'));
    await denied(assume(arnOf('role', 'none'), alice), 'because no role trust policy allows');
  });

  it('heeds an explicit deny on either side', async () => {
    const alice = await identity.user('alice', deny('sts:AssumeRole'));
    const arn = await role('r', trust(arnOf('user', 'alice')));
    await denied(assume(arn, alice), 'with an explicit deny in an identity-based policy');
  });

  it('across accounts needs both sides', async () => {
    const other = accountId('111111111111');
    const root = await identity.account(other);
    const carol = await identity.user('carol', undefined, root);
    const dave = await identity.user('dave', allow('sts:AssumeRole'), root);
    const arn = await role('r', trust([arnOf('user', 'carol', other), arnOf('user', 'dave', other)]));
    await denied(assume(arn, carol), 'no identity-based policy');
    const { Credentials } = await assume(arn, dave);
    const who = await identity.call('GetCallerIdentity', {}, callerOf(Credentials));
    expect(who.Account).toBe(management);
  });

  it('is not for root', async () => {
    const arn = await role('r', trust(management));
    await denied(assume(arn, identity.root), 'Roles may not be assumed by root accounts');
  });

  it('does not trust somebody who took the name of a deleted user, and shows the id of who is gone', async () => {
    const alice = await identity.user('alice');
    const { User } = await identity.call('GetUser', { UserName: 'alice' });
    const arn = await role('r', trust(arnOf('user', 'alice')));
    await assume(arn, alice);
    await identity.call('DeleteAccessKey', { UserName: 'alice', AccessKeyId: alice.accessKeyId });
    await identity.call('DeleteUser', { UserName: 'alice' });
    const impostor = await identity.user('alice');
    await denied(assume(arn, impostor), 'no role trust policy');
    const shown = (await identity.call('GetRole', { RoleName: 'r' })).Role.AssumeRolePolicyDocument as string;
    expect(decodeURIComponent(shown)).toContain(`"AWS":"${User.UserId as string}"`);
  });

  it('asks for the external id, the session name and the source identity', async () => {
    const alice = await identity.user('alice');
    const condition = {
      StringEquals: {
        'sts:ExternalId': 'secret-7',
        'sts:RoleSessionName': 'right',
        'sts:SourceIdentity': 'al',
      },
    };
    const arn = await role('r', trust(arnOf('user', 'alice'), undefined, condition));
    const right = { ExternalId: 'secret-7', RoleSessionName: 'right', SourceIdentity: 'al' };
    await assume(arn, alice, right);
    for (const wrong of [{ ExternalId: 'x' }, { RoleSessionName: 'wrong' }, { SourceIdentity: 'bo' }]) {
      await denied(assume(arn, alice, { ...right, ...wrong }), 'no role trust policy');
    }
    await denied(assume(arn, alice, { ...right, ExternalId: undefined }), 'no role trust policy');
  });

  it('needs sts:TagSession for tags and sts:SetSourceIdentity for a source identity', async () => {
    const alice = await identity.user('alice');
    const arn = await role('r', trust(arnOf('user', 'alice'), ['sts:AssumeRole']));
    await assume(arn, alice);
    await denied(assume(arn, alice, { Tags: [{ Key: 'a', Value: 'b' }] }), 'sts:TagSession');
    await denied(assume(arn, alice, { SourceIdentity: 'alice' }), 'sts:SetSourceIdentity');
  });

  it('keeps the duration within the role, and chained roles within an hour', async () => {
    const alice = await identity.user('alice');
    const long = await role('long', trust([arnOf('user', 'alice')]), { MaxSessionDuration: 7200 });
    const { Credentials } = await assume(long, alice, { DurationSeconds: 7200 });
    const over = await faultOf(assume(long, alice, { DurationSeconds: 7201 }));
    expect(over).toMatchObject({ code: 'ValidationError' });
    expect(over.message).toContain('exceeds the MaxSessionDuration');
    const next = await role('next', trust(long), { MaxSessionDuration: 7200 });
    const chained = await faultOf(assume(next, callerOf(Credentials), { DurationSeconds: 3601 }));
    expect(chained.message).toContain('1 hour session limit for roles assumed by role chaining');
    await assume(next, callerOf(Credentials), { DurationSeconds: 3600 });
  });

  it('hands transitive tags and the source identity on along a chain of roles', async () => {
    const alice = await identity.user('alice');
    const first = await role('first', trust(arnOf('user', 'alice')));
    const second = await role('second', trust(first));
    const third = await role('third', trust(second));
    await identity.call('PutRolePolicy', {
      RoleName: 'third',
      PolicyName: 'p',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: {
          Effect: 'Allow',
          Action: 'iam:ListUsers',
          Resource: '*',
          Condition: {
            StringEquals: { 'aws:PrincipalTag/Kept': '1', 'aws:SourceIdentity': 'alice' },
            Null: { 'aws:PrincipalTag/Dropped': 'true' },
          },
        },
      }),
    });
    const tags = {
      Tags: [
        { Key: 'Kept', Value: '1' },
        { Key: 'Dropped', Value: '2' },
      ],
      TransitiveTagKeys: ['Kept'],
    };
    const one = await assume(first, alice, { ...tags, SourceIdentity: 'alice' });
    expect(one.PackedPolicySize).toBeGreaterThan(0);
    const two = callerOf((await assume(second, callerOf(one.Credentials))).Credentials);
    const override = await faultOf(assume(third, two, { Tags: [{ Key: 'kept', Value: 'other' }] }));
    expect(override).toMatchObject({
      code: 'InvalidParameterValue',
      message:
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    });
    expect((await faultOf(assume(third, two, { SourceIdentity: 'bob' }))).code).toBe('ValidationError');
    const three = await assume(third, two);
    expect(three.SourceIdentity).toBe('alice');
    await identity.call('ListUsers', {}, callerOf(three.Credentials));
  });

  it('limits the session to its session policies', async () => {
    const alice = await identity.user('alice');
    const arn = await role('r', trust(arnOf('user', 'alice')));
    await identity.call('AttachRolePolicy', {
      RoleName: 'r',
      PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
    });
    const may = async (over: object, operation: string) => {
      const { Credentials } = await assume(arn, alice, over);
      return identity.call(operation, {}, callerOf(Credentials)).then(
        () => true,
        (error: Error) => {
          expect(error.message).toContain('because no session policy allows');
          return false;
        },
      );
    };
    const Policy = JSON.stringify(allow('iam:ListUsers'));
    expect(await may({ Policy }, 'ListUsers')).toBe(true);
    expect(await may({ Policy }, 'ListRoles')).toBe(false);
    const PolicyArns = [{ arn: 'arn:aws:iam::aws:policy/CloudWatchLogsFullAccess' }];
    expect(await may({ PolicyArns }, 'ListUsers')).toBe(false);
    expect(await may({ Policy, PolicyArns }, 'ListUsers')).toBe(true);
  });

  it('does not widen a session when its session policy is deleted', async () => {
    const alice = await identity.user('alice');
    const arn = await role('r', trust(arnOf('user', 'alice')));
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    await identity.call('AttachRolePolicy', { RoleName: 'r', PolicyArn });
    const created = await identity.call('CreatePolicy', {
      PolicyName: 'limit',
      PolicyDocument: JSON.stringify(allow('iam:ListUsers')),
    });
    const { Credentials } = await assume(arn, alice, { PolicyArns: [{ arn: created.Policy.Arn }] });
    await identity.call('ListUsers', {}, callerOf(Credentials));
    await identity.call('DeletePolicy', { PolicyArn: created.Policy.Arn });
    await denied(identity.call('ListUsers', {}, callerOf(Credentials)), 'session policy');
    await denied(identity.call('ListRoles', {}, callerOf(Credentials)), 'session policy');
  });

  it('refuses what is too large, malformed or not supported', async () => {
    const alice = await identity.user('alice');
    const arn = await role('r', trust(arnOf('user', 'alice')));
    const code = async (over: object) => (await faultOf(assume(arn, alice, over))).code;
    expect(await code({ Policy: '{' })).toBe('MalformedPolicyDocumentException');
    expect(await code({ PolicyArns: [{ arn: arnOf('policy', 'none') }] })).toBe(
      'MalformedPolicyDocumentException',
    );
    const random = seededRandom(5);
    const Tags = Array.from({ length: 50 }, (_, place) => ({
      Key: `key-${place}`,
      Value: Buffer.from(random.bytes(192)).toString('base64'),
    }));
    expect(await code({ Tags })).toBe('PackedPolicyTooLargeException');
    expect(await code({ Tags: [...Tags, { Key: 'one-more', Value: '' }] })).toBe('ValidationError');
    expect(await code({ ProvidedContexts: [{ ProviderArn: 'x' }] })).toBe('ValidationError');
    expect(await code({ SerialNumber: 'x', TokenCode: '123456' })).toBe('AccessDenied');
    expect(await code({ RoleSessionName: 'a/b' })).toBe('ValidationError');
    expect(await code({ TransitiveTagKeys: ['absent'] })).toBe('InvalidParameterValue');
  });

  it('names the role in the record', () => {
    const resources = identity.sts['AssumeRole']?.resources?.(
      { RoleArn: arnOf('role', 'r') },
      undefined,
      {} as never,
    );
    expect(resources).toEqual([{ ARN: arnOf('role', 'r'), accountId: management, type: 'AWS::IAM::Role' }]);
  });
});

describe('GetAccessKeyInfo', () => {
  it('tells the account of long-term and of temporary keys', async () => {
    const other = accountId('111111111111');
    const root = await identity.account(other);
    const { Credentials } = await identity.call('GetSessionToken', {}, root);
    const info = (AccessKeyId: string) => identity.call('GetAccessKeyInfo', { AccessKeyId });
    expect(await info(root.accessKeyId)).toEqual({ Account: other });
    expect(await info(Credentials.AccessKeyId as string)).toEqual({ Account: other });
    expect((await faultOf(info('AKIAIOSFODNN7EXAMPLE'))).code).toBe('ValidationError');
  });
});
