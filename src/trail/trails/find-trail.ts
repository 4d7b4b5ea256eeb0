import { AwsFault } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { readTrails, trailKey, type TrailDocument } from './trail-documents.ts';
import { parseTrailReference } from './trail-names.ts';

type Caller = Pick<Call, 'accountId' | 'region'>;

function unknownTrail(nameOrArn: string, { accountId }: Caller): AwsFault {
  return new AwsFault('TrailNotFoundException', `Unknown trail: ${nameOrArn} for the user: ${accountId}`);
}

/**
 * The trail of the caller's account that a name (in the caller's region) or an ARN (in any region) stands for; undefined
 * when there is none. Throws InvalidTrailNameException and CloudTrailARNInvalidException.
 */
export async function lookUpTrail(
  view: StateView,
  nameOrArn: string,
  { accountId, region }: Caller,
): Promise<TrailDocument | undefined> {
  const reference = parseTrailReference(nameOrArn);
  if (reference.kind === 'arn' && reference.accountId !== accountId) return undefined;
  const home = reference.kind === 'arn' ? reference.region : region;
  return (await view.get<TrailDocument>(trailKey(accountId, home, reference.name)))?.value;
}

/** As `lookUpTrail`; throws TrailNotFoundException when there is none. */
export async function readTrail(view: StateView, nameOrArn: string, caller: Caller): Promise<TrailDocument> {
  const trail = await lookUpTrail(view, nameOrArn, caller);
  if (!trail) throw unknownTrail(nameOrArn, caller);
  return trail;
}

/** The multi-region trail of that name whose shadow stands in the caller's region. */
async function shadowNamed(
  view: StateView,
  name: string,
  { accountId, region }: Caller,
): Promise<TrailDocument | undefined> {
  const trails = await readTrails(view, accountId);
  return trails.find((trail) => trail.name === name && trail.isMultiRegion && trail.homeRegion !== region);
}

/**
 * The trail, for an operation that changes it. Throws InvalidHomeRegionException anywhere but in its home region, where
 * others see a shadow of it that can only be read.
 */
export async function readOwnTrail(
  view: StateView,
  nameOrArn: string,
  caller: Caller,
): Promise<TrailDocument> {
  const found = await lookUpTrail(view, nameOrArn, caller);
  const trail = found ?? (await shadowNamed(view, nameOrArn, caller));
  if (!trail) throw unknownTrail(nameOrArn, caller);
  if (trail.homeRegion !== caller.region) {
    throw new AwsFault(
      'InvalidHomeRegionException',
      `Trail ${trail.arn} can be changed in its home region ${trail.homeRegion} only, not in ${caller.region}.`,
    );
  }
  return trail;
}
