import type { StateView } from '../state/index.ts';
import type { Call } from '../wire/index.ts';
import {
  keys,
  read,
  type AttachmentKind,
  type GroupDocument,
  type InstanceProfileDocument,
  type RoleDocument,
  type TagDocument,
  type UserDocument,
} from './documents.ts';
import {
  invalidInput,
  limitExceeded,
  noSuchEntity,
  noSuchInstanceProfile,
  validationError,
} from './faults.ts';
import { quotas, type QuotaName } from './quotas.ts';

/** Reading users, groups and roles, and the checks that all of them share. */

/** Throws NoSuchEntity. */
export async function readUser(view: StateView, accountId: string, name: string): Promise<UserDocument> {
  const user = await read<UserDocument>(view, keys.user(accountId, name));
  if (!user) throw noSuchEntity('user', name);
  return user;
}

export async function readGroup(view: StateView, accountId: string, name: string): Promise<GroupDocument> {
  const group = await read<GroupDocument>(view, keys.group(accountId, name));
  if (!group) throw noSuchEntity('group', name);
  return group;
}

export async function readRole(view: StateView, accountId: string, name: string): Promise<RoleDocument> {
  const role = await read<RoleDocument>(view, keys.role(accountId, name));
  if (!role) throw noSuchEntity('role', name);
  return role;
}

export async function readInstanceProfile(
  view: StateView,
  accountId: string,
  name: string,
): Promise<InstanceProfileDocument> {
  const profile = await read<InstanceProfileDocument>(view, keys.instanceProfile(accountId, name));
  if (!profile) throw noSuchInstanceProfile(name);
  return profile;
}

/** The user that an operation means: the one named, else the caller. */
export function userNameOf(name: string | undefined, call: Call): string {
  if (name !== undefined) return name;
  if (call.principal.type === 'IAMUser') return call.principal.userName;
  throw validationError('Must specify userName when calling with non-User credentials');
}

/**
 * Checks a name. Names become parts of document keys, so nothing but these characters may ever pass, whatever has
 * been validated before.
 */
export function checkName(member: string, name: string, longest: number): void {
  if (!/^[\w+=,.@-]+$/.test(name)) {
    throw validationError(
      `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
    );
  }
  if (name.length > longest) {
    throw validationError(
      `1 validation error detected: Value '${name}' at '${member}' failed to satisfy constraint: Member must have length less than or equal to ${longest}`,
    );
  }
}

/** The path, `/` by default. Throws ValidationError. */
export function checkPath(path = '/'): string {
  if (path.length > 512 || !/^\/(?:[!-~]+\/)?$/.test(path)) {
    throw validationError(
      'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.',
    );
  }
  return path;
}

/**
 * Throws LimitExceeded when no further document fits under `prefix`. Counted outside the change, so that creations
 * side by side do not conflict; a quota may be overstepped by as many as are created at the same moment.
 */
export async function checkQuota(view: StateView, prefix: string, quota: QuotaName): Promise<void> {
  if ((await view.count(prefix)) >= quotas[quota]) throw limitExceeded(quota);
}

/** A tag as requests carry it. */
interface RequestTag {
  readonly Key: string | undefined;
  readonly Value: string | undefined;
}

/**
 * The tags after adding: keys are unique regardless of case, and a new value replaces the old one.
 * Throws InvalidInput for duplicates and reserved keys, LimitExceeded past 50.
 */
export function addTags(
  existing: readonly TagDocument[],
  added: readonly RequestTag[] | undefined = [],
): readonly TagDocument[] {
  const merged = new Map(existing.map((tag) => [tag.Key.toLowerCase(), tag]));
  const seen = new Set<string>();
  for (const { Key = '', Value = '' } of added) {
    const id = Key.toLowerCase();
    if (id.startsWith('aws:')) {
      throw invalidInput(
        `Tag keys that begin with aws: are reserved for system use and cannot be set: ${Key}`,
      );
    }
    if (seen.has(id)) {
      throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
    }
    seen.add(id);
    merged.set(id, { Key, Value });
  }
  if (merged.size > quotas.TagsPerResource) throw limitExceeded('TagsPerResource');
  return [...merged.values()];
}

/** The tags after taking away. Keys that are not there are no error. */
export function removeTags(
  existing: readonly TagDocument[],
  removed: readonly string[],
): readonly TagDocument[] {
  const gone = new Set(removed.map((key) => key.toLowerCase()));
  return existing.filter((tag) => !gone.has(tag.Key.toLowerCase()));
}

/** The instance profiles that hold a role. */
export async function profilesOfRole(
  view: StateView,
  accountId: string,
  roleName: string,
): Promise<readonly InstanceProfileDocument[]> {
  const all = await view.list<InstanceProfileDocument>(keys.instanceProfile(accountId));
  return all.map((document) => document.value).filter(({ role }) => role === roleName.toLowerCase());
}

/** The kinds of entities that hold policies. */
export type HolderKind = Extract<AttachmentKind, 'user' | 'group' | 'role'>;
