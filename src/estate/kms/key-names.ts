import { AwsFault, parseArn } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import { aliasNotFound, keyNotFound, notFound } from './faults.ts';
import { aliasArn, keyArn, readAlias, readKey, type KeyDocument } from './key-documents.ts';

/** A key as a request names it. */
export type KeyName = {
  readonly accountId: string;
  readonly region: string;
  /** The ARN that the name stands for: of the key or of the alias. */
  readonly arn: string;
} & (
  | { readonly kind: 'key'; readonly id: string }
  /** With `alias/` in front. */
  | { readonly kind: 'alias'; readonly alias: string }
);

interface Home {
  readonly accountId: string;
  readonly region: string;
}

/**
 * Understands a key id, key ARN, alias name or alias ARN; what does not say its account and region is of `home`. Throws
 * InvalidArnException for the ARN of something else.
 */
export function parseKeyName(text: string, home: Home): KeyName {
  const arn = text.startsWith('arn:') ? parseArn(text) : undefined;
  if (text.startsWith('arn:') && (arn?.service !== 'kms' || !/^(?:key|alias)\/./u.test(arn.resource))) {
    throw new AwsFault('InvalidArnException', `Invalid arn ${text}`);
  }
  const { accountId, region } = arn ?? home;
  const resource = arn?.resource ?? (text.startsWith('alias/') ? text : `key/${text}`);
  return resource.startsWith('alias/')
    ? { kind: 'alias', alias: resource, accountId, region, arn: aliasArn({ accountId, region }, resource) }
    : {
        kind: 'key',
        id: resource.slice(4),
        accountId,
        region,
        arn: keyArn({ accountId, region, id: resource.slice(4) }),
      };
}

/** As KMS makes them: a UUID, or what stands after `mrk-` for a multi-region key ("Key identifiers (KeyId)"). */
const isKeyId = (id: string): boolean =>
  /^(?:[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}|mrk-[\da-f]{32})$/u.test(id);

/** As `parseKeyName`, for operations that know no aliases. Throws NotFoundException for an alias. */
export function parseKeyId(text: string, home: Home): KeyName {
  const name = parseKeyName(text, home);
  if (name.kind === 'alias') throw notFound(`Invalid keyId '${text}'`);
  return name;
}

/** The key of a name; undefined when there is none. */
export async function findKey(view: StateView, name: KeyName): Promise<KeyDocument | undefined> {
  if (name.kind === 'key') return readKey(view, name);
  const alias = await readAlias(view, name, name.alias);
  return alias && readKey(view, { accountId: name.accountId, region: name.region, id: alias.keyId });
}

/** As `findKey`. Throws NotFoundException when there is none, or it is of another region than the call. */
export async function keyNamed(view: StateView, name: KeyName, region: string): Promise<KeyDocument> {
  if (name.region !== region) throw notFound(`Invalid arn ${name.region}`);
  const key = await findKey(view, name);
  if (key) return key;
  if (name.kind === 'key' && !isKeyId(name.id)) throw notFound(`Invalid keyId '${name.id}'`);
  throw name.kind === 'alias' ? aliasNotFound(name.arn) : keyNotFound(name.arn);
}
