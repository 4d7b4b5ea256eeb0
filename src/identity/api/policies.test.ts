import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  allow,
  faultOf,
  management,
  openIdentityFixture,
  trust,
  type IdentityFixture,
} from '../../../test/identity-fixture.ts';
import { awsManagedPolicies } from '../aws-managed-policies.ts';
import { parsePolicy } from '../policy/index.ts';

let identity: IdentityFixture;
beforeEach(async () => {
  identity = await openIdentityFixture();
});
afterEach(() => identity[Symbol.asyncDispose]());

const document = JSON.stringify(allow('s3:*'));
const create = async (PolicyName: string, over: object = {}) =>
  (await identity.call('CreatePolicy', { PolicyName, PolicyDocument: document, ...over })).Policy as {
    Arn: string;
  };

const bucket = (length: number) => JSON.stringify(allow('s3:*', `arn:aws:s3:::${'x'.repeat(length)}`));

describe('inline policies', () => {
  const kinds = [
    ['User', () => identity.call('CreateUser', { UserName: 'x' })],
    ['Group', () => identity.call('CreateGroup', { GroupName: 'x' })],
    [
      'Role',
      () => identity.call('CreateRole', { RoleName: 'x', AssumeRolePolicyDocument: trust(management) }),
    ],
  ] as const;

  it.each(kinds)('of a %s are put, listed, got as they were given, and deleted', async (kind, make) => {
    await make();
    const name = { [`${kind}Name`]: 'x' };
    const text = `${document} `;
    for (const PolicyName of ['b', 'a', '__proto__']) {
      await identity.call(`Put${kind}Policy`, { ...name, PolicyName, PolicyDocument: text });
    }
    const list = await identity.call(`List${kind}Policies`, { ...name, MaxItems: 2 });
    expect(list).toMatchObject({ PolicyNames: ['__proto__', 'a'], IsTruncated: true });
    const rest = await identity.call(`List${kind}Policies`, { ...name, Marker: list.Marker });
    expect(rest).toMatchObject({ PolicyNames: ['b'], IsTruncated: false });
    const got = await identity.call(`Get${kind}Policy`, { ...name, PolicyName: 'a' });
    expect(got).toMatchObject({ ...name, PolicyName: 'a' });
    expect(decodeURIComponent(got.PolicyDocument as string)).toBe(text);
    await identity.call(`Delete${kind}Policy`, { ...name, PolicyName: 'a' });
    for (const verb of ['Get', 'Delete']) {
      const fault = await faultOf(identity.call(`${verb}${kind}Policy`, { ...name, PolicyName: 'a' }));
      expect(fault).toEqual({
        code: 'NoSuchEntityException',
        message: `The ${kind.toLowerCase()} policy with name a cannot be found.`,
      });
    }
  });

  it('are refused when malformed', async () => {
    await identity.call('CreateUser', { UserName: 'x' });
    const put = (PolicyDocument: string) =>
      identity.call('PutUserPolicy', { UserName: 'x', PolicyName: 'p', PolicyDocument });
    for (const text of ['', '{', '{}', '[]', trust(management), document.replace('s3:*', 's3')]) {
      expect((await faultOf(put(text))).code).toBe('MalformedPolicyDocumentException');
    }
  });

  it('of one user take 2,048 characters together, white space not counted', async () => {
    await identity.call('CreateUser', { UserName: 'x' });
    const put = (PolicyName: string, characters: number) => {
      const text = bucket(characters - bucket(0).length);
      expect(text).toHaveLength(characters);
      return identity.call('PutUserPolicy', {
        UserName: 'x',
        PolicyName,
        PolicyDocument: text.replace('{', '{\n\t  '),
      });
    };
    await put('a', 1024);
    await put('b', 1024);
    await put('b', 1023);
    expect(await faultOf(put('c', 200))).toEqual({
      code: 'LimitExceededException',
      message: 'Maximum policy size of 2048 bytes exceeded for user x',
    });
  });
});

describe('managed policies', () => {
  it('are created, listed by scope and use, and got', async () => {
    const policy = await create('Mine', { Path: '/p/', Description: 'd', Tags: [{ Key: 'k', Value: 'v' }] });
    expect(policy).toMatchObject({
      PolicyName: 'Mine',
      Arn: `arn:aws:iam::${management}:policy/p/Mine`,
      DefaultVersionId: 'v1',
      AttachmentCount: 0,
      Tags: [{ Key: 'k', Value: 'v' }],
    });
    // IAM does not repeat the description to who makes the policy.
    expect(policy).not.toHaveProperty('Description');
    expect((await identity.call('GetPolicy', { PolicyArn: policy.Arn })).Policy).toEqual({
      ...policy,
      Description: 'd',
    });
    const bare = await create('Bare');
    expect(bare).not.toHaveProperty('Tags');
    expect((await identity.call('GetPolicy', { PolicyArn: bare.Arn })).Policy.Tags).toEqual([]);
    const version = { PolicyArn: `${bare.Arn}None`, VersionId: 'v1' };
    expect((await faultOf(identity.call('GetPolicyVersion', version))).message).toBe(
      `Policy ${version.PolicyArn} version v1 does not exist or is not attachable.`,
    );
    await identity.call('DeletePolicy', { PolicyArn: bare.Arn });
    const names = async (input: object) =>
      (
        (await identity.call('ListPolicies', { MaxItems: 1000, ...input })).Policies as {
          PolicyName: string;
        }[]
      ).map((one) => one.PolicyName);
    expect(await names({ Scope: 'Local' })).toEqual(['Mine']);
    expect(await names({ Scope: 'AWS' })).toHaveLength(awsManagedPolicies.length);
    expect(await names({})).toHaveLength(awsManagedPolicies.length + 1);
    expect(await names({ OnlyAttached: true })).toEqual([]);
    await identity.call('CreateUser', { UserName: 'x', PermissionsBoundary: policy.Arn });
    await identity.call('AttachUserPolicy', {
      UserName: 'x',
      PolicyArn: 'arn:aws:iam::aws:policy/IAMFullAccess',
    });
    expect(await names({ OnlyAttached: true })).toEqual(['IAMFullAccess']);
    expect(await names({ PolicyUsageFilter: 'PermissionsBoundary' })).toEqual(['Mine']);
    expect(await names({ PathPrefix: '/p/' })).toEqual(['Mine']);
    expect((await identity.call('GetPolicy', { PolicyArn: policy.Arn })).Policy).toMatchObject({
      AttachmentCount: 0,
      PermissionsBoundaryUsageCount: 1,
    });
  });

  it('are listed page by page', async () => {
    await create('a');
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await identity.call('ListPolicies', { MaxItems: 4, ...(Marker ? { Marker } : {}) });
      seen.push(...(page.Policies as { Arn: string }[]).map((one) => one.Arn));
      Marker = page.Marker as string | undefined;
    } while (Marker);
    expect(seen).toHaveLength(awsManagedPolicies.length + 1);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('have up to five versions, numbered once and for all', async () => {
    const { Arn: PolicyArn } = await create('p');
    const version = async (over: object = {}) =>
      (await identity.call('CreatePolicyVersion', { PolicyArn, PolicyDocument: document, ...over }))
        .PolicyVersion;
    expect(await version()).toMatchObject({ VersionId: 'v2', IsDefaultVersion: false });
    expect(await version({ SetAsDefault: true })).toMatchObject({ VersionId: 'v3', IsDefaultVersion: true });
    await version();
    await version();
    expect((await faultOf(version())).code).toBe('LimitExceededException');
    const ids = async () =>
      ((await identity.call('ListPolicyVersions', { PolicyArn })).Versions as { VersionId: string }[]).map(
        (one) => one.VersionId,
      );
    expect(await ids()).toEqual(['v5', 'v4', 'v3', 'v2', 'v1']);
    const fault = await faultOf(identity.call('DeletePolicyVersion', { PolicyArn, VersionId: 'v3' }));
    expect(fault).toEqual({
      code: 'DeleteConflictException',
      message: 'Cannot delete the default version of a policy.',
    });
    await identity.call('DeletePolicyVersion', { PolicyArn, VersionId: 'v5' });
    expect(await version()).toMatchObject({ VersionId: 'v6' });
    const got = await identity.call('GetPolicyVersion', { PolicyArn, VersionId: 'v6' });
    expect(decodeURIComponent(got.PolicyVersion.Document as string)).toBe(document);
    expect((await faultOf(identity.call('GetPolicyVersion', { PolicyArn, VersionId: 'v5' }))).code).toBe(
      'NoSuchEntityException',
    );
  });

  it('are deleted only when nothing uses them and one version is left', async () => {
    const { Arn: PolicyArn } = await create('p');
    await identity.call('CreateUser', { UserName: 'x' });
    await identity.call('AttachUserPolicy', { UserName: 'x', PolicyArn });
    await identity.call('CreatePolicyVersion', { PolicyArn, PolicyDocument: document });
    const remove = () => identity.call('DeletePolicy', { PolicyArn });
    expect((await faultOf(remove())).message).toBe('Cannot delete a policy attached to entities.');
    await identity.call('DetachUserPolicy', { UserName: 'x', PolicyArn });
    expect((await faultOf(remove())).message).toContain('more than one version');
    await identity.call('DeletePolicyVersion', { PolicyArn, VersionId: 'v2' });
    await remove();
    expect((await faultOf(identity.call('GetPolicy', { PolicyArn }))).message).toBe(
      `Policy ${PolicyArn} was not found.`,
    );
  });

  it('cannot be attached when they do not exist, nor eleven to one role', async () => {
    await identity.call('CreateRole', { RoleName: 'x', AssumeRolePolicyDocument: trust(management) });
    const attach = (PolicyArn: string) => identity.call('AttachRolePolicy', { RoleName: 'x', PolicyArn });
    expect((await faultOf(attach(`arn:aws:iam::${management}:policy/none`))).code).toBe(
      'NoSuchEntityException',
    );
    expect((await faultOf(attach('nonsense'))).code).toBe('InvalidInputException');
    for (const { arn } of awsManagedPolicies.slice(0, 10)) await attach(arn);
    await attach(awsManagedPolicies[0]!.arn);
    expect(await faultOf(attach(awsManagedPolicies[10]!.arn))).toEqual({
      code: 'LimitExceededException',
      message: 'Cannot exceed quota for PoliciesPerRole: 10',
    });
    const list = await identity.call('ListAttachedRolePolicies', { RoleName: 'x', MaxItems: 7 });
    expect(list.AttachedPolicies).toHaveLength(7);
    const rest = await identity.call('ListAttachedRolePolicies', { RoleName: 'x', Marker: list.Marker });
    expect(rest.AttachedPolicies).toHaveLength(3);
    expect(
      (
        await faultOf(
          identity.call('DetachRolePolicy', { RoleName: 'x', PolicyArn: awsManagedPolicies[10]!.arn }),
        )
      ).code,
    ).toBe('NoSuchEntityException');
  });

  it('of AWS cannot be changed by anybody', async () => {
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    for (const [operation, input] of [
      ['DeletePolicy', {}],
      ['CreatePolicyVersion', { PolicyDocument: document, SetAsDefault: true }],
      ['TagPolicy', { Tags: [{ Key: 'k', Value: 'v' }] }],
    ] as const) {
      expect((await faultOf(identity.call(operation, { PolicyArn, ...input }))).code).toBe('AccessDenied');
    }
  });

  it.each(awsManagedPolicies.map((policy) => [policy.arn, policy] as const))(
    '%s is well-formed',
    (_, policy) => {
      expect(parsePolicy(policy.versions[0]!.document, 'identity').kind).toBe('policy');
      expect(policy.arn).toBe(`arn:aws:iam::aws:policy${policy.path}${policy.name}`);
    },
  );

  it('do not mix with those of the same name under AWS', async () => {
    const { Arn } = await create('IAMFullAccess');
    await identity.call('CreateUser', { UserName: 'x' });
    await identity.call('AttachUserPolicy', {
      UserName: 'x',
      PolicyArn: 'arn:aws:iam::aws:policy/IAMFullAccess',
    });
    await identity.call('DeletePolicy', { PolicyArn: Arn });
  });
});

describe('entities of a policy', () => {
  it('are listed by kind and use', async () => {
    const { Arn: PolicyArn } = await create('p');
    await identity.call('CreateUser', { UserName: 'u', PermissionsBoundary: PolicyArn });
    await identity.call('CreateGroup', { GroupName: 'g' });
    await identity.call('CreateRole', { RoleName: 'r', AssumeRolePolicyDocument: trust(management) });
    await identity.call('AttachUserPolicy', { UserName: 'u', PolicyArn });
    await identity.call('AttachGroupPolicy', { GroupName: 'g', PolicyArn });
    await identity.call('AttachRolePolicy', { RoleName: 'r', PolicyArn });
    const list = async (input: object) => {
      const page = await identity.call('ListEntitiesForPolicy', { PolicyArn, ...input });
      return [page.PolicyUsers.length, page.PolicyGroups.length, page.PolicyRoles.length] as const;
    };
    expect(await list({})).toEqual([1, 1, 1]);
    expect(await list({ EntityFilter: 'Group' })).toEqual([0, 1, 0]);
    expect(await list({ PolicyUsageFilter: 'PermissionsBoundary' })).toEqual([1, 0, 0]);
    expect(await list({ PolicyUsageFilter: 'PermissionsPolicy' })).toEqual([1, 1, 1]);
    expect(await list({ EntityFilter: 'Role', PolicyUsageFilter: 'PermissionsBoundary' })).toEqual([0, 0, 0]);
    expect((await identity.call('GetPolicy', { PolicyArn })).Policy.AttachmentCount).toBe(3);
  });
});
