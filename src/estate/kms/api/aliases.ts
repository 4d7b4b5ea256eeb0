import type {
  AliasListEntry,
  CreateAliasRequest,
  DeleteAliasRequest,
  ListAliasesRequest,
  ListAliasesResponse,
  UpdateAliasRequest,
} from '@aws-sdk/client-kms';
import { AwsFault } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { aliasNotFound, keyNotFound, limitExceeded, validationError } from '../faults.ts';
import {
  aliasArn,
  aliasesOf,
  deleteAlias,
  documentKeys,
  keyArn,
  readAlias,
  writeAlias,
  type AliasDocument,
  type KeyDocument,
} from '../key-documents.ts';
import { keyNamed, parseKeyId } from '../key-names.ts';
import { needOnAlias, needOnNamed, needOnNone } from '../key-needs.ts';
import { checkNotPending } from '../key-states.ts';
import { noteKey, nothing, type KmsOperation, type Nothing } from '../operation.ts';
import { pageOfDocuments, pageOfList } from '../paging.ts';

/** "Resource quotas": aliases of one key. */
const aliasesPerKey = 50;

/** Names of AWS managed keys are not the account's to give or take. */
function checkName(name: string): string {
  if (!name.startsWith('alias/')) {
    throw validationError(
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  }
  if (!/^alias\/[a-zA-Z0-9/_-]+$/u.test(name) || name.startsWith('alias/aws/')) {
    throw new AwsFault(
      'InvalidAliasNameException',
      `${name} is not the name of an alias: after alias/ stand letters, digits, /, _ and -, and not aws/.`,
    );
  }
  return name;
}

/** An alias and its key are of one account and region. */
async function targetKey(view: StateView, keyId: string, call: Call): Promise<KeyDocument> {
  return checkNotPending(await keyNamed(view, parseKeyId(keyId, call), call.region));
}

async function checkRoom(view: StateView, key: KeyDocument): Promise<void> {
  if ((await aliasesOf(view, key)).length >= aliasesPerKey) {
    throw limitExceeded(`A key takes ${aliasesPerKey} aliases.`);
  }
}

const isSymmetric = ({ spec }: KeyDocument): boolean => spec === 'SYMMETRIC_DEFAULT';

/** The needs on an alias that is there: on itself, and on the key that it names now. */
async function needsOnAlias(
  view: StateView,
  call: Call,
  action: string,
  name: string,
): Promise<readonly Need[]> {
  const alias = await readAlias(view, call, name);
  const own = needOnAlias(call, action, name);
  return alias ? [own, await needOnNamed(view, call, alias.keyId, { action })] : [own];
}

export const CreateAlias: KmsOperation<CreateAliasRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [
    needOnAlias(call, 'CreateAlias', input.AliasName),
    await needOnNamed(view, call, input.TargetKeyId, { action: 'CreateAlias' }),
  ],
  async handle(input, call, change) {
    const name = checkName(input.AliasName);
    const key = await targetKey(change, input.TargetKeyId, call);
    if (await readAlias(change, call, name)) {
      const text = `An alias with the name ${aliasArn(call, name)} already exists`;
      throw new AwsFault('AlreadyExistsException', text);
    }
    await checkRoom(change, key);
    writeAlias(change, call, { name, keyId: key.id, createdAt: call.time, updatedAt: call.time });
    return nothing;
  },
};

export const UpdateAlias: KmsOperation<UpdateAliasRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [
    ...(await needsOnAlias(view, call, 'UpdateAlias', input.AliasName)),
    await needOnNamed(view, call, input.TargetKeyId, { action: 'UpdateAlias' }),
  ],
  async handle(input, call, change) {
    const name = checkName(input.AliasName);
    const alias = await readAlias(change, call, name);
    if (!alias) throw aliasNotFound(aliasArn(call, name));
    const key = await targetKey(change, input.TargetKeyId, call);
    const { accountId, region } = call;
    const old = await keyNamed(change, parseKeyId(alias.keyId, call), region);
    if (old.usage !== key.usage || isSymmetric(old) !== isSymmetric(key)) {
      throw validationError(`The alias ${name} takes a key of the same type and usage as the one it has.`);
    }
    if (old.id !== key.id) await checkRoom(change, key);
    deleteAlias(change, { accountId, region, id: alias.keyId }, name);
    writeAlias(change, call, { ...alias, keyId: key.id, updatedAt: call.time });
    return nothing;
  },
};

export const DeleteAlias: KmsOperation<DeleteAliasRequest, Nothing> = {
  access: 'write',
  needs: (input, call, view) => needsOnAlias(view, call, 'DeleteAlias', input.AliasName),
  async handle(input, call, change) {
    const name = checkName(input.AliasName);
    const alias = await readAlias(change, call, name);
    if (!alias) throw aliasNotFound(aliasArn(call, name));
    const { accountId, region } = call;
    const key = { accountId, region, id: alias.keyId };
    deleteAlias(change, key, name);
    noteKey(input, keyArn(key));
    return nothing;
  },
};

function aliasShown(call: Call, alias: AliasDocument): AliasListEntry {
  return {
    AliasName: alias.name,
    AliasArn: aliasArn(call, alias.name),
    TargetKeyId: alias.keyId,
    CreationDate: new Date(alias.createdAt),
    LastUpdatedDate: new Date(alias.updatedAt),
  };
}

export const ListAliases: KmsOperation<ListAliasesRequest, ListAliasesResponse> = {
  access: 'read',
  needs: (_, call) => [needOnNone(call, 'ListAliases')],
  async handle(input, call, change) {
    if (input.KeyId === undefined) {
      const page = await pageOfDocuments<AliasDocument>(change, documentKeys.aliases(call), input, 50);
      return { Aliases: page.items.map(({ value }) => aliasShown(call, value)), ...page.answer };
    }
    const name = parseKeyId(input.KeyId, call);
    // ListAliases does not work across accounts, whoever the key may let in.
    if (name.accountId !== call.accountId) throw keyNotFound(name.arn);
    const key = await keyNamed(change, name, call.region);
    const { items, answer } = pageOfList(await aliasesOf(change, key), input, 50);
    const aliases = await Promise.all(items.map((name) => readAlias(change, call, name)));
    return { Aliases: aliases.flatMap((alias) => (alias ? [aliasShown(call, alias)] : [])), ...answer };
  },
};
