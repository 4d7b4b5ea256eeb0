import { describe, expect, it } from 'vitest';
import { openTrailFixture, otherAccount } from '../../test/trail-fixture.ts';
import { manualClock, silentLog } from '../kernel/index.ts';
import { openJournal, type NewEntry } from '../journal/index.ts';
import { openMemoryCursors, openMemoryLog } from '../store/memory/index.ts';
import { openReferenceHistory } from './history/reference-history.ts';
import { openHistoryReader } from './history-reader.ts';

function entry(eventID: string): NewEntry {
  const record = {
    eventID,
    eventTime: '2026-11-22T10:00:00Z',
    awsRegion: 'r',
    recipientAccountId: otherAccount,
  };
  return { kind: 'imported', payload: Buffer.from(JSON.stringify(record)) };
}

async function openParts() {
  const clock = manualClock(0);
  const log = silentLog;
  const journal = await openJournal({
    openLog: () => openMemoryLog(),
    openCursors: () => openMemoryCursors(),
    clock,
    log,
  });
  return { clock, stream: journal.stream('audit'), history: openReferenceHistory({ clock, log }), log };
}

describe('the reader of the history', () => {
  it('makes what is in the journal searchable, also what was there before', async () => {
    const { stream, history, log } = await openParts();
    await stream.append([entry('old'), { kind: 'change', payload: Buffer.from('x') }]);
    await using reader = await openHistoryReader({ stream, history, log });
    await stream.append([entry('new')]);
    await reader.reached(stream.end);
    const page = await history.search({}, { limit: 10 });
    expect(new Set(page.events.map(({ eventId }) => eventId))).toEqual(new Set(['old', 'new']));
    expect(reader.unindexed).toBe(0);
  });

  it('counts records that cannot be indexed, and goes on behind them', async () => {
    const { stream, history, log } = await openParts();
    await using reader = await openHistoryReader({ stream, history, log });
    const broken = ['{}', 'no json', '{"eventID":"x"}'].map((text): NewEntry => ({
      kind: 'ingested',
      payload: Buffer.from(text),
    }));
    await stream.append([entry('a'), ...broken, entry('a'), entry('b')]);
    await reader.reached(stream.end);
    expect(reader.unindexed).toBe(3);
    expect((await history.stats()).events).toBe(2);
  });

  it('counts each group by itself, in whatever order groups and others come', async () => {
    const { stream, history, log } = await openParts();
    await using reader = await openHistoryReader({ stream, history, log });
    const group = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => entry(`e${from + index}`));
    const counted: Promise<unknown>[] = [];
    const count = (entries: readonly NewEntry[]) => {
      counted.push(reader.countGroup(stream.append(entries), entries.length));
    };
    count(group(0, 700));
    void stream.append([entry('loose'), entry('e1')]);
    count(group(650, 100));
    count(group(0, 1));
    void stream.append(group(5_000, 300));
    count(group(5_200, 200));
    expect(await Promise.all(counted)).toEqual([
      { added: 700, duplicates: 0 },
      { added: 50, duplicates: 50 },
      { added: 0, duplicates: 1 },
      { added: 100, duplicates: 100 },
    ]);
  });

  it('rejects a group’s count as its append does', async () => {
    const { stream, history, log } = await openParts();
    await using reader = await openHistoryReader({ stream, history, log });
    await expect(reader.countGroup(Promise.reject(new Error('full')), 1)).rejects.toThrow('full');
    expect(await reader.countGroup(stream.append([entry('a')]), 1)).toEqual({ added: 1, duplicates: 0 });
  });

  it('counts right when the history fails in between and is asked again', async () => {
    const { stream, history, log, clock } = await openParts();
    let failures = 2;
    const shaky = Object.assign(Object.create(history) as typeof history, {
      async apply(entries: Parameters<typeof history.apply>[0]) {
        if (entries.some(({ sequence }) => sequence >= 3) && failures-- > 0) throw new Error('shaky');
        return history.apply(entries);
      },
    });
    await using reader = await openHistoryReader({ stream, history: shaky, log });
    const one = reader.countGroup(stream.append([entry('a'), entry('b'), entry('c')]), 3);
    const two = reader.countGroup(stream.append([entry('c'), entry('d')]), 2);
    for (let turns = 0; turns < 20; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(1_000);
    }
    expect(await one).toEqual({ added: 3, duplicates: 0 });
    expect(await two).toEqual({ added: 1, duplicates: 1 });
    expect(failures).toBeLessThan(1);
  });

  it('tells listeners after the entries are searchable', async () => {
    await using fixture = await openTrailFixture();
    await fixture.stream.append([entry('a')]);
    await fixture.trail.settle();
    expect(fixture.trail.reader.applied).toBe(1);
    expect(fixture.trail.unindexed).toBe(0);
  });
});
