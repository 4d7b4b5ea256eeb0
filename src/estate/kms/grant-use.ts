import type { StateView } from '../../state/index.ts';
import type { Call, Need } from '../../wire/index.ts';
import { grantsTo, policyFor, type GrantConstraint, type GrantDocument } from './grant-documents.ts';
import type { KeyDocument } from './key-documents.ts';

type Context = Readonly<Record<string, string>>;

/** What a call does that a grant may allow. */
export interface GrantedUse {
  /** As grants name operations, such as `ReEncryptFrom`. */
  readonly operation: string;
  /** The encryption context of the request; absent for operations that have none, which constraints do not bind. */
  readonly context?: Context | undefined;
  /** What a grant must allow beyond the operation. */
  readonly allows?: (grant: GrantDocument) => boolean;
}

/** "In a grant constraint, the key in each key-value pair is not case sensitive, but the value is" ("GrantConstraints"). */
const folded = (context: Context): ReadonlyMap<string, string> =>
  new Map(Object.entries(context).map(([name, value]) => [name.toLowerCase(), value]));

function includes(context: ReadonlyMap<string, string>, pairs: ReadonlyMap<string, string>): boolean {
  return [...pairs].every(([name, value]) => context.get(name) === value);
}

function holds({ kind, context: pairs }: GrantConstraint, context: Context): boolean {
  const [given, wanted] = [folded(context), folded(pairs)];
  if (!includes(given, wanted)) return false;
  // Names that differ by their case alone would fall together: then there are more pairs than the constraint has.
  return kind === 'EncryptionContextSubset' || Object.keys(context).length === Object.keys(pairs).length;
}

function allows(grant: GrantDocument, { operation, context, allows: more }: GrantedUse): boolean {
  if (!grant.operations.includes(operation)) return false;
  if (context && !grant.constraints.every((constraint) => holds(constraint, context))) return false;
  return more?.(grant) ?? true;
}

/** Whether a constraint leaves no more than another one does ("Granting CreateGrant permission"). */
function isAsStrict(child: GrantConstraint, parent: GrantConstraint): boolean {
  if (!includes(folded(child.context), folded(parent.context))) return false;
  return (
    parent.kind === 'EncryptionContextSubset' ||
    (child.kind === 'EncryptionContextEquals' && holds(parent, child.context))
  );
}

/** Whether a grant that allows CreateGrant lets its grantee make one like this. */
export function mayBeget(
  parent: GrantDocument,
  child: Pick<GrantDocument, 'operations' | 'constraints'>,
): boolean {
  return (
    child.operations.every((operation) => parent.operations.includes(operation)) &&
    parent.constraints.every((bound) => child.constraints.some((own) => isAsStrict(own, bound)))
  );
}

/** By which names a grant may mean the caller: unique ids, ARNs, and the account as a whole. */
function namesOf({ principal, accountId }: Call): readonly string[] {
  const account = `arn:aws:iam::${accountId}:root`;
  switch (principal.type) {
    case 'Root':
      return [account];
    case 'IAMUser':
      return [principal.principalId, principal.arn, account];
    case 'AssumedRole':
      return [principal.principalId, principal.arn, principal.role.principalId, principal.role.arn, account];
  }
}

async function firstGrant(
  view: StateView,
  key: KeyDocument,
  name: string,
  use: GrantedUse,
): Promise<GrantDocument | undefined> {
  for await (const grant of grantsTo(view, key, name)) if (allows(grant, use)) return grant;
  return undefined;
}

/** The statements of two policies in one. */
function joined(policy: string | undefined, other: string): string {
  if (policy === undefined) return other;
  const [one, two] = [policy, other].map((text) => JSON.parse(text) as { Statement: unknown });
  return JSON.stringify({ ...one, Statement: [one?.Statement ?? [], two?.Statement ?? []].flat() });
}

/**
 * The need of a call on a key with what grants allow the caller. "When authorizing access to a KMS key, grants are considered
 * along with key policies and IAM policies": a grant counts as a statement of the key's policy for its grantee, so that a deny
 * wins over it. Any grant that allows the use will do, so one for each name of the caller is enough.
 */
export async function withGrants(
  view: StateView,
  key: KeyDocument,
  call: Call,
  need: Need,
  use: GrantedUse,
): Promise<Need> {
  const found: GrantDocument[] = [];
  for (const name of namesOf(call)) {
    const grant = await firstGrant(view, key, name, use);
    if (grant) found.push(grant);
  }
  if (found.length === 0) return need;
  const granted = policyFor(
    found.map(({ grantee }) => grantee),
    [need.action],
  );
  return { ...need, resourcePolicy: joined(need.resourcePolicy, granted) };
}
