import { createHash } from 'node:crypto';
import { bindPrincipals, policyInForce, policyShown, type NamedPrincipal } from '../../identity/index.ts';
import { parsePolicy } from '../../identity/policy/index.ts';
import { AwsFault } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { KeyDocument } from './key-documents.ts';

type Key = Pick<KeyDocument, 'accountId' | 'region' | 'id'>;

/** Whom a grant names: by the unique id where one is known, as policies do. */
export interface GrantParty {
  readonly arn: string;
  readonly id?: string;
}

export interface GrantConstraint {
  /** Whether the context must have these pairs and no others, or these among others. */
  readonly kind: 'EncryptionContextEquals' | 'EncryptionContextSubset';
  readonly context: Readonly<Record<string, string>>;
}

/** A grant, under `kms/grant/ACCOUNT/REGION/KEY/ID`. */
export interface GrantDocument {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly accountId: string;
  readonly region: string;
  readonly keyId: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly name?: string;
  readonly grantee: GrantParty;
  readonly retiring?: GrantParty;
  /** Whose account the grant was made in, which may be another than the key's. */
  readonly issuerAccountId: string;
  readonly operations: readonly string[];
  readonly constraints: readonly GrantConstraint[];
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

const partyName = ({ id, arn }: GrantParty): string => id ?? arn;

/** A grant, and beside it empty documents by which it is found. */
export const grantKeys = {
  grants: ({ accountId, region, id }: Key): string => `kms/grant/${accountId}/${region}/${id}/`,
  grant: (key: Key, grantId: string): string => `${grantKeys.grants(key)}${grantId}`,
  /** `party`: unique id or ARN. */
  ofGrantee: ({ accountId, region, id }: Key, party: string): string =>
    `kms/grantee/${accountId}/${region}/${id}/${hashOf(party)}/`,
  ofRetiring: (region: string, party: string): string => `kms/retirable/${region}/${hashOf(party)}/`,
  /** By everything that the request gave; holds the grant's id. */
  same: ({ accountId, region, id }: Key, parameters: string): string =>
    `kms/grant-same/${accountId}/${region}/${id}/${hashOf(parameters)}`,
};

export const keyOfGrant = ({ accountId, region, keyId }: GrantDocument): Key => ({
  accountId,
  region,
  id: keyId,
});

/** What two requests that make the same grant have in common ("CreateGrant", Name). */
const parametersOf = ({ name, grantee, retiring, operations, constraints }: GrantDocument): string =>
  JSON.stringify([name, grantee, retiring, [...operations].toSorted(), constraints]);

const retirablePlace = (grant: GrantDocument): string => `${grant.accountId}/${grant.keyId}/${grant.id}`;

function placesOf(grant: GrantDocument): readonly (readonly [string, unknown])[] {
  const key = keyOfGrant(grant);
  const { id, retiring } = grant;
  return [
    [grantKeys.grant(key, id), grant],
    [grantKeys.ofGrantee(key, partyName(grant.grantee)) + id, {}],
    ...(retiring
      ? [[grantKeys.ofRetiring(grant.region, partyName(retiring)) + retirablePlace(grant), {}] as const]
      : []),
    ...(grant.name === undefined ? [] : [[grantKeys.same(key, parametersOf(grant)), { id }] as const]),
  ];
}

export function writeGrant(change: Change, grant: GrantDocument): void {
  for (const [key, value] of placesOf(grant)) change.put(key, value);
}

export function deleteGrant(change: Change, grant: GrantDocument): void {
  for (const [key] of placesOf(grant)) change.delete(key);
}

export async function readGrant(
  view: Pick<StateView, 'get'>,
  key: Key,
  grantId: string,
): Promise<GrantDocument | undefined> {
  if (!/^[0-9a-f]{64}$/.test(grantId)) return undefined;
  return (await view.get<GrantDocument>(grantKeys.grant(key, grantId)))?.value;
}

/** The grant that was made with the same name and parameters. */
export async function sameGrant(view: StateView, grant: GrantDocument): Promise<GrantDocument | undefined> {
  if (grant.name === undefined) return undefined;
  const key = keyOfGrant(grant);
  const found = await view.get<{ readonly id: string }>(grantKeys.same(key, parametersOf(grant)));
  return found && readGrant(view, key, found.value.id);
}

/** Grants that a party has on a key, one by one. */
export async function* grantsTo(view: StateView, key: Key, party: string): AsyncIterable<GrantDocument> {
  const prefix = grantKeys.ofGrantee(key, party);
  let after: string | undefined;
  for (;;) {
    const page = await view.list(prefix, { limit: 100, ...(after !== undefined && { after }) });
    for (const document of page) {
      const grant = await readGrant(view, key, document.key.slice(prefix.length));
      if (grant) yield grant;
    }
    after = page.at(-1)?.key;
    if (after === undefined) return;
  }
}

const statementFor = (principals: readonly string[], actions: readonly string[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: principals }, Action: actions, Resource: '*' }],
  });

/** A policy that allows parties some actions, as it is evaluated: a grant is a policy for its grantee. */
export function policyFor(parties: readonly GrantParty[], actions: readonly string[]): string {
  const named = parties.flatMap(({ arn, id }): readonly NamedPrincipal[] =>
    id === undefined ? [] : [{ arn, id }],
  );
  return policyInForce(
    statementFor(
      parties.map(({ arn }) => arn),
      actions,
    ),
    named,
  );
}

/**
 * Whom an ARN names. Throws InvalidArnException for what is no account, user, role or session, and for users and roles that
 * are not there.
 */
export async function bindParty(view: StateView, arn: string): Promise<GrantParty> {
  const invalid = () => new AwsFault('InvalidArnException', `Invalid arn ${arn}`);
  if (!/^arn:aws:(?:iam::\d{12}:(?:root|(?:user|role)\/.+)|sts::\d{12}:assumed-role\/.+\/.+)$/u.test(arn)) {
    throw invalid();
  }
  const text = statementFor([arn], ['kms:*']);
  const parsed = parsePolicy(text, 'resource');
  if (parsed.kind === 'malformed') throw invalid();
  const bound = await bindPrincipals(view, parsed.policy, text);
  if (bound.kind === 'unknown') throw invalid();
  return bound.principals[0] ?? { arn };
}

/** How a party is shown: by its ARN now, or by the unique id of somebody who is gone. */
export async function partyShown(view: StateView, { arn, id }: GrantParty): Promise<string> {
  if (id === undefined) return arn;
  const shown = await policyShown(view, statementFor([arn], ['kms:*']), [{ arn, id }]);
  const { Statement } = JSON.parse(shown) as { Statement: { Principal: { AWS: [string] } }[] };
  return Statement[0]?.Principal.AWS[0] ?? arn;
}

/** Forgets some grants of a key that is being deleted; whether there were any. */
export async function deleteSomeGrants(change: Change, key: Key): Promise<boolean> {
  const found = await change.list<GrantDocument>(grantKeys.grants(key), { limit: 1_000 });
  for (const { value } of found) deleteGrant(change, value);
  return found.length > 0;
}
