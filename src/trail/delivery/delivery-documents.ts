import { sequence, type Sequence } from '../../kernel/index.ts';
import type { StateDocument } from '../../state/index.ts';
import type { TrailName } from '../trails/ended-trails.ts';
import type { TrailDocument } from '../trails/trail-documents.ts';

/** What decides which events a trail logs. */
export type LoggingSettings = Pick<
  TrailDocument,
  | 'isLogging'
  | 'isMultiRegion'
  | 'includeGlobalServiceEvents'
  | 'eventSelectors'
  | 'advancedEventSelectors'
  | 'insightSelectors'
>;

/** The folder that events of a kind are delivered under. */
export type EventClass = 'CloudTrail' | 'CloudTrail-Insight' | 'CloudTrail-NetworkActivity';

/** One log file of a plan. */
export interface PlannedFile {
  readonly key: string;
  readonly region: string;
  readonly eventClass: EventClass;
  /** The journal's sequence of its first record. */
  readonly first: number;
  readonly records: number;
  /** SHA-256 of the inflated bytes, in hexadecimal. */
  readonly sha256: string;
  /** eventTime of its oldest and newest record, epoch milliseconds. */
  readonly oldestEventTime: number;
  readonly newestEventTime: number;
  /** Set when an attempt failed behind this file: it is in its bucket and is not put again. */
  readonly done?: true;
  /** The bucket that it is in, when the trail delivers into another one by now. */
  readonly bucket?: string;
}

/**
 * What is about to be delivered: it is committed before the first file is put, so that after a crash the same files are put
 * again under the same keys with the same bytes.
 */
export interface DeliveryPlan {
  /** Behind the last entry that the files cover, which begins at the document's position. */
  readonly to: number;
  /** As they are at `to`. */
  readonly logging: LoggingSettings;
  readonly bucket: string;
  readonly prefix?: string;
  readonly kmsKeyArn?: string;
  readonly files: readonly PlannedFile[];
}

/** How far a trail has been delivered, under `trail/delivery/ID` with the trail's id. */
export interface DeliveryDocument {
  readonly trailArn: string;
  readonly incarnation?: string;
  readonly accountId: string;
  readonly homeRegion: string;
  readonly name: string;
  /** Everything of the journal before it is delivered; absent at first, when it is the version of this document. */
  readonly position?: number;
  /** As they were at the position: later changes are met in the journal, each in its place. */
  readonly logging: LoggingSettings;
  readonly plan?: DeliveryPlan;
  /** Of the last delivery, epoch milliseconds. */
  readonly deliveredAt?: number;
}

export const deliveriesPrefix = 'trail/delivery/';
export const deliveryKey = (id: string): string => `${deliveriesPrefix}${id}`;

/** The trail that a document is about. */
export function trailNameOf({ trailArn: arn, ...document }: DeliveryDocument): TrailName {
  const { incarnation, accountId, homeRegion, name } = document;
  return { arn, ...(incarnation !== undefined && { incarnation }), accountId, homeRegion, name };
}

export function loggingOf(trail: TrailDocument): LoggingSettings {
  const { isLogging, isMultiRegion, includeGlobalServiceEvents } = trail;
  const { eventSelectors, advancedEventSelectors, insightSelectors } = trail;
  return {
    isLogging,
    isMultiRegion,
    includeGlobalServiceEvents,
    ...(eventSelectors && { eventSelectors }),
    ...(advancedEventSelectors && { advancedEventSelectors }),
    ...(insightSelectors && { insightSelectors }),
  };
}

/** The document of a trail that is being created. */
export function newDelivery(trail: TrailDocument): DeliveryDocument {
  const { arn, incarnation, accountId, homeRegion, name } = trail;
  return {
    trailArn: arn,
    ...(incarnation !== undefined && { incarnation }),
    accountId,
    homeRegion,
    name,
    logging: loggingOf(trail),
  };
}

export function positionOf({ value, version }: StateDocument<DeliveryDocument>): Sequence {
  return sequence(value.position ?? version);
}
