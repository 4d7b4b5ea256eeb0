import type {
  CreateAccountAliasRequest,
  DeleteAccountAliasRequest,
  GetAccountSummaryResponse,
  ListAccountAliasesRequest,
  ListAccountAliasesResponse,
  SummaryKeyType,
} from '@aws-sdk/client-iam';
import { AwsFault } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { keys, read, type AccountDocument, type PolicyDocument } from '../documents.ts';
import { validationError } from '../faults.ts';
import { onEverything } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';
import { quotas } from '../quotas.ts';

async function readAccount(view: StateView, call: Call): Promise<AccountDocument> {
  const account = await read<AccountDocument>(view, keys.account(call.accountId));
  if (!account) throw new Error(`account ${call.accountId} has credentials and no document`);
  return account;
}

function checkAlias(alias: string): void {
  const isAlias = /^(?!\d{12}$)[a-z0-9](?:-?[a-z0-9])*$/.test(alias);
  if (!isAlias || alias.length < 3 || alias.length > 63) {
    throw validationError(
      'The account alias must be 3 to 63 lower-case letters, digits and single hyphens, neither begin nor end with a hyphen, and not be an account id.',
    );
  }
}

export const CreateAccountAlias: IdentityOperation<CreateAccountAliasRequest, Nothing> = {
  access: 'write',
  needs: () => onEverything('iam:CreateAccountAlias'),
  async handle(input, call, change) {
    const { AccountAlias: alias } = input;
    checkAlias(alias);
    const account = await readAccount(change, call);
    if (account.alias === alias) return nothing;
    if (await change.get(keys.alias(alias))) {
      throw new AwsFault('EntityAlreadyExistsException', `The account alias ${alias} already exists.`);
    }
    if (account.alias !== undefined) change.delete(keys.alias(account.alias));
    change.put(keys.alias(alias), { accountId: account.accountId });
    change.put(keys.account(account.accountId), { ...account, alias });
    return nothing;
  },
};

export const DeleteAccountAlias: IdentityOperation<DeleteAccountAliasRequest, Nothing> = {
  access: 'write',
  needs: () => onEverything('iam:DeleteAccountAlias'),
  async handle(input, call, change) {
    const { alias, ...account } = await readAccount(change, call);
    if (alias !== input.AccountAlias) {
      throw new AwsFault(
        'NoSuchEntityException',
        `The account alias ${input.AccountAlias} is not this account's.`,
      );
    }
    change.delete(keys.alias(alias));
    change.put(keys.account(account.accountId), account);
    return nothing;
  },
};

export const ListAccountAliases: IdentityOperation<ListAccountAliasesRequest, ListAccountAliasesResponse> = {
  access: 'read',
  needs: () => onEverything('iam:ListAccountAliases'),
  async handle(_input, call, change) {
    const { alias } = await readAccount(change, call);
    return { AccountAliases: alias === undefined ? [] : [alias], IsTruncated: false };
  },
};

/** What there is in the account, and the quotas, under the names of GetAccountSummary. */
export const GetAccountSummary: IdentityOperation<Nothing, GetAccountSummaryResponse> = {
  access: 'read',
  needs: () => onEverything('iam:GetAccountSummary'),
  async handle(_input, call, change) {
    const { accountId } = call;
    const count = (prefix: string) => change.count(prefix);
    const policies = await change.list<PolicyDocument>(keys.policy(accountId));
    const account = await readAccount(change, call);
    const summary: Partial<Record<SummaryKeyType, number>> = {
      Users: await count(keys.user(accountId)),
      UsersQuota: quotas.UsersPerAccount,
      Groups: await count(keys.group(accountId)),
      GroupsQuota: quotas.GroupsPerAccount,
      Roles: await count(keys.role(accountId)),
      RolesQuota: quotas.RolesPerAccount,
      InstanceProfiles: await count(keys.instanceProfile(accountId)),
      InstanceProfilesQuota: quotas.InstanceProfilesPerAccount,
      Policies: policies.length,
      PoliciesQuota: quotas.PoliciesPerAccount,
      PolicyVersionsInUse: policies.reduce((sum, { value }) => sum + value.versions.length, 0),
      PolicySizeQuota: quotas.PolicySize,
      VersionsPerPolicyQuota: quotas.PolicyVersionsPerPolicy,
      AccessKeysPerUserQuota: quotas.AccessKeysPerUser,
      GroupsPerUserQuota: quotas.GroupsPerUser,
      AttachedPoliciesPerUserQuota: quotas.PoliciesPerUser,
      AttachedPoliciesPerGroupQuota: quotas.PoliciesPerGroup,
      AttachedPoliciesPerRoleQuota: quotas.PoliciesPerRole,
      UserPolicySizeQuota: quotas.UserPolicySize,
      GroupPolicySizeQuota: quotas.GroupPolicySize,
      RolePolicySizeQuota: quotas.RolePolicySize,
      AssumeRolePolicySizeQuota: quotas.ACLSizePerRole,
      AccountAccessKeysPresent: account.accessKeyIds.length > 0 ? 1 : 0,
      AccountMFAEnabled: 0,
      AccountPasswordPresent: 0,
      AccountSigningCertificatesPresent: 0,
      MFADevices: 0,
      MFADevicesInUse: 0,
      Providers: 0,
      ServerCertificates: 0,
    };
    return { SummaryMap: summary };
  },
};
