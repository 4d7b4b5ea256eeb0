import type { AccountId } from '../kernel/index.ts';
import type { StateView } from '../state/index.ts';
import type { NamedPrincipal } from './named-principals.ts';

/**
 * The documents in which identities live, and their keys. FORMAT.md describes them. Names are unique regardless of
 * case, as in IAM, so keys carry the lower-cased name and documents the name as it was given.
 *
 * Policies, tags and other things that callers name stand in arrays, not in objects keyed by those names: a policy
 * may well be called `__proto__`.
 */

/** A tag, as IAM writes it. */
export interface TagDocument {
  readonly Key: string;
  readonly Value: string;
}

/** A policy that is part of its user, group or role. `document` is the JSON text as it was given. */
export interface InlinePolicyDocument {
  readonly name: string;
  readonly document: string;
}

export interface AccountDocument {
  readonly accountId: AccountId;
  readonly name: string;
  readonly email?: string;
  /** Epoch milliseconds, here and in every `createdAt` below. */
  readonly createdAt: number;
  /** The first account, whose allowed principals see all accounts. */
  readonly management: boolean;
  readonly alias?: string;
  readonly accessKeyIds: readonly string[];
}

/** What users, groups and roles have in common. */
export interface EntityDocument {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly createdAt: number;
  readonly inlinePolicies: readonly InlinePolicyDocument[];
  /** ARNs of attached managed policies. */
  readonly attachedPolicies: readonly string[];
}

export interface UserDocument extends EntityDocument {
  readonly tags: readonly TagDocument[];
  /** ARN of the managed policy that bounds the user's permissions. */
  readonly boundary?: string;
  /** Names of its groups, lower case. */
  readonly groups: readonly string[];
  readonly accessKeyIds: readonly string[];
}

export type GroupDocument = EntityDocument;

export interface RoleDocument extends EntityDocument {
  readonly description?: string;
  readonly maxSessionSeconds: number;
  /** The trust policy, JSON text as it was given. */
  readonly trustPolicy: string;
  readonly trustedPrincipals: readonly NamedPrincipal[];
  readonly tags: readonly TagDocument[];
  readonly boundary?: string;
}

export interface PolicyVersionDocument {
  /** v1, v2, … */
  readonly id: string;
  readonly document: string;
  readonly createdAt: number;
}

/** A managed policy. */
export interface PolicyDocument {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly arn: string;
  readonly description?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly versions: readonly PolicyVersionDocument[];
  readonly defaultVersionId: string;
  /** The number that the next version gets; numbers are never used again. */
  readonly nextVersion: number;
  readonly tags: readonly TagDocument[];
}

export interface InstanceProfileDocument {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly createdAt: number;
  readonly tags: readonly TagDocument[];
  /** Name of its role, lower case. */
  readonly role?: string;
}

export interface AccessKeyDocument {
  readonly accessKeyId: string;
  readonly accountId: AccountId;
  /** The user's name in lower case; absent for a key of the account's root. */
  readonly user?: string;
  readonly status: 'Active' | 'Inactive';
  /** The secret access key, encrypted under the master key with this document's key as additional data. */
  readonly secret: string;
  readonly createdAt: number;
}

/** When an access key or a role was last used, kept apart so that use never invalidates what is cached. */
export interface LastUsedDocument {
  readonly time: number;
  readonly region: string;
  /** Endpoint prefix of the service, such as `iam`; absent for roles. */
  readonly service?: string;
}

/** What a managed policy is used by. `boundary-…` are those whose permissions it bounds. */
export type AttachmentKind = 'user' | 'group' | 'role' | 'boundary-user' | 'boundary-role';

const lower = (name: string): string => name.toLowerCase();

/** `arn:aws:iam::aws:policy/…` belongs to AWS, everything else to the account; names are unique within each. */
function policyReference(policyArn: string): string {
  const name = lower(policyArn.slice(policyArn.lastIndexOf('/') + 1));
  return `${policyArn.startsWith('arn:aws:iam::aws:policy/') ? 'aws' : 'local'}/${name}`;
}

/** The keys. Without a name they are the prefix under which all of the kind stand. */
export const keys = {
  accounts: 'iam/account/',
  account: (accountId: string) => `iam/account/${accountId}`,
  alias: (alias: string) => `iam/alias/${alias}`,
  accessKeys: 'iam/access-key/',
  accessKey: (accessKeyId: string) => `iam/access-key/${accessKeyId}`,
  lastUsed: 'iam/last-used/',
  accessKeyLastUsed: (accessKeyId: string) => `iam/last-used/${accessKeyId}`,
  roleLastUsed: (roleId: string) => `iam/last-used/${roleId}`,
  user: (accountId: string, name = '') => `iam/${accountId}/user/${lower(name)}`,
  group: (accountId: string, name = '') => `iam/${accountId}/group/${lower(name)}`,
  role: (accountId: string, name = '') => `iam/${accountId}/role/${lower(name)}`,
  policy: (accountId: string, name = '') => `iam/${accountId}/policy/${lower(name)}`,
  instanceProfile: (accountId: string, name = '') => `iam/${accountId}/instance-profile/${lower(name)}`,
  /** A user's membership of a group; the document is empty. */
  members: (accountId: string, group: string) => `iam/${accountId}/member/${lower(group)}/`,
  member: (accountId: string, group: string, user: string) =>
    `iam/${accountId}/member/${lower(group)}/${lower(user)}`,
  /** What uses a managed policy; the document is empty. */
  allAttachments: (accountId: string) => `iam/${accountId}/attachment/`,
  attachments: (accountId: string, policyArn: string) =>
    `iam/${accountId}/attachment/${policyReference(policyArn)}/`,
  attachment: (accountId: string, policyArn: string, kind: AttachmentKind, name: string) =>
    `iam/${accountId}/attachment/${policyReference(policyArn)}/${kind}/${lower(name)}`,
  /** Where a user is whose name or path was changed; by its unique id. */
  moved: (id: string) => `iam/moved/${id}`,
  credentialReport: (accountId: string) => `iam/${accountId}/credential-report`,
} as const;

/** Reads one document's value; undefined when there is none. */
export async function read<T>(view: StateView, key: string): Promise<T | undefined> {
  return (await view.get<T>(key))?.value;
}

/** The tags as a record, for authorisation. */
export function tagRecord(tags: readonly TagDocument[]): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.map((tag) => [tag.Key, tag.Value]));
}
