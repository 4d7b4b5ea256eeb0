import { access, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LakeOptions } from './index.ts';
import {
  countOf,
  createStore,
  lakeRecord,
  openLakeFixture,
  type LakeFixture,
} from '../../../test/lake-fixture.ts';

const names = "eventName IN ('CreateUser', 'TagUser')";

describe('columns that are behind the journal', () => {
  it('are filled from the history, once, with what the journal has no more', async () => {
    await using fixture = await openLakeFixture();
    const { id } = await createStore(fixture);
    const days = ['2026-10-01', '2026-11-03', '2026-11-03', '2026-11-20'];
    const old = days.map((day, at) =>
      lakeRecord({ eventID: `old-${at}`, eventTime: `${day}T10:00:0${at}Z` }),
    );
    await fixture.add(...old);
    await fixture.trail.trail.settle();
    expect(await countOf(fixture, 'events')).toBeGreaterThan(4);
    const before = await fixture.rows(`SELECT eventID FROM events WHERE ${names} ORDER BY 1`);

    await fixture.reopen({ loseColumns: true });
    await fixture.add(lakeRecord({ eventID: 'new', eventName: 'TagUser' }));
    await fixture.lake.backfilled();
    const after = await fixture.rows(`SELECT eventID FROM events WHERE ${names} ORDER BY 1`);
    expect(after).toEqual([['new'], ...before]);
    await expect(access(fixture.progressFile)).rejects.toThrow('ENOENT');
    // Their places in the journal are not known any more; the new event has one.
    expect(await fixture.rows(`SELECT eventID FROM ${id} WHERE ${names} ORDER BY 1`)).toEqual([['new']]);
    await fixture.reopen();
    expect(await fixture.rows(`SELECT eventID FROM events WHERE ${names} ORDER BY 1`)).toEqual(after);
  });

  it('are filled further by the next start when a stop came between', async () => {
    let asked: (number | undefined)[] = [];
    let isBroken = true;
    const opened: { fixture?: LakeFixture } = {};
    const history: LakeOptions['history'] = {
      async *stream(filter, signal) {
        asked.push(filter.to);
        let count = 0;
        for await (const event of opened.fixture?.trail.history.stream(filter, signal) ?? []) {
          // Six have been brought, and one more was read.
          if (isBroken && ++count > 7) throw new Error('the disk is gone');
          yield event;
        }
      },
    };
    await using fixture = await openLakeFixture({ history, backfillEvents: 3 });
    opened.fixture = fixture;
    await fixture.add(
      ...Array.from({ length: 20 }, (_, at) => lakeRecord({ eventID: `old-${at}`, eventName: 'TagUser' })),
    );
    await fixture.trail.trail.settle();
    await fixture.reopen({ loseColumns: true });
    await expect.poll(() => fixture.columns.stats().rows, { timeout: 60_000 }).toBe(6);
    // What was gathered when it broke is let go of: the reader's next batch alone waits.
    const work = join(dirname(dirname(fixture.progressFile)), 'columns', 'work');
    const waiting = async () => (await readdir(work)).filter((name) => name.endsWith('.ndjson'));
    await expect.poll(waiting).toHaveLength(1);
    isBroken = false;
    asked = [];
    await fixture.reopen();
    await fixture.lake.backfilled();
    // From where the six end, not from the newest on.
    expect(asked).toEqual([expect.any(Number)]);
    expect(await fixture.rows("SELECT count(*) AS n FROM events WHERE eventName = 'TagUser'")).toEqual([
      ['20'],
    ]);
  });
});
