import { describe, expect, it } from 'vitest';
import { bodyOf } from '../../test/trail-fixture.ts';
import { manualClock } from '../kernel/index.ts';
import type { RouteRequest } from '../wire/index.ts';
import { monitorRoutes, openMetrics, type Measurements } from './index.ts';

const gib = 1024 ** 3;

const well: Measurements = {
  readers: [{ stream: 'audit', name: 'history', applied: 10, lag: 0 }],
  disk: { freeBytes: 100 * gib, totalBytes: 200 * gib },
  journalBytes: 1_000,
  history: { events: 10, segments: 1, sizeBytes: 2_600 },
  damage: 0,
  unindexed: 0,
  suppressedRecords: 0,
  bus: { delivered: 3, failedAttempts: 2, givenUp: 1, waiting: 4 },
};

/** What a path answers where this is measured: its status and its text. */
async function ask(path: string, over: Partial<Measurements>): Promise<readonly [number, string]> {
  const routes = monitorRoutes({
    clock: manualClock(0),
    version: '1.2.3',
    metrics: openMetrics(),
    managementAccountId: '000000000000',
    measure: () => Promise.resolve({ ...well, ...over }),
    damage: () => [],
  });
  const route = routes.find((one) => one.path === path)!;
  const answer = await route.handle({} as RouteRequest, {});
  return [answer.status, (await bodyOf(answer)).toString()];
}

async function health(over: Partial<Measurements>) {
  const [status, body] = await ask('/_cairn/health', over);
  return { code: status, ...(JSON.parse(body) as { status: string; version: string; problems: string[] }) };
}

describe('GET /_cairn/health', () => {
  it('is 200 and has nothing to say where all is well', async () => {
    expect(await health({})).toMatchObject({ code: 200, status: 'ok', version: '1.2.3', problems: [] });
  });

  it.each<[string, Partial<Measurements>, RegExp]>([
    ['little room', { disk: { freeBytes: gib / 4, totalBytes: gib } }, /only 256 MiB are left/],
    [
      'a reader that is behind',
      { readers: [{ stream: 'audit', name: 'history', applied: 0, lag: 100_001 }] },
      /history is 100001 entries behind/,
    ],
    ['damage', { damage: 2 }, /2 damaged stretches/],
    ['records that are not indexed', { unindexed: 3 }, /3 journal records/],
    ['what a part says', { partProblems: ['the certificate expires'] }, /^the certificate expires$/],
  ])('names %s, and goes on', async (_, over, problem) => {
    const answer = await health(over);
    expect(answer).toMatchObject({ code: 200, status: 'ok' });
    expect(answer.problems).toEqual([expect.stringMatching(problem)]);
  });

  it('is 503 once only a restart helps, so that whoever watches over the process sees it', async () => {
    const answer = await health({ journalFailure: 'writing journal/a.segment failed: EIO' });
    expect(answer).toMatchObject({ code: 503, status: 'failed' });
    expect(answer.problems).toEqual([expect.stringMatching(/a\.segment failed: EIO; .*restart Cairn$/)]);
  });
});

describe('GET /_cairn/metrics', () => {
  it('has what was measured', async () => {
    const [, text] = await ask('/_cairn/metrics', { damage: 2, journalFailure: 'x' });
    for (const line of [
      'cairn_journal_reader_lag_entries{stream="audit",reader="history"} 0',
      'cairn_journal_failed 1',
      'cairn_damaged_stretches 2',
      'cairn_bus_delivered 3',
      'cairn_bus_failed_attempts 2',
      'cairn_bus_given_up 1',
      'cairn_bus_waiting 4',
      `cairn_disk_free_bytes ${100 * gib}`,
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect((await ask('/_cairn/metrics', {}))[1]).toContain('cairn_journal_failed 0');
  });
});
