import type { AttachedPermissionsBoundary, PermissionsBoundaryAttachmentType } from '@aws-sdk/client-iam';
import { AwsFault, parseArn } from '../kernel/index.ts';
import type { Change, StateView } from '../state/index.ts';
import { awsManagedPolicy } from './aws-managed-policies.ts';
import { keys, read, type AttachmentKind, type EntityDocument, type PolicyDocument } from './documents.ts';
import type { HolderKind } from './entities.ts';
import { accessDenied, invalidInput } from './faults.ts';

/** Managed policies, and what they are attached to. */

/** A managed policy of the account, or of AWS; undefined when there is none of this ARN. */
export async function findPolicy(
  view: StateView,
  accountId: string,
  policyArn: string,
): Promise<PolicyDocument | undefined> {
  const arn = parseArn(policyArn);
  if (arn?.service !== 'iam' || !arn.resource.startsWith('policy/')) {
    throw invalidInput(`ARN ${policyArn} is not valid.`);
  }
  if (arn.accountId === 'aws') return awsManagedPolicy(policyArn);
  if (arn.accountId !== accountId) return undefined;
  const name = arn.resource.slice(arn.resource.lastIndexOf('/') + 1);
  const policy = await read<PolicyDocument>(view, keys.policy(accountId, name));
  return policy?.arn === policyArn ? policy : undefined;
}

/** As `findPolicy`. Throws NoSuchEntity where there is none. */
export async function readPolicy(view: StateView, accountId: string, arn: string): Promise<PolicyDocument> {
  const policy = await findPolicy(view, accountId, arn);
  if (!policy) throw new AwsFault('NoSuchEntityException', `Policy ${arn} was not found.`);
  return policy;
}

/** A policy that the account may change. Throws NoSuchEntity, and AccessDenied for AWS's own. */
export async function readOwnPolicy(
  view: StateView,
  accountId: string,
  arn: string,
): Promise<PolicyDocument> {
  const policy = await readPolicy(view, accountId, arn);
  if (arn.startsWith('arn:aws:iam::aws:')) {
    throw accessDenied(`Policy ${arn} is managed by AWS and cannot be changed.`);
  }
  return policy;
}

/** The policy's text in force. */
export function defaultDocument(policy: PolicyDocument): string {
  return policy.versions.find((version) => version.id === policy.defaultVersionId)?.document ?? '';
}

/** The policy that a request wants to attach. Throws NoSuchEntity. */
export async function attachablePolicy(
  view: StateView,
  accountId: string,
  policyArn: string,
): Promise<PolicyDocument> {
  const policy = await findPolicy(view, accountId, policyArn);
  if (policy) return policy;
  throw new AwsFault('NoSuchEntityException', `Policy ${policyArn} does not exist or is not attachable.`);
}

type BoundaryKind = Extract<AttachmentKind, 'boundary-user' | 'boundary-role'>;

/**
 * Makes a managed policy the boundary of a user or role; nothing without an ARN. Returns the document's member.
 * Throws NoSuchEntity.
 */
export async function attachBoundary(
  change: Change,
  accountId: string,
  kind: BoundaryKind,
  name: string,
  boundary: string | undefined,
): Promise<{ readonly boundary?: string }> {
  if (boundary === undefined) return {};
  if (!(await findPolicy(change, accountId, boundary))) {
    throw new AwsFault(
      'NoSuchEntityException',
      `Scope ARN: ${boundary} does not exist or is not attachable.`,
    );
  }
  change.put(keys.attachment(accountId, boundary, kind, name), {});
  return { boundary };
}

/** Forgets that the boundary's policy is used by this user or role. */
export function releaseBoundary(
  change: Change,
  accountId: string,
  kind: BoundaryKind,
  entity: { readonly name: string; readonly boundary?: string },
): void {
  if (entity.boundary !== undefined) {
    change.delete(keys.attachment(accountId, entity.boundary, kind, entity.name));
  }
}

const boundaryType = 'Policy' as PermissionsBoundaryAttachmentType;

/**
 * The boundary as users and roles show it. Its type "can only have a value of Policy" (AttachedPermissionsBoundary in the
 * API reference, and records of real accounts); the model's one value is another word, which AWS never sends.
 */
export function boundaryShown(boundary: string | undefined): {
  readonly PermissionsBoundary?: AttachedPermissionsBoundary;
} {
  if (boundary === undefined) return {};
  return {
    PermissionsBoundary: {
      PermissionsBoundaryType: boundaryType,
      PermissionsBoundaryArn: boundary,
    },
  };
}

/** Notes the policies of a user or group under its new name. */
export function moveAttachments(
  change: Change,
  accountId: string,
  kind: Extract<HolderKind, 'user' | 'group'>,
  entity: EntityDocument & { readonly boundary?: string },
  newName: string,
): void {
  for (const arn of entity.attachedPolicies) {
    change.delete(keys.attachment(accountId, arn, kind, entity.name));
    change.put(keys.attachment(accountId, arn, kind, newName), {});
  }
  if (entity.boundary !== undefined && kind === 'user') {
    change.delete(keys.attachment(accountId, entity.boundary, 'boundary-user', entity.name));
    change.put(keys.attachment(accountId, entity.boundary, 'boundary-user', newName), {});
  }
}

/** How often managed policies are used. */
export interface AttachmentCounts {
  of(policyArn: string): { readonly AttachmentCount: number; readonly PermissionsBoundaryUsageCount: number };
}

/** Counts the uses of one policy, or of all. */
export async function attachmentCounts(
  view: StateView,
  accountId: string,
  policyArn?: string,
): Promise<AttachmentCounts> {
  const prefix =
    policyArn === undefined ? keys.allAttachments(accountId) : keys.attachments(accountId, policyArn);
  const attached = new Map<string, number>();
  const bounding = new Map<string, number>();
  for (const { key } of await view.list(prefix)) {
    const [kindAndName] = /[^/]+\/[^/]+$/.exec(key) ?? [''];
    const uses = kindAndName.startsWith('boundary-') ? bounding : attached;
    const policy = key.slice(0, -kindAndName.length);
    uses.set(policy, (uses.get(policy) ?? 0) + 1);
  }
  return {
    of(arn) {
      const policy = keys.attachments(accountId, arn);
      return {
        AttachmentCount: attached.get(policy) ?? 0,
        PermissionsBoundaryUsageCount: bounding.get(policy) ?? 0,
      };
    },
  };
}
