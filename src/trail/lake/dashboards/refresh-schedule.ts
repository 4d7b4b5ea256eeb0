import type { RefreshSchedule } from '@aws-sdk/client-cloudtrail';
import { invalidParameter } from '../api/lake-operation.ts';

/** When a dashboard is refreshed, as RefreshSchedule says it. */
export interface RefreshScheduleDocument {
  readonly status: 'ENABLED' | 'DISABLED';
  readonly frequency?: { readonly unit: 'HOURS' | 'DAYS'; readonly value: number };
  /** `HH:MM`, UTC. */
  readonly timeOfDay?: string;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const midnight = '00:00';

/** Hours between two refreshes: custom dashboards have these alone ("RefreshScheduleFrequency"). */
const hoursOf: Readonly<Record<'HOURS' | 'DAYS', readonly number[]>> = { HOURS: [1, 6, 12, 24], DAYS: [1] };

function checkFrequency({
  Unit,
  Value,
}: NonNullable<RefreshSchedule['Frequency']>): RefreshScheduleDocument['frequency'] {
  if (Unit === undefined || Value === undefined)
    throw invalidParameter('RefreshSchedule.Frequency needs both Unit and Value.');
  if (!hoursOf[Unit].includes(Value))
    throw invalidParameter(
      `RefreshSchedule.Frequency has the unit ${Unit} and the value ${Value}; with ${Unit} the value is one of ${hoursOf[Unit].join(', ')}.`,
    );
  return { unit: Unit, value: Value };
}

function checkTimeOfDay(time: string): string {
  if (/^(?:[01]\d|2[0-3]):[0-5]\d$/.test(time)) return time;
  throw invalidParameter(`RefreshSchedule.TimeOfDay is a time from 00:00 to 23:59, not ${time}.`);
}

/**
 * The schedule after a request: what the request leaves out stays ("Update the refresh schedule with the AWS CLI" turns
 * it off by Status alone). Throws InvalidParameterException for what cannot be a schedule.
 */
export function changedSchedule(
  old: RefreshScheduleDocument | undefined,
  { Frequency, Status, TimeOfDay }: RefreshSchedule,
): RefreshScheduleDocument {
  const frequency = Frequency ? checkFrequency(Frequency) : old?.frequency;
  const timeOfDay = TimeOfDay === undefined ? old?.timeOfDay : checkTimeOfDay(TimeOfDay);
  const status = Status ?? old?.status ?? 'DISABLED';
  if (status === 'ENABLED' && !frequency)
    throw invalidParameter('RefreshSchedule.Frequency is missing: an enabled schedule needs one.');
  return { status, ...(frequency && { frequency }), ...(timeOfDay !== undefined && { timeOfDay }) };
}

export function shownSchedule({ status, frequency, timeOfDay }: RefreshScheduleDocument): RefreshSchedule {
  return {
    ...(frequency && { Frequency: { Unit: frequency.unit, Value: frequency.value } }),
    Status: status,
    TimeOfDay: timeOfDay ?? midnight,
  };
}

/**
 * The first time after `now` (epoch milliseconds) at which the schedule refreshes, in UTC; undefined while it does not.
 * A daily one does at TimeOfDay. Of an hourly one TimeOfDay gives the minute alone ("RefreshSchedule"); it refreshes in
 * the hours of the day that Value divides.
 */
export function nextRefreshAt(
  schedule: RefreshScheduleDocument | undefined,
  now: number,
): number | undefined {
  if (schedule?.status !== 'ENABLED' || !schedule.frequency) return undefined;
  const { unit, value } = schedule.frequency;
  const [hours = 0, minutes = 0] = (schedule.timeOfDay ?? midnight).split(':').map(Number);
  const everyMs = (unit === 'DAYS' ? 24 * value : value) * hourMs;
  const offsetMs = (unit === 'DAYS' ? hours * hourMs : 0) + minutes * minuteMs;
  return (Math.floor((now - offsetMs) / everyMs) + 1) * everyMs + offsetMs;
}
