import type {
  GetTrailStatusRequest,
  GetTrailStatusResponse,
  StartLoggingRequest,
  StopLoggingRequest,
} from '@aws-sdk/client-cloudtrail';
import { readOwnTrail, readTrail } from '../find-trail.ts';
import { trailId, trailKey, type TrailDocument } from '../trail-documents.ts';
import { nothing, type Nothing, type TrailOperation } from '../trail-operation.ts';
import { readTrailStatus, type DeliveryStatus, type TrailStatus } from '../trail-status.ts';
import { onTrail } from './trail-need.ts';

const keyOf = ({ accountId, homeRegion, name }: TrailDocument) => trailKey(accountId, homeRegion, name);

export const StartLogging: TrailOperation<StartLoggingRequest, Nothing> = {
  access: 'write',
  needs: (input, call) => [onTrail('StartLogging', input.Name, call)],
  async handle(input, call, change) {
    const trail = await readOwnTrail(change, input.Name, call);
    if (!trail.isLogging) change.put(keyOf(trail), { ...trail, isLogging: true, startedAt: call.time });
    return nothing;
  },
};

export const StopLogging: TrailOperation<StopLoggingRequest, Nothing> = {
  access: 'write',
  needs: (input, call) => [onTrail('StopLogging', input.Name, call)],
  async handle(input, call, change) {
    const trail = await readOwnTrail(change, input.Name, call);
    if (trail.isLogging) change.put(keyOf(trail), { ...trail, isLogging: false, stoppedAt: call.time });
    return nothing;
  },
};

/** A time as the old members of GetTrailStatus have it: text, empty when it never happened. */
function timeText(time: number | undefined): string {
  return time === undefined ? '' : new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

function timeMember<Name extends string>(
  name: Name,
  time: number | undefined,
): Partial<Readonly<Record<Name, Date>>> {
  return time === undefined ? {} : ({ [name]: new Date(time) } as Partial<Readonly<Record<Name, Date>>>);
}

function errorMember<Name extends string>(
  name: Name,
  error: string | undefined,
): Partial<Readonly<Record<Name, string>>> {
  return error === undefined ? {} : ({ [name]: error } as Partial<Readonly<Record<Name, string>>>);
}

/** The old members say when the last attempt was, and whether it succeeded: then the same time, else nothing. */
function attempts(delivery: DeliveryStatus) {
  const { latestAttemptAt, latestError, latestNotificationAttemptAt, latestNotificationError } = delivery;
  return {
    LatestDeliveryAttemptTime: timeText(latestAttemptAt),
    LatestDeliveryAttemptSucceeded: latestError === undefined ? timeText(latestAttemptAt) : '',
    LatestNotificationAttemptTime: timeText(latestNotificationAttemptAt),
    LatestNotificationAttemptSucceeded:
      latestNotificationError === undefined ? timeText(latestNotificationAttemptAt) : '',
  };
}

function statusShown(trail: TrailDocument, { delivery, digest }: TrailStatus): GetTrailStatusResponse {
  return {
    IsLogging: trail.isLogging,
    ...errorMember('LatestDeliveryError', delivery.latestError),
    ...errorMember('LatestNotificationError', delivery.latestNotificationError),
    ...timeMember('LatestDeliveryTime', delivery.latestAt),
    ...timeMember('LatestNotificationTime', delivery.latestNotificationAt),
    ...timeMember('StartLoggingTime', trail.startedAt),
    ...timeMember('StopLoggingTime', trail.stoppedAt),
    ...timeMember('LatestDigestDeliveryTime', digest.latestAt),
    ...errorMember('LatestDigestDeliveryError', digest.latestError),
    ...attempts(delivery),
    TimeLoggingStarted: timeText(trail.startedAt),
    TimeLoggingStopped: timeText(trail.stoppedAt),
  };
}

export const GetTrailStatus: TrailOperation<GetTrailStatusRequest, GetTrailStatusResponse> = {
  access: 'read',
  needs: (input, call) => [onTrail('GetTrailStatus', input.Name, call)],
  async handle(input, call, change) {
    const trail = await readTrail(change, input.Name, call);
    return statusShown(trail, await readTrailStatus(change, trailId(trail)));
  },
};
