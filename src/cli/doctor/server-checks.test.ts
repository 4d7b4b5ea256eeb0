import { describe, expect, it } from 'vitest';
import { drawCheck, sumUp } from './check.ts';
import { checkClock, checkNewestEvent, checkStatus } from './server-checks.ts';

const now = Date.UTC(2026, 10, 22, 12);
const minute = 60_000;

describe('checkClock', () => {
  it.each([
    [now, undefined, 'ok'],
    [now, now - minute, 'ok'],
    [now, now + 3 * minute, 'warn'],
    [now, now - 15 * minute, 'fail'],
    [Date.UTC(1970, 0, 1), undefined, 'fail'],
  ])('%d beside %s is %s', (here, server, level) => {
    expect(checkClock(here, server).level).toBe(level);
  });

  it('says which way it is off', () => {
    expect(checkClock(now, now + 20 * minute).finding).toContain('20 min 00 s behind');
    expect(checkClock(now, now - 20 * minute).finding).toContain('20 min 00 s ahead');
  });
});

describe('checkNewestEvent', () => {
  it('wonders about events from the future alone', () => {
    expect(checkNewestEvent(undefined, now)).toBeUndefined();
    expect(checkNewestEvent(now + minute, now)).toBeUndefined();
    expect(checkNewestEvent(now + 60 * minute, now)).toMatchObject({ level: 'warn' });
  });
});

const status = {
  time: '2026-11-22T12:00:00Z',
  problems: [],
  damage: [],
  measurements: {
    readers: [{ stream: 'audit', name: 'history', lag: 0 }],
    disk: { freeBytes: 1e12, totalBytes: 2e12 },
    journalBytes: 1e6,
    history: { events: 10, segments: 1, sizeBytes: 2600 },
    unindexed: 0,
  },
};

describe('checkStatus', () => {
  it('has nothing to say against a server that is well', () => {
    expect(checkStatus(status).every(({ level }) => level === 'ok')).toBe(true);
  });

  it('reports lags by their size, damage, and records that are not indexed', () => {
    const readers = [
      { stream: 'audit', name: 'history', lag: 20_000 },
      { stream: 'audit', name: 'state', lag: 2_000_000 },
    ];
    const checks = checkStatus({
      ...status,
      damage: ['audit-0.log at byte 7'],
      measurements: { ...status.measurements, readers, unindexed: 2, journalFailure: 'writing f failed' },
    });
    const wrong = checks.filter(({ level }) => level !== 'ok').map(({ level, name }) => `${level} ${name}`);
    expect(wrong).toEqual(['warn reader', 'fail reader', 'fail journal', 'fail damage', 'warn records']);
    for (const check of checks) expect(check.level === 'ok' || check.advice !== undefined).toBe(true);
  });
});

describe('what parts say', () => {
  it('is shown, and tampering is a failure', () => {
    const partProblems = [
      'TAMPERING: the witness w says: it has seen 580 records of this log, and only 575 are here',
      'the witness v does not cosign: no answer within 10 seconds',
    ];
    const checks = checkStatus({ ...status, measurements: { ...status.measurements, partProblems } });
    expect(checks.filter(({ level }) => level !== 'ok')).toMatchObject([
      {
        level: 'fail',
        name: 'tampering',
        finding: 'the witness w says: it has seen 580 records of this log, and only 575 are here',
      },
      { level: 'warn', finding: 'the witness v does not cosign: no answer within 10 seconds' },
    ]);
  });
});

describe('drawCheck', () => {
  it('shows the finding, neutralised, and what to do', () => {
    const check = { level: 'warn', name: 'disk', finding: 'a\u001b[2J', advice: 'make room' } as const;
    expect(drawCheck(check, false)).toBe(
      `warn  disk            a\\x1b[2J\n      ${' '.repeat(14)}  → make room`,
    );
    expect(sumUp([check])).toBe('0 ok, 1 to look at, 0 wrong');
  });
});
