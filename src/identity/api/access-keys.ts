import type {
  AccessKey,
  AccessKeyMetadata,
  CreateAccessKeyRequest,
  CreateAccessKeyResponse,
  DeleteAccessKeyRequest,
  GetAccessKeyLastUsedRequest,
  GetAccessKeyLastUsedResponse,
  ListAccessKeysRequest,
  ListAccessKeysResponse,
  UpdateAccessKeyRequest,
} from '@aws-sdk/client-iam';
import { secretAccessKey, type AwsFault } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { newAccessKeyId } from '../access-key-id.ts';
import {
  keys,
  read,
  type AccessKeyDocument,
  type AccountDocument,
  type LastUsedDocument,
  type UserDocument,
} from '../documents.ts';
import { readUser, userNameOf } from '../entities.ts';
import { accessDenied, limitExceeded, noSuchAccessKey, validationError } from '../faults.ts';
import { onEverything, onUser } from '../needs.ts';
import { nothing, type IdentityOperation, type Nothing } from '../operation.ts';
import { pageAnswer, pageOfList } from '../paging.ts';
import { quotas } from '../quotas.ts';
import { shownTime } from '../shown.ts';

/** Whose access keys an operation works on: a user's, or those of the account's root. */
type KeyOwner =
  | { readonly kind: 'user'; readonly key: string; readonly document: UserDocument }
  | { readonly kind: 'root'; readonly key: string; readonly document: AccountDocument };

async function readOwner(view: StateView, call: Call, userName: string | undefined): Promise<KeyOwner> {
  const { accountId, principal } = call;
  if (userName === undefined && principal.type === 'Root') {
    const key = keys.account(accountId);
    const document = await read<AccountDocument>(view, key);
    if (!document) throw validationError(`The account ${accountId} does not exist.`);
    return { kind: 'root', key, document };
  }
  const document = await readUser(view, accountId, userNameOf(userName, call));
  return { kind: 'user', key: keys.user(accountId, document.name), document };
}

/** The owner's access key. Throws NoSuchEntity for anybody else's. */
async function readOwned(
  view: StateView,
  call: Call,
  input: { readonly UserName?: string | undefined; readonly AccessKeyId: string },
): Promise<{ readonly owner: KeyOwner; readonly accessKey: AccessKeyDocument }> {
  const owner = await readOwner(view, call, input.UserName);
  const isOwned = owner.document.accessKeyIds.includes(input.AccessKeyId);
  const accessKey = isOwned
    ? await read<AccessKeyDocument>(view, keys.accessKey(input.AccessKeyId))
    : undefined;
  if (!accessKey) throw noSuchAccessKey(input.AccessKeyId);
  return { owner, accessKey };
}

const ownerName = (owner: KeyOwner): string | undefined =>
  owner.kind === 'user' ? owner.document.name : undefined;

export const CreateAccessKey: IdentityOperation<CreateAccessKeyRequest, CreateAccessKeyResponse> = {
  access: 'write',
  needs: (input, call, view) => onUser('iam:CreateAccessKey', input.UserName, call, view),
  async handle(input, call, change, { random, masterKey }) {
    const owner = await readOwner(change, call, input.UserName);
    if (owner.document.accessKeyIds.length >= quotas.AccessKeysPerUser) {
      throw limitExceeded('AccessKeysPerUser');
    }
    const accessKeyId = newAccessKeyId('AKIA', call.accountId, random);
    const key = keys.accessKey(accessKeyId);
    if (await change.get(key)) throw new Error(`access key id ${accessKeyId} was drawn twice`);
    const secret = secretAccessKey(random);
    const accessKey: AccessKeyDocument = {
      accessKeyId,
      accountId: call.accountId,
      ...(owner.kind === 'user' ? { user: owner.document.name.toLowerCase() } : {}),
      status: 'Active',
      secret: masterKey.sealSecret(secret, key),
      createdAt: call.time,
    };
    change.put(key, accessKey);
    change.put(owner.key, {
      ...owner.document,
      accessKeyIds: [...owner.document.accessKeyIds, accessKeyId],
    });
    const shown: AccessKey = {
      UserName: ownerName(owner),
      AccessKeyId: accessKeyId,
      Status: 'Active',
      SecretAccessKey: secret,
      CreateDate: shownTime(call.time),
    };
    return { AccessKey: shown };
  },
};

export const ListAccessKeys: IdentityOperation<ListAccessKeysRequest, ListAccessKeysResponse> = {
  access: 'read',
  needs: (input, call, view) => onUser('iam:ListAccessKeys', input.UserName, call, view),
  async handle(input, call, change) {
    const owner = await readOwner(change, call, input.UserName);
    const page = pageOfList(owner.document.accessKeyIds, input, (id) => id);
    const shown: AccessKeyMetadata[] = [];
    for (const id of page.items) {
      const accessKey = await read<AccessKeyDocument>(change, keys.accessKey(id));
      if (!accessKey) continue;
      shown.push({
        UserName: ownerName(owner),
        AccessKeyId: id,
        Status: accessKey.status,
        CreateDate: shownTime(accessKey.createdAt),
      });
    }
    return { AccessKeyMetadata: shown, ...pageAnswer(page) };
  },
};

export const UpdateAccessKey: IdentityOperation<UpdateAccessKeyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onUser('iam:UpdateAccessKey', input.UserName, call, view),
  async handle(input, call, change) {
    const status = input.Status;
    if (status !== 'Active' && status !== 'Inactive') {
      throw validationError(`An access key can be made Active or Inactive, not ${status}.`);
    }
    const { accessKey } = await readOwned(change, call, input);
    change.put(keys.accessKey(accessKey.accessKeyId), { ...accessKey, status });
    return nothing;
  },
};

/** Takes an access key away, together with what is known of its use. */
function removeKey(change: Change, owner: KeyOwner, accessKeyId: string): void {
  change.delete(keys.accessKey(accessKeyId));
  change.delete(keys.accessKeyLastUsed(accessKeyId));
  change.put(owner.key, {
    ...owner.document,
    accessKeyIds: owner.document.accessKeyIds.filter((id) => id !== accessKeyId),
  });
}

export const DeleteAccessKey: IdentityOperation<DeleteAccessKeyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => onUser('iam:DeleteAccessKey', input.UserName, call, view),
  async handle(input, call, change) {
    const { owner, accessKey } = await readOwned(change, call, input);
    removeKey(change, owner, accessKey.accessKeyId);
    return nothing;
  },
};

/** The key, if it belongs to a user of the caller's account. */
async function readUsersKey(
  view: StateView,
  call: Call,
  accessKeyId: string,
): Promise<AccessKeyDocument | undefined> {
  const accessKey = await read<AccessKeyDocument>(view, keys.accessKey(accessKeyId));
  return accessKey?.accountId === call.accountId ? accessKey : undefined;
}

/** IAM tells nobody whether a key exists that is not of the caller's account. */
const notTheirs = ({ principal }: Call, accessKeyId: string): AwsFault =>
  accessDenied(
    `User: ${principal.arn} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key ${accessKeyId}`,
  );

export const GetAccessKeyLastUsed: IdentityOperation<
  GetAccessKeyLastUsedRequest,
  GetAccessKeyLastUsedResponse
> = {
  access: 'read',
  async needs(input, call, view) {
    const accessKey = await readUsersKey(view, call, input.AccessKeyId);
    return accessKey?.user === undefined
      ? onEverything('iam:GetAccessKeyLastUsed')
      : onUser('iam:GetAccessKeyLastUsed', accessKey.user, call, view);
  },
  async handle(input, call, change) {
    const accessKey = await readUsersKey(change, call, input.AccessKeyId);
    if (!accessKey) throw notTheirs(call, input.AccessKeyId);
    const used = await read<LastUsedDocument>(change, keys.accessKeyLastUsed(input.AccessKeyId));
    const user =
      accessKey.user === undefined ? undefined : await readUser(change, call.accountId, accessKey.user);
    return {
      ...(user ? { UserName: user.name } : {}),
      AccessKeyLastUsed: {
        ...(used ? { LastUsedDate: shownTime(used.time) } : {}),
        ServiceName: used?.service ?? 'N/A',
        Region: used?.region ?? 'N/A',
      },
    };
  },
};
