import { describe, expect, it } from 'vitest';
import { addAnswer, emptyTotals, hasProblems, summarise, summaryJson } from './totals.ts';

function totalsOfTwo() {
  const totals = emptyTotals([
    { path: 'a', sizeBytes: 1_000_000 },
    { path: 'b', sizeBytes: 500_000 },
  ]);
  addAnswer(totals, {
    events: 1500,
    added: 1400,
    duplicates: 100,
    bad: 0,
    problems: [],
    accounts: ['222222222222'],
    regions: ['us-east-1', 'eu-west-1'],
    from: '2026-11-02T00:00:00Z',
    to: '2026-11-03T00:00:00Z',
  });
  addAnswer(totals, {
    events: 500,
    added: 500,
    duplicates: 0,
    bad: 0,
    problems: [],
    accounts: ['111111111111'],
    regions: ['us-east-1'],
    from: '2026-11-01T00:00:00Z',
    to: '2026-11-02T00:00:00Z',
  });
  totals.filesDone = 2;
  totals.bytesDone = 1_500_000;
  return totals;
}

describe('summarise', () => {
  it('tells files, events, accounts, regions, time span and rate', () => {
    const totals = totalsOfTwo();
    expect(hasProblems(totals)).toBe(false);
    expect(summarise(totals, [], 2000)).toEqual([
      'files     2 files (1.5 MB)',
      'events    2,000 events: 1,900 new, 100 duplicates',
      'accounts  111111111111, 222222222222',
      'regions   eu-west-1, us-east-1',
      'time      2026-11-01T00:00:00Z to 2026-11-03T00:00:00Z',
      'took      2 s (1,000 events/s, 750 KB/s)',
    ]);
  });

  it('tells what was left out and what is wrong', () => {
    const totals = totalsOfTwo();
    totals.filesKnown = 1;
    totals.badRecords = 1;
    totals.broken.push({ path: 'c', reason: 'cut off' });
    const lines = summarise(totals, [{ what: 'CloudTrail digest file', count: 3 }], 0);
    expect(hasProblems(totals)).toBe(true);
    expect(lines[0]).toBe('files     2 files (1.5 MB), 1 imported before, 1 broken');
    expect(lines[1]).toContain('1 bad record');
    expect(lines).toContain('passed    3 CloudTrail digest files (no CloudTrail log files)');
  });

  it('bounds long lists of names and neutralises them', () => {
    const totals = totalsOfTwo();
    for (let at = 0; at < 20; at++) totals.regions.add(`r-${at}`);
    totals.accounts.add('\u001b[31m');
    const lines = summarise(totals, [], 1).join('\n');
    expect(lines).toContain('and 10 more');
    expect(lines).not.toContain('\u001b');
  });

  it('is one JSON object for programs', () => {
    const summary = JSON.parse(summaryJson(totalsOfTwo(), [], 1234.5)) as Record<string, unknown>;
    expect(summary).toMatchObject({
      events: 2000,
      added: 1900,
      accounts: ['111111111111', '222222222222'],
      from: '2026-11-01T00:00:00Z',
      broken: [],
      durationMs: 1235,
    });
  });
});
