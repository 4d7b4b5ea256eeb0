import { parseArn } from '../../kernel/index.ts';
import type { ValueAverage } from './value-counts.ts';

export type InsightType = 'ApiCallRateInsight' | 'ApiErrorRateInsight';
export type SourceCategory = 'Management' | 'Data';

/**
 * For whom an Insights event is. Of management events: all trails, or the event data store whose events it is about, by its
 * ARN. Of data events: one trail, by its ARN, because ListInsightsData tells them by the trail.
 */
export type InsightReceiver = 'trails' | (string & {});

/** Whether the events have the form of trails; else they have that of event data stores. */
export const isOfTrails = (receiver: InsightReceiver): boolean =>
  receiver === 'trails' || parseArn(receiver)?.resource.startsWith('trail/') === true;

/** What an insight is about. */
export interface InsightSubject {
  readonly accountId: string;
  readonly region: string;
  readonly category: SourceCategory;
  readonly insightType: InsightType;
  readonly eventSource: string;
  readonly eventName: string;
  /** Of error rates alone. */
  readonly errorCode?: string;
}

export const attributes = ['userIdentityArn', 'userAgent', 'errorCode'] as const;
export type Attribute = (typeof attributes)[number];

/** An event as it is counted. */
export interface CountedEvent {
  readonly accountId: string;
  readonly region: string;
  readonly category: SourceCategory;
  readonly eventSource: string;
  readonly eventName: string;
  readonly readOnly: boolean;
  readonly errorCode: string | undefined;
  /** The caller's ARN; of a role session the role's, without the session. */
  readonly caller: string;
  readonly userAgent: string;
  /** Minutes since the epoch. */
  readonly minute: number;
}

/** The beginning or the end of unusual activity, with the reason. */
export interface InsightFinding {
  readonly subject: InsightSubject;
  readonly state: 'Start' | 'End';
  /** Of an end: whose start is in the journal (`InsightReceiver`). */
  readonly announcedTo: readonly InsightReceiver[];
  /** Minutes since the epoch: the first unusual one, and the first one after the last unusual one. */
  readonly startMinute: number;
  readonly endMinute: number;
  /** What was unusual: the API as a whole, or one caller of it. */
  readonly trigger: { readonly by: 'api' } | { readonly by: 'caller'; readonly caller: string };
  /** Of the five minutes that decided, for the trigger: events, what the week's pattern made expect, and the threshold. */
  readonly observed: number;
  readonly expected: number;
  readonly threshold: number;
  /** Events of a minute: over the baseline, and over the insight. */
  readonly baselineAverage: number;
  readonly insightAverage: number;
  readonly baselineMinutes: number;
  readonly attributions: readonly {
    readonly attribute: Attribute;
    readonly insight: readonly ValueAverage[];
    readonly baseline: readonly ValueAverage[];
  }[];
}
