/**
 * Trails: what is logged for whom, and where it is delivered. In flow the operations of CloudTrail on trails, their
 * selectors, their tags and resource policies; out flow the documents by which delivery, digests and insights go. Opening
 * them starts delivery. FORMAT.md of `trail/delivery` describes the documents.
 */
import type { Clock, Logger, Random } from '../../kernel/index.ts';
import type { AuthoriseService } from '../../identity/index.ts';
import type { Stream } from '../../journal/index.ts';
import type { Change, State } from '../../state/index.ts';
import type { Operations } from '../../wire/index.ts';
import type { Buckets } from '../buckets.ts';
import { openDelivery, type Delivery, type DeliveryOptions } from '../delivery/index.ts';
import { GetEventSelectors, PutEventSelectors } from './api/event-selectors.ts';
import { GetTrailStatus, StartLogging, StopLogging } from './api/logging.ts';
import { DeleteResourcePolicy, GetResourcePolicy, PutResourcePolicy } from './api/resource-policies.ts';
import { AddTags, ListTags, RemoveTags } from './api/tags.ts';
import { CreateTrail, DeleteTrail, DescribeTrails, GetTrail, ListTrails, UpdateTrail } from './api/trails.ts';
import type { OtherResources } from './other-resources.ts';
import type { DeliveryTopics, TrailKeys } from './trail-needs.ts';
import { bindOperations } from './trail-operation.ts';

export interface TrailsOptions {
  readonly state: State;
  /** The journal's `audit` stream. */
  readonly stream: Stream;
  readonly buckets: Pick<Buckets, 'find' | 'put'>;
  /** Where log files are put together; by default in place. */
  readonly collecting?: DeliveryOptions['collecting'];
  readonly authoriseService: AuthoriseService;
  /** Without it no trail can have a key. */
  readonly keys?: TrailKeys | undefined;
  /** Without it no trail can have a topic. */
  readonly topics?: DeliveryTopics | undefined;
  /** Event data stores, channels and dashboards, for tags and resource policies. */
  readonly others?: OtherResources | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly deliverySeconds: number;
  /** Bounds of delivery, for tests. */
  readonly deliveryBounds?: Pick<DeliveryOptions, 'mostBytes' | 'mostFiles' | 'mostKeptBytes'> | undefined;
}

export interface Trails extends AsyncDisposable {
  /** Operations of `cloudtrail`. */
  readonly operations: Operations<Change>;
  readonly delivery: Delivery;
}

/** Opens trails and starts delivering. Close it before the state, the journal and the buckets. */
export async function openTrails(options: TrailsOptions): Promise<Trails> {
  const { deliverySeconds, others = {} } = options;
  const delivery = await openDelivery({
    ...options,
    ...options.deliveryBounds,
    everySeconds: deliverySeconds,
  });
  const operations = bindOperations(
    { ...options, others },
    {
      AddTags,
      CreateTrail,
      DeleteResourcePolicy,
      DeleteTrail,
      DescribeTrails,
      GetEventSelectors,
      GetResourcePolicy,
      GetTrail,
      GetTrailStatus,
      ListTags,
      ListTrails,
      PutEventSelectors,
      PutResourcePolicy,
      RemoveTags,
      StartLogging,
      StopLogging,
      UpdateTrail,
    },
  );
  return { operations, delivery, [Symbol.asyncDispose]: () => delivery[Symbol.asyncDispose]() };
}

export type { OtherResource, OtherResources, OtherResourceType } from './other-resources.ts';
export type { DeliveryTopics, TrailKeys } from './trail-needs.ts';
