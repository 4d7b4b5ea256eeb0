import { describe, expect, it } from 'vitest';
import { eventOf, simulate, uniform, type Api } from '../../../test/simulation/traffic.ts';
import type { InsightFinding } from './insight-types.ts';
import { countEvent, newRateEngine, passTime } from './rate-engine.ts';

const minuteMs = 60_000;
const day = 1440;
/** A Monday at midnight, minutes since the epoch. */
const start = Date.UTC(2026, 8, 7) / minuteMs;
const role = (name: string) => `arn:aws:sts::000000000000:assumed-role/${name}`;

const apis: readonly Api[] = [
  { event: { eventSource: 'ec2.amazonaws.com', eventName: 'RunInstances' }, perMinute: 3, quiet: 0.1, steadiness: 4, callers: [role('scaler'), role('ops')] },
  { event: { eventSource: 'ec2.amazonaws.com', eventName: 'TerminateInstances' }, perMinute: 2, quiet: 0.2, steadiness: 2, callers: [role('scaler')] },
  { event: { eventSource: 's3.amazonaws.com', eventName: 'PutBucketTagging' }, perMinute: 0.05, quiet: 0, steadiness: 2, callers: [role('ops')], bursts: { perWeek: 2, perMinute: 20 } },
  { event: { eventSource: 'backup.amazonaws.com', eventName: 'StartBackupJob' }, perMinute: 0.02, quiet: 1, steadiness: 3, callers: [role('backup')], nightly: 60 },
  { event: { eventSource: 'kms.amazonaws.com', eventName: 'Sign', category: 'Data', readOnly: true }, perMinute: 60, quiet: 0.5, steadiness: 10, callers: [role('web'), role('batch')] },
  { event: { eventSource: 'iam.amazonaws.com', eventName: 'CreateUser' }, perMinute: 0.01, quiet: 0, steadiness: 1, callers: [role('ops')] },
  { event: { eventSource: 'lambda.amazonaws.com', eventName: 'Invoke', category: 'Data', errorCode: 'TooManyRequestsException' }, perMinute: 0.5, quiet: 0.5, steadiness: 1, callers: [role('web')] },
  { event: { eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances', readOnly: true, errorCode: 'AccessDenied' }, perMinute: 0.2, quiet: 0.3, steadiness: 1.5, callers: [role('scan')] },
]; // prettier-ignore

interface Incident {
  readonly from: number;
  readonly minutes: number;
  readonly perMinute: number;
  readonly api: Pick<Api, 'event'>;
  readonly caller: string;
}

function run(days: number, seed: number, incidents: readonly Incident[] = [], traffic = apis) {
  const engine = newRateEngine(start * minuteMs);
  const found: InsightFinding[] = [];
  simulate(
    traffic,
    start,
    start + days * day,
    uniform(seed),
    (event, times) => countEvent(engine, event, times),
    (minute) => {
      for (const { from, minutes, perMinute, api, caller } of incidents) {
        if (minute >= from && minute < from + minutes)
          countEvent(engine, eventOf(api, caller, minute), perMinute);
      }
      found.push(...passTime(engine, (minute + 1) * minuteMs));
    },
  );
  found.push(...passTime(engine, (start + days * day + 60) * minuteMs));
  return { engine, found };
}

const startsOf = (found: readonly InsightFinding[]) => found.filter(({ state }) => state === 'Start');
const shown = ({ subject, trigger, startMinute, observed, threshold }: InsightFinding) =>
  `${subject.eventName} by ${trigger.by} at day ${((startMinute - start) / day).toFixed(2)}: ${observed} of ${threshold.toFixed(0)}`;

describe('false alarms', () => {
  // Eight APIs, two of them with a job at night or bursts at random times, for a month behind the first week.
  it.each([1, 3])('of weeks of ordinary traffic are at most two a month (seed %i)', (seed) => {
    const starts = startsOf(run(35, seed).found);
    expect(starts.length, starts.map(shown).join('; ')).toBeLessThanOrEqual(2);
  });
});

describe('a clock that was ahead and is put back', () => {
  const terminate = apis[1]!;
  const storm = (from: number): Incident => ({
    from,
    minutes: 10,
    perMinute: 60,
    api: terminate,
    caller: role('ops'),
  });
  /** Three weeks of traffic, the clock ahead by so many days for a moment, a day of traffic and then a storm. */
  const ahead = (days: number, stormAfter: number) => {
    const { engine } = run(21, 5, [], [terminate]);
    const now = start + 21 * day;
    passTime(engine, (now + days * day) * minuteMs);
    const found: InsightFinding[] = [];
    const { from, minutes, perMinute, api, caller } = storm(now + stormAfter * day);
    simulate(
      [terminate],
      now,
      now + (stormAfter + 1) * day,
      uniform(6),
      (event, times) => countEvent(engine, event, times),
      (minute) => {
        if (minute >= from && minute < from + minutes)
          countEvent(engine, eventOf(api, caller, minute), perMinute);
        found.push(...passTime(engine, (minute + 1) * minuteMs));
      },
    );
    return found.map(({ state, startMinute }) => [state, Math.round((startMinute - from) / 10) * 10]);
  };

  it.each([
    ['by two hours', 2 / 24],
    ['by two days', 2],
    ['by two weeks', 14],
  ])('%s goes on with its baseline', (_, days) => {
    expect(ahead(days, 1)).toEqual([
      ['Start', 0],
      ['End', 0],
    ]);
  });

  it('by a year begins as a young account does, without an alarm', () => {
    expect(ahead(365, 1)).toEqual([]);
    expect(ahead(365, 9)).toEqual([
      ['Start', 0],
      ['End', 0],
    ]);
  });
});

describe('what is unusual', () => {
  const scan = apis[7]!;
  const terminate = apis[1]!;
  const find = (days: number, incident: Incident, traffic: readonly Api[] = [terminate, scan]) =>
    run(days, 5, [incident], traffic).found;

  it('is a storm of errors, from its beginning to its end, attributed to who made it', () => {
    const incident = {
      from: start + 20 * day + 3 * 60,
      minutes: 45,
      perMinute: 30,
      api: scan,
      caller: role('stolen'),
    };
    const [begun, ended, ...more] = find(22, incident);
    expect(more).toEqual([]);
    expect(begun).toMatchObject({
      state: 'Start',
      startMinute: incident.from,
      trigger: { by: 'api' },
      subject: {
        insightType: 'ApiErrorRateInsight',
        eventName: 'DescribeInstances',
        errorCode: 'AccessDenied',
      },
    });
    expect(begun!.baselineMinutes).toBe(20 * day);
    expect(begun!.baselineAverage).toBeLessThan(0.2);
    expect(begun!.insightAverage).toBeGreaterThanOrEqual(30);
    const [who, agent, error] = begun!.attributions;
    expect(who!.attribute).toBe('userIdentityArn');
    expect(who!.insight[0]!.value).toBe(role('stolen'));
    expect(who!.baseline.map(({ value }) => value)).toEqual([role('scan')]);
    expect(agent!.insight[0]!.value).toBe('terraform');
    expect(error!.insight[0]!.value).toBe('AccessDenied');
    expect(ended).toMatchObject({ state: 'End', startMinute: incident.from });
    // Calm is known a window of five minutes late at most.
    expect(ended!.endMinute - incident.from - 45).toBeGreaterThanOrEqual(0);
    expect(ended!.endMinute - incident.from - 45).toBeLessThanOrEqual(5);
  });

  it('is at night what is usual by day', () => {
    const busy = Date.UTC(2026, 9, 1, 12) / 60_000;
    const night = busy - 9 * 60;
    const calls = { minutes: 30, perMinute: 12, api: terminate, caller: role('scaler') };
    expect(startsOf(find(25, { ...calls, from: night }))).toMatchObject([
      { subject: { eventName: 'TerminateInstances' }, startMinute: night },
    ]);
    expect(startsOf(find(25, { ...calls, perMinute: 4, from: busy }))).toEqual([]);
  });

  it('is one caller who changes, in an API where it does not show', () => {
    const busy: Api = {
      event: { eventSource: 'sqs.amazonaws.com', eventName: 'SendMessage', category: 'Data' },
      perMinute: 300, quiet: 1, steadiness: 8, callers: [role('web')],
    }; // prettier-ignore
    const rare: Api = { ...busy, perMinute: 1, callers: [role('ops')] };
    const incident = { from: start + 15 * day, minutes: 60, perMinute: 40, api: busy, caller: role('ops') };
    const found = find(16, incident, [busy, rare]);
    expect(found).toMatchObject([
      { state: 'Start', trigger: { by: 'caller', caller: role('ops') } },
      { state: 'End' },
    ]);
    expect(found[0]!.startMinute).toBe(incident.from);
    // A caller without a week of its own is judged with everybody else.
    expect(find(16, { ...incident, caller: role('new') }, [busy, rare])).toEqual([]);
  });

  it('is no single burst, and nothing in the first week of an account', () => {
    const burst = { from: start + 20 * day, minutes: 1, perMinute: 500, api: terminate, caller: role('ops') };
    expect(find(21, burst)).toEqual([]);
    const early = { from: start + 6 * day, minutes: 30, perMinute: 500, api: terminate, caller: role('ops') };
    expect(find(6.9, early)).toEqual([]);
    expect(startsOf(find(9, { ...early, from: start + 8 * day }))).toHaveLength(1);
  });

  it('becomes usual when it stays', () => {
    const incident = {
      from: start + 14 * day,
      minutes: 14 * day,
      perMinute: 20,
      api: terminate,
      caller: role('ops'),
    };
    const found = find(28, incident);
    // By day it is usual after a day and a half; at night, once more, after two.
    expect(startsOf(found).length).toBeLessThanOrEqual(2);
    expect(found.at(-1)!.state).toBe('End');
    expect(found.at(-1)!.endMinute - incident.from).toBeLessThan(3 * day);
  });
});

describe('the engine', () => {
  it('finds the same whatever the order of the events of a minute, and however often it is asked', () => {
    const incident = {
      from: start + 10 * day,
      minutes: 30,
      perMinute: 60,
      api: apis[0]!,
      caller: role('ops'),
    };
    const play = (reversed: boolean) => {
      const engine = newRateEngine(start * minuteMs);
      const found: InsightFinding[] = [];
      let waiting: (() => void)[] = [];
      simulate(apis, start, start + 11 * day, uniform(9), (event, times) => waiting.push(() => countEvent(engine, event, times)), (minute) => {
        if (minute >= incident.from && minute < incident.from + 30) {
          waiting.push(() => countEvent(engine, eventOf(incident.api, incident.caller, minute), 60));
        }
        for (const count of reversed ? waiting.toReversed() : waiting) count();
        waiting = [];
        if (!reversed || minute % 3 === 0) found.push(...passTime(engine, (minute + 1) * minuteMs));
      }); // prettier-ignore
      return found.map(shown);
    };
    const found = play(false);
    expect(found.length).toBeGreaterThan(1);
    expect(play(true)).toEqual(found);
  });

  it('has bounds: what does not fit is counted as such', () => {
    const engine = newRateEngine(start * minuteMs);
    for (let n = 0; n < 5_000; n += 1) {
      countEvent(engine, eventOf({ event: { eventSource: 's', eventName: `E${n}` } }, role('x'), start));
    }
    expect(engine.apis.size).toBe(4_000);
    expect(engine.uncounted).toBe(1_000);
    for (let n = 0; n < 100; n += 1) {
      countEvent(engine, eventOf({ event: { eventSource: 's', eventName: 'E0' } }, role(`r${n}`), start));
    }
    expect(engine.apis.values().next().value?.callers.size).toBe(8);
    passTime(engine, (start + 40 * day) * minuteMs);
    expect(engine.apis.size).toBe(0);
    expect(engine.cells).toBe(0);
  });

  it('counts late events for the baseline alone, and none from before it', () => {
    const engine = newRateEngine(start * minuteMs);
    const api = { event: { eventSource: 's', eventName: 'E' } };
    countEvent(engine, eventOf(api, role('x'), start - 3 * day), 100);
    expect([engine.cells, engine.live.size]).toEqual([2, 0]);
    countEvent(engine, eventOf(api, role('x'), start - 29 * day), 100);
    countEvent(engine, eventOf(api, role('x'), start + day), 100);
    expect(engine.cells).toBe(2);
  });
});
