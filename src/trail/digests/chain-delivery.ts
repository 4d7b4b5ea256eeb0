import type { Clock, Logger } from '../../kernel/index.ts';
import type { State, StateView } from '../../state/index.ts';
import type { ActingFor, Buckets } from '../buckets.ts';
import { isEnded, readIncarnation } from '../trails/ended-trails.ts';
import { trailId, type TrailDocument } from '../trails/trail-documents.ts';
import {
  chainKey,
  chainsPrefix,
  digestStatusKey,
  type ChainDocument,
  type ChainTrail,
  type DeliveredDigest,
  type DigestStatusDocument,
  type PlannedDigest,
} from './digest-documents.ts';
import type { DigestKeys } from './digest-keys.ts';
import {
  finalEnd,
  floorSecond,
  hasDigests,
  nextStep,
  type NextStep,
  type ScheduleSettings,
} from './digest-schedule.ts';
import { fileOfPlan, filesOfPlan, planDigest, waitingFiles, type DigestToPlan } from './plan-digest.ts';

export interface DeliveryParts extends ScheduleSettings {
  readonly state: State;
  readonly buckets: Pick<Buckets, 'put'>;
  readonly keys: DigestKeys;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * A trail as its chains know it, also after its deletion; `trail` is undefined when a version of Cairn deleted it that kept
 * nothing of it.
 */
export interface TrailAndRegion {
  /** The trail's. */
  readonly id: string;
  readonly region: string;
  readonly trail: TrailDocument | undefined;
}

type Outcome =
  /** Something was done; there may be more. */
  | { readonly kind: 'moved' }
  /** Nothing is to be done before this time, epoch milliseconds. */
  | { readonly kind: 'waits'; readonly until: number };

const moved: Outcome = { kind: 'moved' };

function chainTrailOf(trail: TrailDocument): ChainTrail {
  const { arn, incarnation, name, accountId, homeRegion, bucket, prefix, kmsKeyArn } = trail;
  return {
    arn,
    ...(incarnation !== undefined && { incarnation }),
    name,
    accountId,
    homeRegion,
    bucket,
    ...(prefix !== undefined && { prefix }),
    ...(kmsKeyArn !== undefined && { kmsKeyArn }),
  };
}

/** The chains that trails of the same ARN have in the region: there were others before, or there are by now. */
async function chainsOfNamesakes(
  view: StateView,
  { trail: { arn, incarnation }, region }: Pick<ChainDocument, 'trail' | 'region'>,
): Promise<readonly ChainDocument[]> {
  const found = await view.list<ChainDocument>(`${chainsPrefix}${arn}`);
  return found
    .map(({ value }) => value)
    .filter(({ trail, region: where }) => trail.arn === arn && where === region)
    .filter(({ trail }) => trail.incarnation !== incarnation);
}

/** Where the chain of a trail may begin, so that no digest of it is named like one of an earlier trail of its name. */
async function firstStart(
  view: StateView,
  document: Pick<ChainDocument, 'trail' | 'region'>,
  wanted: number,
): Promise<number> {
  let start = wanted;
  for (const other of await chainsOfNamesakes(view, document)) {
    const trail = await readIncarnation(view, other.trail);
    const end = trail && isEnded(trail) ? finalEnd(other, trail.deletedAt) : undefined;
    start = Math.max(start, other.isClosed ? other.nextStart : (end ?? 0), other.head?.endTime ?? 0);
  }
  return start;
}

/** The span of the only digest of a trail that was deleted before its chain was begun: one second that nobody else uses. */
async function lastSecond(
  view: StateView,
  document: Pick<ChainDocument, 'trail' | 'region'>,
  deletedAt: number,
): Promise<Pick<ChainDocument, 'nextStart' | 'endsAt'>> {
  const used = await chainsOfNamesakes(view, document);
  let endsAt = floorSecond(deletedAt);
  for (const { head, endsAt: other } of used.toSorted((a, b) => (b.endsAt ?? 0) - (a.endsAt ?? 0)))
    if (other === endsAt || head?.endTime === endsAt) endsAt -= 1000;
  return { nextStart: endsAt - 1000, endsAt };
}

/** Begins a chain. Its first digest also lists what was delivered before the chain was begun. */
async function beginChain(parts: DeliveryParts, { trail, region, id }: TrailAndRegion): Promise<Outcome> {
  const { state, clock } = parts;
  if (!trail) return { kind: 'waits', until: Infinity };
  const change = state.begin();
  const key = chainKey(id, region);
  if (await change.get(key)) return moved;
  const document = { trail: chainTrailOf(trail), region };
  const [first] = await waitingFiles(change, document, { from: 0, before: Infinity }, 1);
  if (!first && !(hasDigests(trail, region) && region === trail.homeRegion))
    return { kind: 'waits', until: Infinity };
  const now = clock.now();
  const span = isEnded(trail)
    ? await lastSecond(change, document, trail.deletedAt)
    : {
        nextStart: await firstStart(
          change,
          document,
          floorSecond(Math.min(now, first?.file.deliveredAt ?? now)),
        ),
      };
  const chain: ChainDocument = { ...document, loggingSince: trail.startedAt ?? 0, ...span };
  change.put(key, chain);
  await state.commit(change, []);
  return moved;
}

/**
 * When the next chain begins: where logging was off, when it was switched on; where validation was off, or logging in this
 * region, with the first log file that waits or now, for the time before is not to look as if nothing had happened.
 */
async function nextBegin(
  view: StateView,
  chain: ChainDocument,
  { startedAt = 0 }: TrailDocument,
  now: number,
): Promise<number> {
  if (startedAt > chain.loggingSince) return Math.min(now, startedAt);
  const [first] = await waitingFiles(view, chain, { from: chain.nextStart, before: Infinity }, 1);
  return Math.min(now, first?.file.deliveredAt ?? now);
}

/** The backfill digest that is wanted now, if log files were delivered late. */
async function backfillWanted(parts: DeliveryParts, chain: ChainDocument): Promise<DigestToPlan | undefined> {
  const { head, backfillHead, nextStart } = chain;
  if (!head) return undefined;
  const now = parts.clock.now();
  if (backfillHead && now < backfillHead.generatedAt + parts.periodMs) return undefined;
  const files = { from: 0, before: nextStart };
  const [oldest] = await waitingFiles(parts.state, chain, files, 1);
  if (!oldest) return undefined;
  return {
    kind: 'backfill',
    startTime: Math.min(head.startTime, floorSecond(oldest.file.deliveredAt)),
    // Later than every other, so that the chain of backfill digests is in the order of their keys.
    endTime: Math.max(head.endTime, (backfillHead?.endTime ?? 0) + 1000),
    files,
    previous: backfillHead,
    isFinal: false,
    generatedAt: now,
  };
}

function regularDigest(chain: ChainDocument, step: NextStep & { kind: 'digest' }, now: number): DigestToPlan {
  return {
    kind: 'regular',
    startTime: step.startTime,
    endTime: step.endTime,
    // What came too late for the digest of its time is listed by a backfill digest; the first digest lists all.
    files: {
      from: chain.head ? step.startTime : 0,
      before: step.listsAll ? Number.MAX_SAFE_INTEGER : step.endTime,
    },
    previous: chain.head,
    isFinal: step.isFinal,
    generatedAt: now,
  };
}

/**
 * Commits the plan of a digest with its signature, before anything is put: from then on the digest's bytes are settled,
 * also over a crash.
 */
async function plan(
  parts: DeliveryParts,
  { id, region }: TrailAndRegion,
  wanted: DigestToPlan,
): Promise<void> {
  const { state, keys } = parts;
  // A backfill digest is looked up by when it was made, any other by the time that it covers.
  const signingTime = wanted.kind === 'backfill' ? wanted.generatedAt : wanted.endTime;
  const signingKey = await keys.keyFor(region, signingTime);
  const change = state.begin();
  const key = chainKey(id, region);
  const chain = (await change.get<ChainDocument>(key))?.value;
  const from = wanted.kind === 'backfill' ? wanted.files.before : wanted.startTime;
  if (!chain || chain.pending || chain.nextStart !== from) return;
  const trail = await readIncarnation(change, chain.trail);
  const current = trail ? { ...chain, trail: chainTrailOf(trail) } : chain;
  const pending = await planDigest(change, current, wanted, signingKey);
  change.put(key, { ...current, pending });
  // A conflict is nothing to say: the next step reads everything again.
  await state.commit(change, []);
}

function deliveredOf({ bucket, key, sha256, signature, startTime, endTime }: PlannedDigest): DeliveredDigest {
  return { bucket, key, sha256, signature, startTime, endTime };
}

/** The chain once its pending digest is in the bucket. */
function chainAfter(before: ChainDocument, done: PlannedDigest): ChainDocument {
  const { pending: _, ...chain } = before;
  const digest = deliveredOf(done);
  if (done.kind === 'backfill')
    return { ...chain, backfillHead: { ...digest, generatedAt: done.generatedAt } };
  return {
    ...chain,
    head: digest,
    nextStart: done.endTime,
    ...(done.isFinal && { isClosed: true as const }),
  };
}

function actingFor({ arn, accountId, homeRegion }: ChainTrail): ActingFor {
  return { arn, accountId, region: homeRegion };
}

/** Puts what is planned, and then in one commit takes its files off the list, moves the chain and writes the status. */
async function deliver(parts: DeliveryParts, { id, region }: TrailAndRegion): Promise<void> {
  const { state, buckets, clock, log } = parts;
  const key = chainKey(id, region);
  const found = await state.get<ChainDocument>(key);
  const pending = found?.value.pending;
  if (!found || !pending) return;
  const chain = found.value;
  const files = await filesOfPlan(state, chain, pending, found.version);
  const file = await fileOfPlan(chain, pending, files);
  if (!file) {
    log.warn({ digest: pending.key }, 'a digest of another version of Cairn is planned anew');
    await dropPlan(state, key, pending);
    return;
  }
  await buckets.put(file, actingFor(chain.trail));
  const trail = await readIncarnation(state, chain.trail);
  for (;;) {
    const change = state.begin();
    const current = (await change.get<ChainDocument>(key))?.value;
    if (current?.pending?.signature !== pending.signature) return;
    for (const one of files) change.delete(one.key);
    change.put(key, chainAfter(current, pending));
    if (trail) change.put(digestStatusKey(id), { latestAt: clock.now() } satisfies DigestStatusDocument);
    if ((await state.commit(change, [])).kind === 'committed') break;
  }
  log.debug({ trail: id, region, digest: pending.key, logFiles: files.length }, 'a digest was delivered');
}

async function dropPlan(state: State, key: string, pending: PlannedDigest): Promise<void> {
  const change = state.begin();
  const current = (await change.get<ChainDocument>(key))?.value;
  if (current?.pending?.signature !== pending.signature) return;
  const { pending: _, ...rest } = current;
  change.put(key, rest);
  await state.commit(change, []);
}

/**
 * A digest that could not be put where it was planned is planned again when the trail has another bucket, prefix or key
 * by now; nothing that was put is changed by that, because only a commit moves the chain.
 */
export async function planForNewPlace(
  parts: DeliveryParts,
  { id, region }: TrailAndRegion,
): Promise<boolean> {
  const { state } = parts;
  const key = chainKey(id, region);
  const chain = (await state.get<ChainDocument>(key))?.value;
  if (!chain?.pending) return false;
  const trail = await readIncarnation(state, chain.trail);
  if (!trail) return false;
  const { bucket, prefix, kmsKeyArn } = trail;
  const { trail: before } = chain;
  if (bucket === before.bucket && prefix === before.prefix && kmsKeyArn === before.kmsKeyArn) return false;
  await dropPlan(state, key, chain.pending);
  return true;
}

/** Lets go of the chain of a trail that was deleted and whose bucket takes no digests any more. */
export async function abandonChain(parts: DeliveryParts, { id, region }: TrailAndRegion): Promise<void> {
  const { state, log } = parts;
  const key = chainKey(id, region);
  const change = state.begin();
  const chain = (await change.get<ChainDocument>(key))?.value;
  if (!chain) return;
  for (const file of await waitingFiles(change, chain, { from: 0, before: Infinity }))
    change.delete(file.key);
  change.delete(key);
  change.delete(digestStatusKey(id));
  if ((await state.commit(change, [])).kind === 'conflict') return;
  log.warn(
    { trail: chain.trail.arn, region, bucket: chain.trail.bucket },
    'the final digest of a deleted trail cannot be delivered and is given up',
  );
}

async function replaceChain(state: State, key: string, next: ChainDocument | undefined): Promise<void> {
  const change = state.begin();
  const before = (await change.get<ChainDocument>(key))?.value;
  if (!before?.isClosed || before.pending) return;
  if (next) change.put(key, next);
  else {
    change.delete(key);
    change.delete(digestStatusKey(trailId(before.trail)));
  }
  await state.commit(change, []);
}

/** Does the next thing that a chain needs, if its time has come. Throws what putting throws. */
export async function advanceChain(parts: DeliveryParts, place: TrailAndRegion): Promise<Outcome> {
  const { state, clock } = parts;
  const { id, region, trail } = place;
  const key = chainKey(id, region);
  const chain = (await state.get<ChainDocument>(key))?.value;
  if (!chain) return beginChain(parts, place);
  if (chain.pending) {
    await deliver(parts, place);
    return moved;
  }
  const now = clock.now();
  const late = await backfillWanted(parts, chain);
  if (late) {
    await plan(parts, place, late);
    return moved;
  }
  const files = { from: chain.head ? chain.nextStart : 0, before: Infinity };
  const [waiting] = await waitingFiles(state, chain, files, 1);
  const step = nextStep(chain, trail, { now, firstFileAt: waiting?.file.deliveredAt }, parts);
  switch (step.kind) {
    case 'rest':
      // A delivery that was held up may still end.
      return { kind: 'waits', until: now + parts.periodMs };
    case 'forget':
      await replaceChain(state, key, undefined);
      return { kind: 'waits', until: Infinity };
    case 'begin': {
      if (!trail) return { kind: 'waits', until: Infinity };
      const { nextStart, backfillHead } = chain;
      const start = Math.max(nextStart, floorSecond(await nextBegin(state, chain, trail, clock.now())));
      await replaceChain(state, key, {
        trail: chainTrailOf(trail),
        region,
        loggingSince: trail.startedAt ?? 0,
        nextStart: start,
        ...(backfillHead && { backfillHead }),
      });
      return moved;
    }
    case 'digest':
      // Behind the end of a digest of a clock that was ahead, log files may wait for a backfill digest long before.
      if (now < step.dueAt) return { kind: 'waits', until: Math.min(step.dueAt, now + parts.periodMs) };
      await plan(parts, place, regularDigest(chain, step, now));
      return moved;
  }
}
