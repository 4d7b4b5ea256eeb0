import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allow,
  faultOf,
  management,
  openIdentityFixture,
  trust,
  type IdentityFixture,
} from '../../../test/identity-fixture.ts';

let identity: IdentityFixture;
beforeEach(async () => {
  identity = await openIdentityFixture();
});
afterEach(() => identity[Symbol.asyncDispose]());

const list = async () => (await identity.call('ListAccountAliases')).AccountAliases as string[];

/** A user in a group, a role in an instance profile, a managed policy in two versions, each with an inline policy. */
async function furnish(): Promise<string> {
  const PolicyDocument = JSON.stringify(allow('s3:*'));
  const { Policy } = await identity.call('CreatePolicy', { PolicyName: 'managed', PolicyDocument });
  await identity.call('CreatePolicyVersion', { PolicyArn: Policy.Arn, PolicyDocument });
  await identity.user('alice', allow('s3:*'));
  await identity.call('CreateGroup', { GroupName: 'Staff' });
  await identity.call('AddUserToGroup', { GroupName: 'Staff', UserName: 'alice' });
  await identity.call('PutGroupPolicy', { GroupName: 'staff', PolicyName: 'g', PolicyDocument });
  await identity.call('CreateRole', { RoleName: 'Worker', AssumeRolePolicyDocument: trust(management) });
  await identity.call('AttachRolePolicy', { RoleName: 'Worker', PolicyArn: Policy.Arn });
  await identity.call('AttachRolePolicy', {
    RoleName: 'Worker',
    PolicyArn: 'arn:aws:iam::aws:policy/SecurityAudit',
  });
  await identity.call('CreateInstanceProfile', { InstanceProfileName: 'Profile' });
  await identity.call('AddRoleToInstanceProfile', { InstanceProfileName: 'Profile', RoleName: 'Worker' });
  return Policy.Arn as string;
}

describe('the account alias', () => {
  it('is one, replaced by the next, and deleted by its name', async () => {
    expect(await list()).toEqual([]);
    await identity.call('CreateAccountAlias', { AccountAlias: 'first-one' });
    await identity.call('CreateAccountAlias', { AccountAlias: 'second' });
    expect(await list()).toEqual(['second']);
    const absent = identity.call('DeleteAccountAlias', { AccountAlias: 'first-one' });
    expect((await faultOf(absent)).code).toBe('NoSuchEntityException');
    await identity.call('DeleteAccountAlias', { AccountAlias: 'second' });
    expect(await list()).toEqual([]);
  });

  it.each(['ab', 'A-b', '-ab', 'ab-', 'a--b', '123456789012', 'x'.repeat(64)])(
    'is not %s',
    async (AccountAlias) => {
      expect((await faultOf(identity.call('CreateAccountAlias', { AccountAlias }))).code).toBe(
        'ValidationError',
      );
    },
  );
});

describe('the account summary', () => {
  it('counts what is there', async () => {
    await furnish();
    expect((await identity.call('GetAccountSummary')).SummaryMap).toMatchObject({
      Users: 1,
      Groups: 1,
      Roles: 1,
      Policies: 1,
      PolicyVersionsInUse: 2,
      InstanceProfiles: 1,
      AccountAccessKeysPresent: 1,
      AccountPasswordPresent: 0,
      AccountSigningCertificatesPresent: 0,
      UsersQuota: 5000,
    });
  });
});

describe('the authorization details', () => {
  it('hold everything', async () => {
    const PolicyArn = await furnish();
    const details = await identity.call('GetAccountAuthorizationDetails');
    expect(details).toMatchObject({
      UserDetailList: [{ UserName: 'alice', GroupList: ['Staff'], UserPolicyList: [{ PolicyName: 'p' }] }],
      GroupDetailList: [{ GroupName: 'Staff', GroupPolicyList: [{ PolicyName: 'g' }] }],
      RoleDetailList: [
        {
          RoleName: 'Worker',
          AttachedManagedPolicies: [{ PolicyName: 'managed', PolicyArn }, { PolicyName: 'SecurityAudit' }],
          InstanceProfileList: [{ InstanceProfileName: 'Profile', Roles: [{ RoleName: 'Worker' }] }],
        },
      ],
      Policies: [
        {
          PolicyName: 'managed',
          AttachmentCount: 1,
          PolicyVersionList: [{ VersionId: 'v1' }, { VersionId: 'v2' }],
        },
        { PolicyName: 'SecurityAudit' },
      ],
      IsTruncated: false,
    });
    const { UserPolicyList } = details.UserDetailList[0];
    expect(JSON.parse(decodeURIComponent(UserPolicyList[0].PolicyDocument as string))).toEqual(allow('s3:*'));
  });

  it('come page by page, and by kind', async () => {
    await furnish();
    await identity.call('CreateUser', { UserName: 'bob' });
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await identity.call('GetAccountAuthorizationDetails', {
        MaxItems: 2,
        ...(Marker ? { Marker } : {}),
      });
      const { UserDetailList, GroupDetailList, RoleDetailList, Policies } = page;
      const arns = [...UserDetailList, ...GroupDetailList, ...RoleDetailList, ...Policies].map(
        (one: { Arn: string }) => one.Arn,
      );
      expect(arns.length).toBeLessThanOrEqual(2);
      seen.push(...arns);
      Marker = page.Marker as string | undefined;
    } while (Marker);
    expect(seen.map((arn) => arn.slice(arn.lastIndexOf('/') + 1))).toEqual([
      'alice',
      'bob',
      'Staff',
      'Worker',
      'managed',
      'SecurityAudit',
    ]);
    const roles = await identity.call('GetAccountAuthorizationDetails', {
      Filter: ['Role', 'AWSManagedPolicy'],
    });
    expect(roles).toMatchObject({
      UserDetailList: [],
      GroupDetailList: [],
      RoleDetailList: [{}],
      Policies: [{}],
    });
  });
});

const get = () => identity.call('GetCredentialReport');

describe('the credential report', () => {
  it('is asked for, fetched within four hours, and tells the keys of root and users', async () => {
    expect((await faultOf(get())).code).toBe('CredentialReportNotPresentException');
    const alice = await identity.user('alice');
    await identity.call('GetCallerIdentity', {}, alice);
    await identity.lastUsed[Symbol.asyncDispose]();
    expect((await identity.call('GenerateCredentialReport')).State).toBe('STARTED');
    expect((await identity.call('GenerateCredentialReport')).State).toBe('COMPLETE');
    const { Content, ReportFormat } = await get();
    expect(ReportFormat).toBe('text/csv');
    const [head = '', root = '', user = '', ...more] = (Content as Buffer).toString().split('\n');
    expect(more).toEqual([]);
    expect(head.split(',')).toHaveLength(22);
    expect(root.split(',')).toHaveLength(22);
    expect(root).toContain('<root_account>');
    expect(
      Object.fromEntries(head.split(',').map((column, place) => [column, user.split(',')[place]])),
    ).toMatchObject({
      user: 'alice',
      user_creation_time: '2026-11-22T10:00:00+00:00',
      access_key_1_active: 'true',
      access_key_1_last_used_service: 'sts',
      access_key_2_active: 'false',
      mfa_active: 'false',
    });
    await identity.clock.advance(4 * 3_600_000);
    expect((await faultOf(get())).code).toBe('CredentialReportExpiredException');
  });
});

describe('credentials that cannot exist here', () => {
  it('are truthfully none, of users that exist', async () => {
    await identity.call('CreateUser', { UserName: 'x' });
    const UserName = 'x';
    expect((await identity.call('ListMFADevices', { UserName })).MFADevices).toEqual([]);
    expect((await identity.call('ListSSHPublicKeys', { UserName })).SSHPublicKeys).toEqual([]);
    expect((await identity.call('ListSigningCertificates', { UserName })).Certificates).toEqual([]);
    expect(await faultOf(identity.call('GetAccountPasswordPolicy', {}))).toEqual({
      code: 'NoSuchEntityException',
      message: `The Password Policy with domain name ${management} cannot be found.`,
    });
    expect((await faultOf(identity.call('DeleteLoginProfile', { UserName }))).message).toContain(
      'Login Profile',
    );
    const nobody = identity.call('ListMFADevices', { UserName: 'nobody' });
    expect((await faultOf(nobody)).code).toBe('NoSuchEntityException');
  });
});
