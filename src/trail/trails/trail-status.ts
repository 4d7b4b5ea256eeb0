import type { StateView } from '../../state/index.ts';

/** How the delivery of a trail's log files stands, under `trail/status/ID/delivery` with the trail's id. Times are epoch milliseconds. */
export interface DeliveryStatus {
  /** When files were last in their bucket. */
  readonly latestAt?: number;
  /** What the last attempt failed with, such as `AccessDenied` or `NoSuchBucket`; absent when it succeeded. */
  readonly latestError?: string;
  readonly latestAttemptAt?: number;
  readonly latestNotificationAt?: number;
  readonly latestNotificationError?: string;
  readonly latestNotificationAttemptAt?: number;
}

/** How the delivery of a trail's digest files stands, under `trail/status/ID/digest`. */
export interface DigestStatus {
  /** Epoch milliseconds. */
  readonly latestAt?: number;
  readonly latestError?: string;
}

export const deliveryStatusKey = (id: string): string => `trail/status/${id}/delivery`;
/** Written by the digests. */
const digestStatusKey = (id: string): string => `trail/status/${id}/digest`;

export interface TrailStatus {
  readonly delivery: DeliveryStatus;
  readonly digest: DigestStatus;
}

export async function readTrailStatus(view: StateView, id: string): Promise<TrailStatus> {
  const delivery = await view.get<DeliveryStatus>(deliveryStatusKey(id));
  const digest = await view.get<DigestStatus>(digestStatusKey(id));
  return { delivery: delivery?.value ?? {}, digest: digest?.value ?? {} };
}
