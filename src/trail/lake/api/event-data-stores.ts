import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import { AwsFault, type Random } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { checkSource } from '../../insights/insight-stores.ts';
import { readStoreInsights } from '../../insights/subscriptions.ts';
import { resourcePolicyNeed } from '../../trails/other-resources.ts';
import { checkAdvancedSelectors } from '../../trails/selectors/check-advanced.ts';
import { addTags, requestTags } from '../../trails/tags.ts';
import { readChannels } from '../channel-documents.ts';
import { retentionOf } from '../lake-parts.ts';
import {
  defaultSelectors,
  everythingId,
  readStore,
  readStores,
  storeArn,
  storeIdOf,
  storeKey,
  type EventDataStoreDocument,
} from '../store-documents.ts';
import { nothing, pageOf, unsupported, invalidParameter } from './lake-operation.ts';
import type { Given, LakeOperation, Nothing } from './lake-operation.ts';

const mostStores = 10;
const extendableDays = { usual: 366, most: 3653 };
const fixedDays = { usual: 2557, most: 2557 };

function daysOf(billingMode: EventDataStoreDocument['billingMode']) {
  return billingMode === 'FIXED_RETENTION_PRICING' ? fixedDays : extendableDays;
}

/** The need of an operation on one event data store, with what its tags and its own policy say. */
export async function onStore(operation: string, named: string, call: Call, view: StateView): Promise<Need> {
  const resource = named.startsWith('arn:') ? named : storeArn(call.accountId, call.region, named);
  const id = resource.split('/').at(-1) ?? '';
  const store = (await view.get<EventDataStoreDocument>(storeKey(call.accountId, id)))?.value;
  const tags = store?.arn === resource ? store.tags : undefined;
  return {
    action: `cloudtrail:${operation}`,
    resource,
    ...(tags && { resourceTags: Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])) }),
    ...(await resourcePolicyNeed(view, resource)),
  };
}

const needsStore =
  (operation: string) =>
  async (
    input: { readonly EventDataStore: string },
    call: Call,
    { state }: { readonly state: StateView },
  ): Promise<readonly Need[]> => [await onStore(operation, input.EventDataStore, call, state)];

function refuseUnsupported(input: {
  readonly OrganizationEnabled?: boolean | undefined;
  readonly KmsKeyId?: string | undefined;
}): void {
  if (input.OrganizationEnabled) {
    throw new AwsFault(
      'OrganizationsNotInUseException',
      'This account is not a member of an organization; an event data store cannot be for an organization.',
    );
  }
  if (input.KmsKeyId !== undefined)
    throw unsupported('KmsKeyId is not supported: event data stores share the files of their account.');
}

/** Categories of events that nothing brings here: an event data store of them would stay empty for ever. */
const absentCategories = new Set(['ConfigurationItem', 'Evidence']);

function checkSelectors(selectors: readonly CloudTrail.AdvancedEventSelector[]): void {
  checkAdvancedSelectors(selectors, 'eventdatastore');
  const absent = selectors
    .flatMap(({ FieldSelectors = [] }) => FieldSelectors)
    .find(
      ({ Field, Equals }) => Field === 'eventCategory' && Equals?.some((one) => absentCategories.has(one)),
    );
  if (absent) {
    throw new AwsFault(
      'InvalidEventSelectorsException',
      `Events of the category ${absent.Equals?.join(', ')} are not collected.`,
    );
  }
}

function checkDays(days: number, billingMode: EventDataStoreDocument['billingMode']): void {
  const { most } = daysOf(billingMode);
  if (days < 7 || days > most)
    throw invalidParameter(`RetentionPeriod takes 7 to ${most} days with ${billingMode}, not ${days}.`);
}

function dates({ createdAt, updatedAt }: Pick<EventDataStoreDocument, 'createdAt' | 'updatedAt'>) {
  return { CreatedTimestamp: new Date(createdAt), UpdatedTimestamp: new Date(updatedAt) };
}

function statusOf(store: EventDataStoreDocument): CloudTrail.EventDataStoreStatus {
  if (store.deletedAt !== undefined) return 'PENDING_DELETION';
  return store.isIngesting ? 'ENABLED' : 'STOPPED_INGESTION';
}

/** What the answers about one event data store have in common. */
function shown(store: EventDataStoreDocument) {
  return {
    EventDataStoreArn: store.arn,
    Name: store.name,
    Status: statusOf(store),
    AdvancedEventSelectors: [...store.selectors],
    MultiRegionEnabled: store.isMultiRegion,
    OrganizationEnabled: false,
    RetentionPeriod: store.retentionDays,
    TerminationProtectionEnabled: store.terminationProtected,
    ...dates(store),
    BillingMode: store.billingMode,
  };
}

/** The event data store over everything, as it shows in answers: it cannot be changed and takes what comes. */
function everythingShown(accountId: string, region: string, days: number | undefined) {
  return {
    EventDataStoreArn: storeArn(accountId, region, everythingId),
    Name: 'events',
    Status: 'ENABLED' as const,
    AdvancedEventSelectors: [
      { Name: 'Everything', FieldSelectors: [{ Field: 'eventCategory', NotEquals: ['None'] }] },
    ],
    MultiRegionEnabled: true,
    OrganizationEnabled: false,
    RetentionPeriod: days ?? extendableDays.most,
    TerminationProtectionEnabled: true,
    CreatedTimestamp: new Date(0),
    UpdatedTimestamp: new Date(0),
    BillingMode: 'EXTENDABLE_RETENTION_PRICING' as const,
  };
}

function refuseEverything(named: string, call: Call): void {
  if (storeIdOf(named, call) !== everythingId) return;
  throw new AwsFault(
    'EventDataStoreTerminationProtectedException',
    'The event data store over everything is part of every account and cannot be changed or deleted.',
  );
}

/** The caller's event data store that may be changed now. */
async function readLive(view: StateView, named: string, call: Call): Promise<EventDataStoreDocument> {
  refuseEverything(named, call);
  const store = await readStore(view, named, call);
  if (store.deletedAt === undefined) return store;
  throw new AwsFault(
    'InactiveEventDataStoreException',
    `The event data store ${store.arn} is pending deletion.`,
  );
}

async function checkName(view: StateView, name: string, call: Call, except?: string): Promise<void> {
  const there = (await readStores(view, call.time, call.accountId)).filter(
    (store) => store.region === call.region && store.id !== except,
  );
  if (name === 'events' || there.some((store) => store.name === name))
    throw new AwsFault(
      'EventDataStoreAlreadyExistsException',
      `There is an event data store named ${name} already.`,
    );
  if (except === undefined && there.length >= mostStores) {
    const message = `The account has ${there.length} event data stores in ${call.region} already; delete one first.`;
    throw new AwsFault('EventDataStoreMaxLimitExceededException', message);
  }
}

/** Ends the span that takes events now, at the journal's end, and begins another if the store goes on ingesting. */
function respan(store: EventDataStoreDocument, end: number): EventDataStoreDocument {
  const closed = store.spans.map((span) => (span.to === undefined ? { ...span, to: end } : span));
  const spans = closed.filter(({ from, to }) => to === undefined || to > from);
  return {
    ...store,
    spans: store.isIngesting
      ? [...spans, { from: end, selectors: store.selectors, isMultiRegion: store.isMultiRegion }]
      : spans,
  };
}

/** With the regions that it takes events of now written to what it has taken, so that they stay when it takes others. */
function settled(store: EventDataStoreDocument): EventDataStoreDocument {
  const { isMultiRegion } = store;
  return {
    ...store,
    spans: store.spans.map((span) => ({ isMultiRegion, ...span })),
    imported: store.imported.map((span) => ({ isMultiRegion, ...span })),
  };
}

function newStore(
  input: Given<CloudTrail.CreateEventDataStoreRequest>,
  call: Call,
  random: Random,
): EventDataStoreDocument {
  const id = random.uuid();
  const arn = storeArn(call.accountId, call.region, id);
  const { BillingMode: billingMode = 'EXTENDABLE_RETENTION_PRICING' } = input;
  return {
    id,
    name: input.Name,
    arn,
    accountId: call.accountId,
    region: call.region,
    isMultiRegion: input.MultiRegionEnabled ?? true,
    retentionDays: input.RetentionPeriod ?? daysOf(billingMode).usual,
    billingMode,
    terminationProtected: input.TerminationProtectionEnabled ?? true,
    selectors: input.AdvancedEventSelectors ?? defaultSelectors,
    isIngesting: input.StartIngestion ?? true,
    spans: [],
    imported: [],
    channels: [],
    createdAt: call.time,
    updatedAt: call.time,
    tags: addTags([], input.TagsList, arn),
  };
}

/** CreateEventDataStore: a view of the account's events from now on, of those that its selectors choose. */
export const CreateEventDataStore: LakeOperation<
  CloudTrail.CreateEventDataStoreRequest,
  CloudTrail.CreateEventDataStoreResponse
> = {
  access: 'write',
  needs(input, call) {
    const resource = storeArn(call.accountId, call.region, '*');
    const create = { action: 'cloudtrail:CreateEventDataStore', resource, ...requestTags(input.TagsList) };
    return input.TagsList?.length ? [create, { ...create, action: 'cloudtrail:AddTags' }] : [create];
  },
  async handle(input, call, change, { random, stream }) {
    refuseUnsupported(input);
    await checkName(change, input.Name, call);
    const store = newStore(input, call, random);
    checkSelectors(store.selectors);
    checkDays(store.retentionDays, store.billingMode);
    change.put(storeKey(store.accountId, store.id), respan(store, stream.end));
    return {
      ...shown(store),
      Status: store.isIngesting ? 'ENABLED' : 'STOPPED_INGESTION',
      TagsList: [...(store.tags ?? [])],
    };
  },
};

/** UpdateEventDataStore: other selectors and regions hold for events from now on; what was taken before stays. */
export const UpdateEventDataStore: LakeOperation<
  CloudTrail.UpdateEventDataStoreRequest,
  CloudTrail.UpdateEventDataStoreResponse
> = {
  access: 'write',
  needs: needsStore('UpdateEventDataStore'),
  async handle(input, call, change, { stream }) {
    refuseUnsupported(input);
    const old = await readLive(change, input.EventDataStore, call);
    if (input.Name !== undefined) await checkName(change, input.Name, call, old.id);
    const { BillingMode: billingMode = old.billingMode } = input;
    if (billingMode === 'FIXED_RETENTION_PRICING' && old.billingMode !== billingMode)
      throw invalidParameter('BillingMode cannot be changed to FIXED_RETENTION_PRICING.');
    const changed: EventDataStoreDocument = {
      ...settled(old),
      name: input.Name ?? old.name,
      selectors: input.AdvancedEventSelectors ?? old.selectors,
      isMultiRegion: input.MultiRegionEnabled ?? old.isMultiRegion,
      retentionDays: input.RetentionPeriod ?? old.retentionDays,
      terminationProtected: input.TerminationProtectionEnabled ?? old.terminationProtected,
      billingMode,
      updatedAt: call.time,
    };
    checkDays(changed.retentionDays, billingMode);
    if (input.AdvancedEventSelectors) {
      checkSelectors(changed.selectors);
      const insights = await readStoreInsights(change, old.arn);
      if (insights) checkSource(insights.selectors, changed);
    }
    const takesOthers = input.AdvancedEventSelectors || changed.isMultiRegion !== old.isMultiRegion;
    const store = takesOthers && old.isIngesting ? respan(changed, stream.end) : changed;
    change.put(storeKey(store.accountId, store.id), store);
    return shown(store);
  },
};

export const GetEventDataStore: LakeOperation<
  CloudTrail.GetEventDataStoreRequest,
  CloudTrail.GetEventDataStoreResponse
> = {
  access: 'read',
  needs: needsStore('GetEventDataStore'),
  async handle(input, call, change, { defaultRetentionDays }) {
    const common = { FederationStatus: 'DISABLED' as const };
    if (storeIdOf(input.EventDataStore, call) === everythingId) {
      const days = await retentionOf(change, call.accountId, defaultRetentionDays);
      return { ...everythingShown(call.accountId, call.region, days), ...common };
    }
    return { ...shown(await readStore(change, input.EventDataStore, call)), ...common };
  },
};

export const ListEventDataStores: LakeOperation<
  CloudTrail.ListEventDataStoresRequest,
  CloudTrail.ListEventDataStoresResponse
> = {
  access: 'read',
  needs: () => [{ action: 'cloudtrail:ListEventDataStores', resource: '*' }],
  async handle(input, call, change, { defaultRetentionDays }) {
    const stores = (await readStores(change, call.time, call.accountId)).filter(
      ({ region }) => region === call.region,
    );
    const days = await retentionOf(change, call.accountId, defaultRetentionDays);
    const all = [...stores.map(shown), everythingShown(call.accountId, call.region, days)];
    const { items, ...more } = pageOf(all, ['ListEventDataStores', call.accountId, call.region], input);
    return { EventDataStores: [...items], ...more };
  },
};

/** DeleteEventDataStore: it can be restored for seven days, and does not take events meanwhile. */
export const DeleteEventDataStore: LakeOperation<CloudTrail.DeleteEventDataStoreRequest, Nothing> = {
  access: 'write',
  needs: needsStore('DeleteEventDataStore'),
  async handle(input, call, change, { stream, imports }) {
    const store = await readLive(change, input.EventDataStore, call);
    if (store.terminationProtected) {
      const message = `The event data store ${store.arn} is protected from termination; turn that off first.`;
      throw new AwsFault('EventDataStoreTerminationProtectedException', message);
    }
    const channel = (await readChannels(change, call.accountId)).find(({ destinations }) =>
      destinations.includes(store.arn),
    );
    if (channel)
      throw new AwsFault(
        'ChannelExistsForEDSException',
        `The channel ${channel.arn} writes to ${store.arn}.`,
      );
    if (imports.isImportingInto(store.arn)) {
      const message = `An import into ${store.arn} is under way; stop it first.`;
      throw new AwsFault('EventDataStoreHasOngoingImportException', message);
    }
    const stopped = respan({ ...store, isIngesting: false }, stream.end);
    change.put(storeKey(store.accountId, store.id), {
      ...stopped,
      deletedAt: call.time,
      updatedAt: call.time,
    });
    return nothing;
  },
};

export const RestoreEventDataStore: LakeOperation<
  CloudTrail.RestoreEventDataStoreRequest,
  CloudTrail.RestoreEventDataStoreResponse
> = {
  access: 'write',
  needs: needsStore('RestoreEventDataStore'),
  async handle(input, call, change, { stream }) {
    refuseEverything(input.EventDataStore, call);
    const { deletedAt, ...store } = await readStore(change, input.EventDataStore, call);
    if (deletedAt === undefined)
      throw new AwsFault(
        'InvalidEventDataStoreStatusException',
        `The event data store ${store.arn} is not pending deletion.`,
      );
    const restored = respan({ ...store, isIngesting: true, updatedAt: call.time }, stream.end);
    change.put(storeKey(store.accountId, store.id), restored);
    return shown(restored);
  },
};

function ingestion(
  operation: string,
  isIngesting: boolean,
): LakeOperation<CloudTrail.StartEventDataStoreIngestionRequest, Nothing> {
  return {
    access: 'write',
    needs: needsStore(operation),
    async handle(input, call, change, { stream }) {
      const store = await readLive(change, input.EventDataStore, call);
      if (store.isIngesting === isIngesting) {
        const message = `The event data store ${store.arn} ${isIngesting ? 'ingests' : 'does not ingest'} events already.`;
        throw new AwsFault('InvalidEventDataStoreStatusException', message);
      }
      const next = respan({ ...store, isIngesting, updatedAt: call.time }, stream.end);
      change.put(storeKey(store.accountId, store.id), next);
      return nothing;
    },
  };
}

export const StartEventDataStoreIngestion = ingestion('StartEventDataStoreIngestion', true);
export const StopEventDataStoreIngestion = ingestion('StopEventDataStoreIngestion', false);
