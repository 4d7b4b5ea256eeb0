import { describe, expect, it } from 'vitest';
import { changedSchedule, nextRefreshAt, shownSchedule } from './refresh-schedule.ts';

const at = (text: string) => Date.parse(`${text}Z`);

describe('a refresh schedule', () => {
  // "RefreshSchedule": "the time of day in UTC to run the schedule; for hourly only refer to minutes; default is 00:00".
  it.each([
    ['HOURS', 1, undefined, '2026-11-22T10:20', '2026-11-22T11:00'],
    ['HOURS', 1, '05:30', '2026-11-22T10:20', '2026-11-22T10:30'],
    ['HOURS', 1, '05:30', '2026-11-22T10:30', '2026-11-22T11:30'],
    ['HOURS', 6, '00:15', '2026-11-22T06:15', '2026-11-22T12:15'],
    ['HOURS', 6, '00:15', '2026-11-22T20:00', '2026-11-23T00:15'],
    ['HOURS', 12, undefined, '2026-11-22T11:59', '2026-11-22T12:00'],
    ['HOURS', 24, '09:10', '2026-11-22T00:05', '2026-11-22T00:10'],
    ['DAYS', 1, '09:10', '2026-11-22T00:05', '2026-11-22T09:10'],
    ['DAYS', 1, '09:10', '2026-11-22T09:10', '2026-11-23T09:10'],
    ['DAYS', 1, undefined, '2026-11-22T09:10', '2026-11-23T00:00'],
  ] as const)('of %s %s at %s refreshes after %s at %s', (Unit, Value, TimeOfDay, now, next) => {
    const schedule = changedSchedule(undefined, {
      Frequency: { Unit, Value },
      Status: 'ENABLED',
      TimeOfDay,
    });
    expect(new Date(nextRefreshAt(schedule, at(now)) ?? 0)).toEqual(new Date(at(next)));
  });

  it('keeps what a request leaves out, and does nothing while it is disabled', () => {
    const six = changedSchedule(undefined, { Frequency: { Unit: 'HOURS', Value: 6 }, Status: 'ENABLED' });
    const off = changedSchedule(six, { Status: 'DISABLED' });
    expect(shownSchedule(off)).toEqual({
      Frequency: { Unit: 'HOURS', Value: 6 },
      Status: 'DISABLED',
      TimeOfDay: '00:00',
    });
    expect(nextRefreshAt(off, 0)).toBeUndefined();
    expect(nextRefreshAt(changedSchedule(off, { Status: 'ENABLED' }), 0)).toBe(6 * 3_600_000);
  });

  it.each([
    [{ Status: 'ENABLED' }],
    [{ Frequency: { Unit: 'HOURS', Value: 2 } }],
    [{ Frequency: { Unit: 'DAYS', Value: 2 } }],
    [{ Frequency: { Unit: 'HOURS' } }],
    [{ TimeOfDay: '24:00' }],
    [{ TimeOfDay: '10:60' }],
  ] as const)('cannot be %j', (wanted) => {
    expect(() => changedSchedule(undefined, wanted)).toThrow(
      expect.objectContaining({ code: 'InvalidParameterException' }),
    );
  });
});
