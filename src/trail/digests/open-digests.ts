import type { ListPublicKeysRequest } from '@aws-sdk/client-cloudtrail';
import { limits, type Clock, type Logger } from '../../kernel/index.ts';
import type { MasterKey } from '../../identity/index.ts';
import type { Change, State, StateView } from '../../state/index.ts';
import type { Call, Operations } from '../../wire/index.ts';
import type { Buckets } from '../buckets.ts';
import {
  endedTrailKey,
  endedTrailsPrefix,
  isEnded,
  readEndedTrails,
  type EndedTrailDocument,
} from '../trails/ended-trails.ts';
import { readTrails, trailId, trailsPrefix, type TrailDocument } from '../trails/trail-documents.ts';
import { ListPublicKeys } from './api/list-public-keys.ts';
import {
  abandonChain,
  advanceChain,
  planForNewPlace,
  type DeliveryParts,
  type TrailAndRegion,
} from './chain-delivery.ts';
import {
  chainsPrefix,
  digestStatusKey,
  type ChainDocument,
  type DigestStatusDocument,
} from './digest-documents.ts';
import { openDigestKeys, type DigestKeys } from './digest-keys.ts';

export interface DigestsOptions {
  readonly state: State;
  readonly buckets: Pick<Buckets, 'put'>;
  readonly masterKey: Pick<MasterKey, 'cipher'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** How much time a digest covers, 60 to 3,600. */
  readonly digestSeconds: number;
  /** How long a key signs before the next one is made; 30 days by default. */
  readonly keyRotationMs?: number;
}

/** Delivers digest files by itself until it is closed. */
export interface Digests extends AsyncDisposable {
  /** ListPublicKeys, for `cloudtrail`. */
  readonly operations: Operations<Change>;
  /** The key of a region for what is signed at `time` (epoch milliseconds), for others who sign as CloudTrail. */
  readonly signingKeyFor: DigestKeys['keyFor'];
  /** Resolves once everything that is due by now has been delivered or has failed and waits to be tried again. */
  settle(): Promise<void>;
}

const dayMs = 86_400_000;
const firstRetryMs = 1_000;
const lastRetryMs = 60_000;
/** Timers count time that passes; a clock that is set needs a look now and then. */
const lookEveryMs = 60_000;
const trailsAtOnce = 8;

interface Lane {
  /** When the trail needs attention again, epoch milliseconds. */
  dueAt: number;
  retryMs: number;
  error: string | undefined;
}

function describe(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return typeof code === 'string' && code !== '' ? code : String(message ?? error);
}

/** Every region that a trail has digests in: its home, those of its chains, and those where log files wait. */
async function regionsOf(
  state: StateView,
  id: string,
  trail: TrailDocument | undefined,
): Promise<readonly string[]> {
  const regions = new Set<string>(trail && !isEnded(trail) ? [trail.homeRegion] : []);
  for (const { value } of await state.list<ChainDocument>(`${chainsPrefix}${id}/`)) regions.add(value.region);
  const prefix = `trail/delivered/${id}/`;
  let after = prefix;
  for (;;) {
    const [next] = await state.list(prefix, { after, limit: 1 });
    if (!next) return [...regions];
    const region = next.key.slice(prefix.length).split('/', 1)[0] ?? '';
    regions.add(region);
    // `0` is the character after the slash, so this skips the region's own files.
    after = `${prefix}${region}0`;
  }
}

/** Opens the digests over the state that trails and deliveries write. */
export function openDigests(options: DigestsOptions): Digests {
  const { state, clock } = options;
  const log = options.log.child({ part: 'digests' });
  const periodMs = options.digestSeconds * 1000;
  const keys = openDigestKeys({ ...options, log, rotationMs: options.keyRotationMs ?? 30 * dayMs });
  const parts: DeliveryParts = { ...options, log, keys, periodMs, graceMs: Math.min(60_000, periodMs / 10) };
  const lanes = new Map<string, Lane>();
  const stop = new AbortController();
  let wake = new AbortController();
  let isDirty = true;
  let latest = clock.now();
  let waiters: (() => void)[] = [];

  const stopListening = state.onChange((touched) => {
    if (!touched.some((key) => key.startsWith(trailsPrefix) || key.startsWith(endedTrailsPrefix))) return;
    isDirty = true;
    wake.abort(new Error('a trail changed'));
  });

  /** Whether the digests of a deleted trail have nowhere to go to. */
  const isHopeless = (trail: TrailDocument | undefined, error: unknown): boolean => {
    const isGone = describe(error) === 'NoSuchBucket';
    if (!trail) return isGone;
    if (!isEnded(trail)) return false;
    if (isGone) return trail.isDelivered === true;
    return clock.now() - trail.deletedAt > limits.deletedTrailMs;
  };

  /** Forgets a deleted trail once there is nothing to come. */
  const forget = async (id: string): Promise<void> => {
    const change = state.begin();
    const ended = (await change.get<EndedTrailDocument>(endedTrailKey(id)))?.value;
    if (!ended?.isDelivered || (await regionsOf(change, id, ended)).length > 0) return;
    change.delete(endedTrailKey(id));
    change.delete(digestStatusKey(id));
    await state.commit(change, []);
  };

  const advanceTrail = async (id: string, trail: TrailDocument | undefined): Promise<number> => {
    let dueAt = Infinity;
    for (const region of await regionsOf(state, id, trail)) {
      const place: TrailAndRegion = { id, region, trail };
      for (;;) {
        if (stop.signal.aborted) return 0;
        const outcome = await advanceChain(parts, place).catch(async (error: unknown) => {
          if (await planForNewPlace(parts, place)) return { kind: 'moved' } as const;
          if (!isHopeless(trail, error)) throw error;
          await abandonChain(parts, place);
          return { kind: 'waits', until: Infinity } as const;
        });
        if (outcome.kind === 'moved') continue;
        dueAt = Math.min(dueAt, outcome.until);
        break;
      }
    }
    if (trail && isEnded(trail)) await forget(id);
    return dueAt;
  };

  const writeError = async (id: string, message: string): Promise<void> => {
    const change = state.begin();
    const key = digestStatusKey(id);
    const before = (await change.get<DigestStatusDocument>(key))?.value;
    change.put(key, { ...before, latestError: message } satisfies DigestStatusDocument);
    await state.commit(change, []);
  };

  const runLane = async (id: string, trail: TrailDocument | undefined, lane: Lane): Promise<void> => {
    try {
      lane.dueAt = await advanceTrail(id, trail);
      if (lane.error !== undefined) log.info({ trail: id }, 'digest files are delivered again');
      lane.error = undefined;
      lane.retryMs = firstRetryMs;
    } catch (error) {
      const message = describe(error);
      lane.dueAt = clock.now() + lane.retryMs;
      lane.retryMs = Math.min(lane.retryMs * 2, lastRetryMs);
      if (lane.error === message) return;
      lane.error = message;
      log.error({ trail: id, err: error }, 'a digest file could not be delivered; it is tried again');
      if (trail && !isEnded(trail)) await writeError(id, message).catch(() => undefined);
    }
  };

  /** Every trail that has digests or had them, with its document if it still has one. */
  const readAll = async (): Promise<ReadonlyMap<string, TrailDocument | undefined>> => {
    const all = new Map<string, TrailDocument | undefined>();
    for (const { value } of await state.list<ChainDocument>(chainsPrefix))
      all.set(trailId(value.trail), undefined);
    for (const trail of await readTrails(state)) {
      if (trail.logFileValidation || all.has(trailId(trail))) all.set(trailId(trail), trail);
    }
    for (const { value } of await readEndedTrails(state)) all.set(trailId(value), value);
    return all;
  };

  /** Does everything that is due. */
  const pass = async (): Promise<void> => {
    const everything = isDirty;
    isDirty = false;
    const all = await readAll();
    for (const id of lanes.keys()) if (!all.has(id)) lanes.delete(id);
    const now = clock.now();
    const due: (() => Promise<void>)[] = [];
    for (const [id, trail] of all) {
      const lane = lanes.get(id) ?? { dueAt: 0, retryMs: firstRetryMs, error: undefined };
      lanes.set(id, lane);
      if (lane.dueAt <= now || (everything && lane.error === undefined))
        due.push(() => runLane(id, trail, lane));
    }
    const work = async () => {
      for (let next = due.shift(); next; next = due.shift()) await next();
    };
    await Promise.all(Array.from({ length: trailsAtOnce }, work));
  };

  /** What is due by a clock that was ahead would come much later by the one that was put back: everything is looked at again. */
  const lookAtClock = (): void => {
    const now = clock.now();
    if (now < latest - lookEveryMs) {
      for (const lane of lanes.values()) lane.dueAt = 0;
      log.warn(
        { byMs: latest - now },
        'the clock was put back; digests of a trail go on when it is past the end of the newest one',
      );
    }
    latest = now;
  };

  const nextDueAt = () =>
    [...lanes.values()].reduce((soonest, { dueAt }) => Math.min(soonest, dueAt), Infinity);
  const isDue = () => isDirty || nextDueAt() <= clock.now();

  const rounds = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      lookAtClock();
      if (isDue()) {
        wake = new AbortController();
        await pass().catch((error: unknown) => {
          isDirty = true;
          log.error({ err: error }, 'digests could not be looked after; it is tried again');
          return clock.sleep(firstRetryMs, stop.signal).catch(() => undefined);
        });
        continue;
      }
      for (const waiter of waiters) waiter();
      waiters = [];
      if (wake.signal.aborted) wake = new AbortController();
      const signal = AbortSignal.any([stop.signal, wake.signal]);
      await clock.sleep(Math.min(lookEveryMs, nextDueAt() - clock.now()), signal).catch(() => undefined);
    }
    for (const waiter of waiters) waiter();
  };
  const done = rounds();

  return {
    operations: {
      ListPublicKeys: {
        access: 'read',
        handle: (input: ListPublicKeysRequest, call: Call, change: Change) =>
          ListPublicKeys(input, call, change),
      },
    },
    signingKeyFor: (region, time) => keys.keyFor(region, time),
    settle: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        wake.abort(new Error('asked'));
      }),
    async [Symbol.asyncDispose]() {
      stopListening();
      stop.abort(new Error('closed'));
      await done;
    },
  };
}
