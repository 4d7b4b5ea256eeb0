import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal, type Stream } from '../../journal/index.ts';
import {
  limits,
  manualClock,
  seededRandom,
  sequence,
  silentLog,
  type ManualClock,
} from '../../kernel/index.ts';
import { openMemoryCursors, openMemoryLog } from '../../store/memory/index.ts';
import { newBusCounts } from '../bus-counts.ts';
import { openQuietLog } from '../quiet-log.ts';
import { openAttempts, type Attempts } from './attempts.ts';
import { encodeDelivery } from './delivery-entry.ts';
import type { Invoker, Outcome } from './delivery-types.ts';
import { openHeldDeliveries, type HeldDeliveries } from './held-deliveries.ts';

/** Attempts over a journal in memory; what is invoked is the test itself. */

let stack: AsyncDisposableStack;
let clock: ManualClock;
let stream: Stream;
let held: HeldDeliveries;
let rate: Invoker['ratePerSecond'];
/** Of attempts that are under way, by their targets. */
const underWay: { readonly target: string; readonly end: (outcome: Outcome) => void }[] = [];
let attempts: Attempts;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  clock = manualClock(0);
  const journal = await openJournal({
    openLog: () => openMemoryLog(),
    openCursors: () => openMemoryCursors(),
    clock,
    log: silentLog,
    streams: ['bus'],
  });
  stack.use(journal);
  stream = journal.stream('bus');
  held = openHeldDeliveries({ bus: stream, from: 0, known: undefined, clock, log: silentLog });
  rate = () => Promise.resolve(undefined);
  underWay.length = 0;
  attempts = openAttempts({
    held,
    invoker: {
      ratePerSecond: (target) => rate(target),
      invoke({ target }) {
        const { promise, resolve } = Promise.withResolvers<Outcome>();
        underWay.push({ target, end: resolve });
        return promise;
      },
    },
    counts: newBusCounts(),
    clock,
    random: seededRandom(1),
    log: silentLog,
    quiet: openQuietLog(silentLog, clock),
    onAttempt: () => undefined,
  });
  stack.use(attempts);
});
afterEach(async () => {
  for (const { end } of underWay) end({ kind: 'delivered' });
  rate = () => Promise.resolve(undefined);
  await stack.disposeAsync();
});

const turn = () =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

const delivery = (target: string) =>
  encodeDelivery(
    {
      version: 1,
      from: 0,
      rule: 'r',
      id: 't',
      target,
      role: 'role',
      retries: 0,
      ageSeconds: 60,
      event: 'e',
    },
    '{}',
  );

/** Makes deliveries durable, and takes them from the stream one after the other. */
async function deliver(...targets: readonly string[]): Promise<void> {
  const from = stream.end;
  await stream.append(targets.map(delivery));
  for await (const { entries } of stream.read(sequence(from)))
    for (const entry of entries) {
      const queue = held.take(entry);
      if (queue) attempts.pump(queue);
    }
}

describe('attempts', () => {
  it('are no more at once than there may be, of however many targets', async () => {
    await deliver(...Array.from({ length: limits.busAttempts + 100 }, (_, at) => `target ${at}`));
    await turn();
    expect(underWay).toHaveLength(limits.busAttempts);
    for (const { end } of underWay.slice()) end({ kind: 'delivered' });
    await turn();
    expect(underWay).toHaveLength(limits.busAttempts + 100);
  });

  it('of a target that had to wait come before more of those that did not', async () => {
    const busy = Array.from({ length: limits.busAttempts }, (_, at) => `busy ${at}`);
    await deliver(...busy, ...busy, 'late');
    await turn();
    expect(underWay.some(({ target }) => target === 'late')).toBe(false);
    // Every busy target waits for room as well, and has waited longer.
    for (let at = 0; at <= busy.length; at++) {
      underWay[at]!.end({ kind: 'delivered' });
      await turn();
    }
    expect(underWay.filter(({ target }) => target === 'late')).toHaveLength(1);
    expect(underWay).toHaveLength(2 * busy.length + 1);
  });

  it.each(Array.from({ length: 12 }, (_, at) => at))(
    'begin with a delivery that comes %s turns of promises after the one before',
    async (turns) => {
      const asked = Promise.withResolvers<undefined>();
      rate = () => asked.promise;
      await deliver('one');
      await stream.append([delivery('one')]);
      const batches = await Array.fromAsync(stream.read(sequence(1)));
      const second = batches[0]!.entries[0]!;
      asked.resolve(undefined);
      for (let at = 0; at < turns; at++) await Promise.resolve();
      attempts.pump(held.take(second)!);
      await turn();
      expect(underWay).toHaveLength(2);
    },
  );
});
