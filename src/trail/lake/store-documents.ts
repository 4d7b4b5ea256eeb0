import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import { AwsFault, formatArn, parseArn } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { TagDocument } from '../trails/tags.ts';

/** A stretch of the journal whose events an event data store takes, by the selectors that it had then. */
export interface IngestionSpan {
  /** Journal sequences, the first inclusive, the last exclusive; without `to` it goes on. */
  readonly from: number;
  readonly to?: number;
  readonly selectors: readonly CloudTrail.AdvancedEventSelector[];
  /** Whether it took events of all regions; absent: as the event data store says. */
  readonly isMultiRegion?: boolean;
}

/** What an import brought into an event data store: events of these times (epoch milliseconds, both inclusive). */
export interface ImportedSpan {
  readonly importId: string;
  readonly from: number;
  readonly to: number;
  readonly selectors: readonly CloudTrail.AdvancedEventSelector[];
  /** Whether it took events of all regions; absent: as the event data store says. */
  readonly isMultiRegion?: boolean;
}

/** A stretch of the journal in which a channel wrote to an event data store. */
export interface ChannelSpan {
  readonly channelArn: string;
  /** Journal sequences, the first inclusive, the last exclusive; without `to` it goes on. */
  readonly from: number;
  readonly to?: number;
}

/** A stretch of the journal in which the Insights events of an event data store went to another one. */
export interface InsightSourceSpan {
  readonly sourceArn: string;
  /** Journal sequences, the first inclusive, the last exclusive; without `to` it goes on. */
  readonly from: number;
  readonly to?: number;
}

/** An event data store, under `trail/lake/stores/ACCOUNT/ID`. */
export interface EventDataStoreDocument {
  readonly id: string;
  readonly name: string;
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  readonly isMultiRegion: boolean;
  readonly retentionDays: number;
  readonly billingMode: 'EXTENDABLE_RETENTION_PRICING' | 'FIXED_RETENTION_PRICING';
  readonly terminationProtected: boolean;
  readonly selectors: readonly CloudTrail.AdvancedEventSelector[];
  readonly isIngesting: boolean;
  readonly spans: readonly IngestionSpan[];
  readonly imported: readonly ImportedSpan[];
  /** Events from outside AWS are taken of these channels alone. */
  readonly channels: readonly ChannelSpan[];
  /** Insights events are taken of these event data stores alone. */
  readonly insightSources?: readonly InsightSourceSpan[];
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When its deletion was asked for; it is gone seven days later. */
  readonly deletedAt?: number;
  readonly tags?: readonly TagDocument[];
}

export const storesPrefix = 'trail/lake/stores/';
export const storeKey = (accountId: string, id: string): string => `${storesPrefix}${accountId}/${id}`;

export const storeArn = (accountId: string, region: string, id: string): string =>
  formatArn('cloudtrail', region, accountId, `eventdatastore/${id}`);

/** How long a deleted event data store can be restored. */
const pendingDeletionMs = 7 * 86_400_000;

/** The event data store that every account has in every region: everything of the account that Cairn knows. */
export const everythingId = '00000000-0000-4000-8000-000000000000';

/** The management selector that an event data store has when it is given none. */
export const defaultSelectors: readonly CloudTrail.AdvancedEventSelector[] = [
  {
    Name: 'Default management events',
    FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }],
  },
];

/** Whether it is there at `now`; one whose seven days are over is not, also before it was swept away. */
export function isThere(store: EventDataStoreDocument, now: number): boolean {
  return store.deletedAt === undefined || now < store.deletedAt + pendingDeletionMs;
}

/** The event data stores of an account, or of everybody, in key order; without those that are gone. */
export async function readStores(
  view: StateView,
  now: number,
  accountId?: string,
): Promise<readonly EventDataStoreDocument[]> {
  const prefix = accountId === undefined ? storesPrefix : `${storesPrefix}${accountId}/`;
  const found = await view.list<EventDataStoreDocument>(prefix);
  return found.map(({ value }) => value).filter((store) => isThere(store, now));
}

interface Caller {
  readonly accountId: string;
  readonly region: string;
  readonly time: number;
}

/** The id that an id or ARN names. Throws EventDataStoreARNInvalidException, and NotFound for other accounts and regions. */
export function storeIdOf(named: string, { accountId, region }: Omit<Caller, 'time'>): string {
  if (!named.startsWith('arn:')) return named;
  const arn = parseArn(named);
  const [, id] = /^eventdatastore\/([-\w.]+)$/.exec(arn?.resource ?? '') ?? [];
  if (arn?.service !== 'cloudtrail' || id === undefined)
    throw new AwsFault(
      'EventDataStoreARNInvalidException',
      `${named} is not the ARN of an event data store.`,
    );
  if (arn.accountId !== accountId || arn.region !== region) throw noStore(named);
  return id;
}

function noStore(named: string): AwsFault {
  return new AwsFault(
    'EventDataStoreNotFoundException',
    `There is no event data store ${named} in this account and region.`,
  );
}

/** The event data store of the caller's account and region that an id or ARN names. */
export async function readStore(
  view: StateView,
  named: string,
  caller: Caller,
): Promise<EventDataStoreDocument> {
  const id = storeIdOf(named, caller);
  const store = (await view.get<EventDataStoreDocument>(storeKey(caller.accountId, id)))?.value;
  if (!store || store.region !== caller.region || !isThere(store, caller.time)) throw noStore(named);
  return store;
}
