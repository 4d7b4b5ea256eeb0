import {
  assert,
  AwsFault,
  isAccountId,
  secretAccessKey,
  SettingError,
  type AccountId,
  type Clock,
  type Random,
} from '../kernel/index.ts';
import type { Change, State, StateView } from '../state/index.ts';
import { invalidRequest } from '../wire/index.ts';
import { newAccessKeyId } from './access-key-id.ts';
import { keys, read, type AccessKeyDocument, type AccountDocument } from './documents.ts';
import type { MasterKey } from './master-key.ts';
import { accountsQuota } from './quotas.ts';

/** An access key with its secret, as it is shown once. */
export interface NewAccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface KeyParts {
  readonly masterKey: MasterKey;
  readonly random: Random;
}

/** Puts a root access key into its own document. The account's document must name it. */
function putRootKey(
  change: Change,
  accountId: AccountId,
  key: NewAccessKey,
  createdAt: number,
  masterKey: MasterKey,
): void {
  const documentKey = keys.accessKey(key.accessKeyId);
  const document: AccessKeyDocument = {
    accessKeyId: key.accessKeyId,
    accountId,
    status: 'Active',
    secret: masterKey.sealSecret(key.secretAccessKey, documentKey),
    createdAt,
  };
  change.put(documentKey, document);
}

const newRootKey = (accountId: AccountId, random: Random): NewAccessKey => ({
  accessKeyId: newAccessKeyId('AKIA', accountId, random),
  secretAccessKey: secretAccessKey(random),
});

/** Whether the state holds secrets that are encrypted under the master key. */
export async function hasEncryptedData(view: StateView): Promise<boolean> {
  return (await view.list(keys.accessKeys, { limit: 1 })).length > 0;
}

/** An account as it is listed. */
export interface ListedAccount {
  readonly accountId: AccountId;
  readonly name: string;
  readonly email?: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly management: boolean;
  readonly alias?: string;
}

const listed = (account: AccountDocument): ListedAccount => ({
  accountId: account.accountId,
  name: account.name,
  ...(account.email === undefined ? {} : { email: account.email }),
  createdAt: new Date(account.createdAt).toISOString(),
  management: account.management,
  ...(account.alias === undefined ? {} : { alias: account.alias }),
});

/** All accounts, in the order of their ids. */
export async function listAccounts(view: StateView): Promise<readonly ListedAccount[]> {
  return (await view.list<AccountDocument>(keys.accounts)).map((document) => listed(document.value));
}

/** Whether this is the management account, whose allowed principals see all accounts. */
export async function isManagementAccount(view: StateView, accountId: string): Promise<boolean> {
  return (await read<AccountDocument>(view, keys.account(accountId)))?.management === true;
}

export interface NewAccount {
  /** Twelve digits; drawn at random when absent. */
  readonly accountId?: string;
  /** 1 to 50 characters. */
  readonly name: string;
  readonly email?: string;
}

export interface CreatedAccount {
  readonly account: ListedAccount;
  /** Shown once: the secret is never answered again. */
  readonly rootKey: NewAccessKey;
}

async function freeAccountId(change: Change, random: Random, wanted: string | undefined): Promise<AccountId> {
  if (wanted !== undefined) {
    if (!isAccountId(wanted)) throw invalidRequest(`accountId takes twelve digits, not ${wanted}`);
    if (await change.get(keys.account(wanted))) {
      throw new AwsFault('EntityAlreadyExistsException', `Account ${wanted} already exists.`, {
        status: 409,
      });
    }
    return wanted;
  }
  for (;;) {
    const drawn = random.text(12, '0123456789');
    assert(isAccountId(drawn), 'twelve digits are an account id');
    if (!(await change.get(keys.account(drawn)))) return drawn;
  }
}

/**
 * Creates a member account with a root access key. Throws ValidationException, EntityAlreadyExistsException and
 * LimitExceededException.
 * `time` is when, epoch milliseconds.
 */
export async function createAccount(
  change: Change,
  account: NewAccount,
  options: KeyParts & { readonly time: number },
): Promise<CreatedAccount> {
  const { masterKey, random, time } = options;
  if (account.name.length < 1 || account.name.length > 50) {
    throw invalidRequest('name takes 1 to 50 characters');
  }
  if ((await change.count(keys.accounts)) >= accountsQuota) {
    throw new AwsFault('LimitExceededException', `There can be up to ${accountsQuota} accounts.`, {
      status: 409,
    });
  }
  const accountId = await freeAccountId(change, random, account.accountId);
  const rootKey = newRootKey(accountId, random);
  const document: AccountDocument = {
    accountId,
    name: account.name,
    ...(account.email === undefined ? {} : { email: account.email }),
    createdAt: time,
    management: false,
    accessKeyIds: [rootKey.accessKeyId],
  };
  change.put(keys.account(accountId), document);
  putRootKey(change, accountId, rootKey, time, masterKey);
  return { account: listed(document), rootKey };
}

/** What became of the management account at the start. */
export interface ManagementAccount {
  readonly accountId: AccountId;
  /** Whether the account was created just now. */
  readonly created: boolean;
  /**
   * The root access key, for the credentials file; undefined when the root key that Cairn once made has been deleted or
   * made inactive, and the settings name none.
   */
  readonly rootKey: NewAccessKey | undefined;
}

/** Opens the first active root key, which also proves that the master key is the right one. */
async function existingRootKey(
  view: StateView,
  account: AccountDocument,
  masterKey: MasterKey,
): Promise<NewAccessKey | undefined> {
  for (const accessKeyId of account.accessKeyIds) {
    const document = await read<AccessKeyDocument>(view, keys.accessKey(accessKeyId));
    if (!document) continue;
    const secret = masterKey.openSecret(document.secret, keys.accessKey(accessKeyId));
    if (document.status === 'Active') return { accessKeyId, secretAccessKey: secret };
  }
  return undefined;
}

/** The account with the key of the settings as one of its root keys, in place of the one Cairn had made. */
async function adoptRootKey(
  change: Change,
  account: AccountDocument,
  key: NewAccessKey,
  time: number,
  masterKey: MasterKey,
): Promise<void> {
  const { accessKeyId } = key;
  const existing = await read<AccessKeyDocument>(change, keys.accessKey(accessKeyId));
  if (existing && (existing.accountId !== account.accountId || existing.user !== undefined)) {
    throw new SettingError(
      `CAIRN_ROOT_ACCESS_KEY_ID is ${accessKeyId}, which is somebody else's access key here: choose another one`,
    );
  }
  for (const other of account.accessKeyIds) {
    if (other === accessKeyId) continue;
    change.delete(keys.accessKey(other));
    change.delete(keys.accessKeyLastUsed(other));
  }
  putRootKey(change, account.accountId, key, existing?.createdAt ?? time, masterKey);
  change.put(keys.account(account.accountId), { ...account, accessKeyIds: [accessKeyId] });
}

async function isInForce(
  view: StateView,
  account: AccountDocument,
  key: NewAccessKey,
  masterKey: MasterKey,
): Promise<boolean> {
  const current = await existingRootKey(view, account, masterKey);
  return (
    account.accessKeyIds.length === 1 &&
    current?.accessKeyId === key.accessKeyId &&
    current.secretAccessKey === key.secretAccessKey
  );
}

/**
 * Makes sure that the management account is there, with its root key: at the first start it creates both; later it
 * leaves them alone, unless the settings name a root key, which then becomes the only one (the way back in when keys
 * were lost). Throws SettingError when the state was made for another management account or the key is somebody
 * else's, and MasterKeyError when the master key is not the one that the secrets were encrypted under.
 */
export async function openManagementAccount(options: {
  readonly state: State;
  readonly masterKey: MasterKey;
  readonly random: Random;
  readonly clock: Pick<Clock, 'now'>;
  readonly accountId: AccountId;
  /** From the settings. */
  readonly rootKey: NewAccessKey | undefined;
}): Promise<ManagementAccount> {
  const { state, masterKey, random, clock, accountId } = options;
  const change = state.begin();
  const accounts = (await change.list<AccountDocument>(keys.accounts)).map((document) => document.value);
  const management = accounts.find((account) => account.management);
  if (management && management.accountId !== accountId) {
    throw new SettingError(
      `this data directory belongs to account ${management.accountId}: set CAIRN_ACCOUNT_ID=${management.accountId}, or choose another directory for account ${accountId}`,
    );
  }
  const time = clock.now();
  const fresh: AccountDocument = {
    accountId,
    name: 'management',
    createdAt: time,
    management: true,
    accessKeyIds: [],
  };
  let rootKey = management ? await existingRootKey(change, management, masterKey) : undefined;
  if (!management) rootKey = options.rootKey ?? newRootKey(accountId, random);
  if (options.rootKey && management && !(await isInForce(change, management, options.rootKey, masterKey))) {
    rootKey = options.rootKey;
    await adoptRootKey(change, management, rootKey, time, masterKey);
  } else if (!management && rootKey) {
    await adoptRootKey(change, fresh, rootKey, time, masterKey);
  }
  const result = await state.commit(change, []);
  assert(result.kind === 'committed', 'nobody else changes accounts while the server starts');
  return { accountId, created: !management, rootKey };
}
