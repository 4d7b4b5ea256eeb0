import type { Change, StateDocument, StateView } from '../../state/index.ts';
import { trailId, trailKey, type TrailDocument } from './trail-documents.ts';

/**
 * A trail that was deleted and of which something is still to be delivered, under `trail/ended/ID`: as it was, but not
 * logging any more.
 */
export interface EndedTrailDocument extends TrailDocument {
  /** Epoch milliseconds. */
  readonly deletedAt: number;
  /** Set when its log files are delivered or given up, so that only digests can be left to come. */
  readonly isDelivered?: true;
}

export const endedTrailsPrefix = 'trail/ended/';
export const endedTrailKey = (id: string): string => `${endedTrailsPrefix}${id}`;

/** Deletes a trail: callers do not see it any more, and what it logged before is still delivered. */
export function endTrail(change: Change, trail: TrailDocument, deletedAt: number): void {
  const stoppedAt = trail.isLogging ? deletedAt : trail.stoppedAt;
  const ended: EndedTrailDocument = {
    ...trail,
    isLogging: false,
    ...(stoppedAt !== undefined && { stoppedAt }),
    deletedAt,
  };
  change.delete(trailKey(trail.accountId, trail.homeRegion, trail.name));
  change.put(endedTrailKey(trailId(trail)), ended);
}

export function isEnded(trail: TrailDocument): trail is EndedTrailDocument {
  return 'deletedAt' in trail;
}

export function readEndedTrails(view: StateView): Promise<readonly StateDocument<EndedTrailDocument>[]> {
  return view.list<EndedTrailDocument>(endedTrailsPrefix);
}

/** One trail, as what is kept of it names it. */
export type TrailName = Pick<TrailDocument, 'arn' | 'incarnation' | 'accountId' | 'homeRegion' | 'name'>;

/** The trail itself, also after its deletion, and not another one of its name; undefined when nothing is left of it. */
export async function readIncarnation(
  view: Pick<StateView, 'get'>,
  named: TrailName,
): Promise<TrailDocument | EndedTrailDocument | undefined> {
  const { accountId, homeRegion, name, incarnation } = named;
  const live = (await view.get<TrailDocument>(trailKey(accountId, homeRegion, name)))?.value;
  if (live && live.incarnation === incarnation) return live;
  return (await view.get<EndedTrailDocument>(endedTrailKey(trailId(named))))?.value;
}
