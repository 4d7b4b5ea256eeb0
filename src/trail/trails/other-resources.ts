import type { Tag } from '@aws-sdk/client-cloudtrail';
import { policyInForce, type NamedPrincipal } from '../../identity/index.ts';
import type { AwsFault } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { Need } from '../../wire/index.ts';

/** A kind of resource of CloudTrail beside trails, which the operations on tags and resource policies also know. */
export interface OtherResource {
  /** The tags of the resource; undefined when there is no such resource (in the account of its ARN). */
  readTags(view: StateView, arn: string): Promise<readonly Tag[] | undefined>;
  /** Whether every account has this one: it can have a policy, and has no tags. */
  isAlwaysThere?(arn: string, place: { readonly accountId: string; readonly region: string }): boolean;
  /** Replaces the tags of a resource that is there. */
  writeTags(change: Change, arn: string, tags: readonly Tag[]): Promise<void>;
}

export type OtherResourceType = 'eventdatastore' | 'channel' | 'dashboard';

/** By the first part of the ARN's resource. What is absent has no resources. */
export type OtherResources = Readonly<Partial<Record<OtherResourceType, OtherResource>>>;

/** What a resource that is not there is answered with, by type. */
export const notFoundCodes: Readonly<Record<OtherResourceType, AwsFault['code']>> = {
  eventdatastore: 'EventDataStoreNotFoundException',
  channel: 'ChannelNotFoundException',
  dashboard: 'ResourceNotFoundException',
};

/** What a resource policy stands under. */
export const resourcePolicyKey = (arn: string): string => `trail/policies/${arn}`;

/** A resource policy as it was put. */
export interface ResourcePolicyDocument {
  /** JSON text. */
  readonly policy: string;
  /** Whom it names, by their unique ids; absent where it was put before those were kept. */
  readonly principals?: readonly NamedPrincipal[];
}

export async function readResourcePolicy(
  view: StateView,
  arn: string,
): Promise<ResourcePolicyDocument | undefined> {
  return (await view.get<ResourcePolicyDocument>(resourcePolicyKey(arn)))?.value;
}

/** What the resource policy of an event data store, channel or dashboard adds to the need of a call on it. */
export async function resourcePolicyNeed(
  view: StateView,
  arn: string,
): Promise<Pick<Need, 'resourcePolicy'>> {
  const found = await readResourcePolicy(view, arn);
  return found ? { resourcePolicy: policyInForce(found.policy, found.principals) } : {};
}
