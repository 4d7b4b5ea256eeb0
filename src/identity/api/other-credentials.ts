import type {
  DeleteLoginProfileRequest,
  GetLoginProfileRequest,
  ListMFADevicesRequest,
  ListMFADevicesResponse,
  ListOpenIDConnectProvidersResponse,
  ListSAMLProvidersResponse,
  ListServerCertificatesResponse,
  ListServiceSpecificCredentialsRequest,
  ListServiceSpecificCredentialsResponse,
  ListSigningCertificatesRequest,
  ListSigningCertificatesResponse,
  ListSSHPublicKeysRequest,
  ListSSHPublicKeysResponse,
  ListVirtualMFADevicesResponse,
} from '@aws-sdk/client-iam';
import { AwsFault } from '../../kernel/index.ts';
import type { Change } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { readUser, userNameOf } from '../entities.ts';
import { onEverything, onUser } from '../needs.ts';
import type { IdentityOperation, Nothing } from '../operation.ts';

/**
 * Credentials and providers that cannot exist here, because nothing can create them: console passwords, MFA devices, SSH
 * keys, certificates, identity providers. Whoever audits an account or removes a user asks for them, and the truthful
 * answer is that there are none. Creating one is an absent operation, and says so.
 */

/** Throws NoSuchEntity when there is no such user; a call without a name means the caller, who may be root. */
async function checkUser(name: string | undefined, call: Call, change: Change): Promise<void> {
  if (name === undefined && call.principal.type === 'Root') return;
  await readUser(change, call.accountId, userNameOf(name, call));
}

async function noLoginProfile(name: string | undefined, call: Call, change: Change): Promise<never> {
  await checkUser(name, call, change);
  throw new AwsFault(
    'NoSuchEntityException',
    `Login Profile for User ${name ?? call.accountId} cannot be found.`,
  );
}

export const GetLoginProfile: IdentityOperation<GetLoginProfileRequest, never> = {
  access: 'read',
  needs: (input, call, view) => onUser('iam:GetLoginProfile', input.UserName, call, view),
  handle: (input, call, change) => noLoginProfile(input.UserName, call, change),
};

export const DeleteLoginProfile: IdentityOperation<DeleteLoginProfileRequest, never> = {
  access: 'write',
  needs: (input, call, view) => onUser('iam:DeleteLoginProfile', input.UserName, call, view),
  handle: (input, call, change) => noLoginProfile(input.UserName, call, change),
};

/** Nothing here has a password, so no account has a policy for them. */
export const GetAccountPasswordPolicy: IdentityOperation<Nothing, never> = {
  access: 'read',
  needs: () => onEverything('iam:GetAccountPasswordPolicy'),
  handle: (_input, { accountId }) =>
    Promise.reject(
      new AwsFault(
        'NoSuchEntityException',
        `The Password Policy with domain name ${accountId} cannot be found.`,
      ),
    ),
};

export const ListMFADevices: IdentityOperation<ListMFADevicesRequest, ListMFADevicesResponse> = {
  access: 'read',
  needs: (input, call, view) => onUser('iam:ListMFADevices', input.UserName, call, view),
  async handle(input, call, change) {
    await checkUser(input.UserName, call, change);
    return { MFADevices: [], IsTruncated: false };
  },
};

export const ListVirtualMFADevices: IdentityOperation<Nothing, ListVirtualMFADevicesResponse> = {
  access: 'read',
  needs: () => onEverything('iam:ListVirtualMFADevices'),
  handle: () => Promise.resolve({ VirtualMFADevices: [], IsTruncated: false }),
};

export const ListSSHPublicKeys: IdentityOperation<ListSSHPublicKeysRequest, ListSSHPublicKeysResponse> = {
  access: 'read',
  needs: (input, call, view) => onUser('iam:ListSSHPublicKeys', input.UserName, call, view),
  async handle(input, call, change) {
    await checkUser(input.UserName, call, change);
    return { SSHPublicKeys: [], IsTruncated: false };
  },
};

export const ListSigningCertificates: IdentityOperation<
  ListSigningCertificatesRequest,
  ListSigningCertificatesResponse
> = {
  access: 'read',
  needs: (input, call, view) => onUser('iam:ListSigningCertificates', input.UserName, call, view),
  async handle(input, call, change) {
    await checkUser(input.UserName, call, change);
    return { Certificates: [], IsTruncated: false };
  },
};

export const ListServiceSpecificCredentials: IdentityOperation<
  ListServiceSpecificCredentialsRequest,
  ListServiceSpecificCredentialsResponse
> = {
  access: 'read',
  needs: (input, call, view) => onUser('iam:ListServiceSpecificCredentials', input.UserName, call, view),
  async handle(input, call, change) {
    if (input.AllUsers !== true) await checkUser(input.UserName, call, change);
    return { ServiceSpecificCredentials: [], IsTruncated: false };
  },
};

export const ListSAMLProviders: IdentityOperation<Nothing, ListSAMLProvidersResponse> = {
  access: 'read',
  needs: () => onEverything('iam:ListSAMLProviders'),
  handle: () => Promise.resolve({ SAMLProviderList: [] }),
};

export const ListOpenIDConnectProviders: IdentityOperation<Nothing, ListOpenIDConnectProvidersResponse> = {
  access: 'read',
  needs: () => onEverything('iam:ListOpenIDConnectProviders'),
  handle: () => Promise.resolve({ OpenIDConnectProviderList: [] }),
};

export const ListServerCertificates: IdentityOperation<Nothing, ListServerCertificatesResponse> = {
  access: 'read',
  needs: () => onEverything('iam:ListServerCertificates'),
  handle: () => Promise.resolve({ ServerCertificateMetadataList: [], IsTruncated: false }),
};
