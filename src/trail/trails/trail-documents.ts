import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import type { StateView } from '../../state/index.ts';

/** A trail, under `trail/trails/ACCOUNT/REGION/NAME` with its home region. */
export interface TrailDocument {
  readonly name: string;
  readonly arn: string;
  /** Tells trails of one ARN apart, one made after the other was deleted; trails of earlier versions have none. */
  readonly incarnation?: string;
  readonly accountId: string;
  readonly homeRegion: string;
  readonly bucket: string;
  readonly prefix?: string;
  readonly snsTopicArn?: string;
  readonly includeGlobalServiceEvents: boolean;
  readonly isMultiRegion: boolean;
  readonly logFileValidation: boolean;
  readonly kmsKeyArn?: string;
  readonly logGroupArn?: string;
  readonly logGroupRoleArn?: string;
  /** One of the two; neither stands for all management events. */
  readonly eventSelectors?: readonly CloudTrail.EventSelector[];
  readonly advancedEventSelectors?: readonly CloudTrail.AdvancedEventSelector[];
  readonly insightSelectors?: readonly CloudTrail.InsightSelector[];
  readonly isLogging: boolean;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly stoppedAt?: number;
  readonly tags?: readonly { readonly Key: string; readonly Value: string }[];
}

export const trailsPrefix = 'trail/trails/';
export const trailKey = (accountId: string, homeRegion: string, name: string): string =>
  `${trailsPrefix}${accountId}/${homeRegion}/${name}`;

/** What everything that is kept of a trail stands under, so that a trail of the same name never meets what is left of it. */
export const trailId = ({ arn, incarnation }: Pick<TrailDocument, 'arn' | 'incarnation'>): string =>
  incarnation === undefined ? arn : `${arn}@${incarnation}`;

/** All trails of an account, or of everybody, in key order. */
export async function readTrails(view: StateView, accountId?: string): Promise<readonly TrailDocument[]> {
  const prefix = accountId === undefined ? trailsPrefix : `${trailsPrefix}${accountId}/`;
  return (await view.list<TrailDocument>(prefix)).map(({ value }) => value);
}
