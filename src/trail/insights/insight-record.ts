import { createHmac } from 'node:crypto';
import { isOfTrails, type InsightFinding, type InsightReceiver } from './insight-types.ts';
import { keyOf } from './rate-engine.ts';

const minuteMs = 60_000;

/** A GUID that the same secret and text always give. */
function guid(secret: Uint8Array, text: string): string {
  const bytes = createHmac('sha256', secret).update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/**
 * The ids of an insight: what begins at one minute has one sharedEventID, and its start and its end have one eventID each,
 * however often they are found; those of each receiver are others. Nobody without the secret can take an id before
 * the event does.
 */
export function insightIds(
  secret: Uint8Array,
  { subject, startMinute, state }: InsightFinding,
  receiver: InsightReceiver,
) {
  const of = receiver === 'trails' ? '' : ` ${receiver}`;
  const shared = `${keyOf(subject)} ${startMinute}${of}`;
  return { sharedEventId: guid(secret, shared), eventId: guid(secret, `${shared} ${state}`) };
}

/** The insight without what is of a delivered record alone, for backtests and records alike. */
export function insightDetails(finding: InsightFinding): unknown {
  const { subject, state, startMinute, endMinute } = finding;
  return {
    state,
    eventSource: subject.eventSource,
    eventName: subject.eventName,
    insightType: subject.insightType,
    ...(subject.category === 'Data' && { sourceEventCategory: 'Data' }),
    ...(subject.errorCode !== undefined && { errorCode: subject.errorCode }),
    insightContext: {
      statistics: {
        baseline: { average: finding.baselineAverage },
        insight: { average: finding.insightAverage },
        insightDuration: Math.max(1, endMinute - startMinute),
        baselineDuration: finding.baselineMinutes,
      },
      attributions: finding.attributions,
    },
  };
}

/** Minute at which it began or ended, epoch milliseconds. */
export const insightTime = ({ state, startMinute, endMinute }: InsightFinding): number =>
  (state === 'Start' ? startMinute : endMinute) * minuteMs;

const timeText = (finding: InsightFinding): string =>
  `${new Date(insightTime(finding)).toISOString().slice(0, 19)}Z`;

function insightRecordOfTrails(
  finding: InsightFinding,
  secret: Uint8Array,
  receiver: InsightReceiver,
): unknown {
  const { subject } = finding;
  const { eventId, sharedEventId } = insightIds(secret, finding, receiver);
  return {
    eventVersion: '1.11',
    eventTime: timeText(finding),
    awsRegion: subject.region,
    eventID: eventId,
    eventType: 'AwsCloudTrailInsight',
    recipientAccountId: subject.accountId,
    sharedEventID: sharedEventId,
    insightDetails: insightDetails(finding),
    eventCategory: 'Insight',
    ...(receiver !== 'trails' && { insightSource: receiver }),
  };
}

/** `source` is the ARN of the event data store that the events are of. */
function insightRecordOfStore(finding: InsightFinding, secret: Uint8Array, source: string): unknown {
  const { subject, state, startMinute, endMinute } = finding;
  const { eventId, sharedEventId } = insightIds(secret, finding, source);
  return {
    eventVersion: '1.11',
    eventCategory: 'Insight',
    eventType: 'AwsCloudTrailInsight',
    eventID: eventId,
    eventTime: timeText(finding),
    awsRegion: subject.region,
    recipientAccountId: subject.accountId,
    sharedEventID: sharedEventId,
    insightSource: source,
    insightState: state,
    insightEventSource: subject.eventSource,
    insightEventName: subject.eventName,
    ...(subject.errorCode !== undefined && { insightErrorCode: subject.errorCode }),
    insightType: subject.insightType,
    insightContext: {
      baselineAverage: finding.baselineAverage,
      insightAverage: finding.insightAverage,
      baselineDuration: finding.baselineMinutes,
      insightDuration: Math.max(1, endMinute - startMinute),
      attributions: finding.attributions,
    },
  };
}

/**
 * The Insights event of a finding for a receiver, as UTF-8 JSON ("CloudTrail record contents for Insights events for trails"
 * and "… for event data stores"). Averages are events a minute, durations are minutes.
 */
export function insightRecord(
  finding: InsightFinding,
  secret: Uint8Array,
  receiver: InsightReceiver,
): Buffer {
  const record = isOfTrails(receiver)
    ? insightRecordOfTrails(finding, secret, receiver)
    : insightRecordOfStore(finding, secret, receiver);
  return Buffer.from(JSON.stringify(record));
}
