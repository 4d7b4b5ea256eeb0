import { OverloadError, type Clock } from '../../kernel/index.ts';
import type { Change, State } from '../../state/index.ts';
import { endedTrailKey, readIncarnation, type EndedTrailDocument } from '../trails/ended-trails.ts';
import type { TrailDocument } from '../trails/trail-documents.ts';
import { deliveryStatusKey, type DeliveryStatus } from '../trails/trail-status.ts';
import { trailNameOf, type DeliveryDocument } from './delivery-documents.ts';
import type { TrailRunner } from './trail-runner.ts';

const attempts = 20;

/** What a commit of a delivery reads and writes. */
export interface DeliveryChange {
  readonly change: Change;
  readonly trail: TrailDocument;
  readonly document: DeliveryDocument;
  readonly status: DeliveryStatus;
  putStatus(status: DeliveryStatus): void;
}

/** The trail that a runner delivers, also after its deletion; undefined when that is done. */
export async function currentTrail(
  view: Pick<State, 'get'>,
  { document }: TrailRunner,
): Promise<TrailDocument | undefined> {
  const current = await view.get<DeliveryDocument>(document.key);
  if (current?.version !== document.version) return undefined;
  return readIncarnation(view, trailNameOf(document.value));
}

/**
 * Commits what `build` makes of a trail's delivery document, with whatever else it puts; it may run several times. False
 * when the trail is gone: then nothing is committed. Delivery is no call, so it has no record.
 */
export async function commitDelivery(
  state: State,
  runner: TrailRunner,
  build: (current: DeliveryChange) => DeliveryDocument,
): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const change = state.begin();
    const trail = await currentTrail(change, runner);
    if (!trail) return false;
    const statusKey = deliveryStatusKey(runner.id);
    const next = build({
      change,
      trail,
      document: runner.document.value,
      status: (await change.get<DeliveryStatus>(statusKey))?.value ?? {},
      putStatus: (status) => change.put(statusKey, status),
    });
    change.put(runner.document.key, next);
    const result = await state.commit(change, []);
    if (result.kind === 'conflict') continue;
    runner.document = { key: runner.document.key, value: next, version: result.sequence };
    return true;
  }
  throw new OverloadError(`the state of trail ${runner.arn} changes all the time`);
}

/** Ends the delivery of a trail that was deleted: nothing of it is kept but what digests still need. */
export async function commitEnd(state: State, { id, document }: TrailRunner): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const change = state.begin();
    const ended = (await change.get<EndedTrailDocument>(endedTrailKey(id)))?.value;
    change.delete(document.key);
    change.delete(deliveryStatusKey(id));
    if (ended) change.put(endedTrailKey(id), { ...ended, isDelivered: true } satisfies EndedTrailDocument);
    if ((await state.commit(change, [])).kind === 'committed') return;
  }
  throw new OverloadError(`the state of trail ${id} changes all the time`);
}

/** Never less than what was given before, also when the clock was put back. */
export function deliveryTime(clock: Clock, { deliveredAt = 0 }: DeliveryDocument): number {
  return Math.max(clock.now(), deliveredAt);
}
