import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import { AwsFault } from '../../../kernel/index.ts';
import type { Change, StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { addTags, requestTags } from '../../trails/tags.ts';
import {
  channelArn,
  channelKey,
  readChannel,
  readChannels,
  type ChannelDocument,
} from '../channel-documents.ts';
import {
  everythingId,
  readStore,
  storeIdOf,
  storesPrefix,
  type ChannelSpan,
  type EventDataStoreDocument,
} from '../store-documents.ts';
import { invalidParameter, nothing, pageOf } from './lake-operation.ts';
import type { LakeOperation, Nothing } from './lake-operation.ts';

const mostChannels = 25;

function onChannel(operation: string, named: string, { accountId, region }: Call): Need {
  const resource = named.startsWith('arn:') ? named : channelArn(accountId, region, named);
  return { action: `cloudtrail:${operation}`, resource };
}

function takesOutsideEvents({ selectors }: EventDataStoreDocument): boolean {
  return selectors.some(({ FieldSelectors = [] }) =>
    FieldSelectors.some(
      ({ Field, Equals }) => Field === 'eventCategory' && Equals?.includes('ActivityAuditLog'),
    ),
  );
}

/** Checks where a channel is to write: event data stores that take events from outside AWS. Their ARNs. */
async function checkDestinations(
  view: StateView,
  destinations: readonly CloudTrail.Destination[],
  call: Call,
): Promise<readonly string[]> {
  const arns: string[] = [];
  for (const { Type, Location = '' } of destinations) {
    if (Type !== 'EVENT_DATA_STORE')
      throw invalidParameter(`A destination of a channel is an EVENT_DATA_STORE, not ${Type}.`);
    if (storeIdOf(Location, call) === everythingId) {
      throw invalidParameter('The event data store over everything takes what comes through every channel.');
    }
    const store = await readStore(view, Location, call);
    if (store.deletedAt !== undefined)
      throw new AwsFault(
        'InactiveEventDataStoreException',
        `The event data store ${store.arn} is pending deletion.`,
      );
    if (!takesOutsideEvents(store)) {
      const message = `The event data store ${store.arn} does not take events of the category ActivityAuditLog.`;
      throw new AwsFault('InvalidEventDataStoreCategoryException', message);
    }
    if (arns.includes(store.arn)) throw invalidParameter(`The destination ${store.arn} stands twice.`);
    arns.push(store.arn);
  }
  return arns;
}

function destinationsOf({ destinations }: ChannelDocument): CloudTrail.Destination[] {
  return destinations.map((Location) => ({ Type: 'EVENT_DATA_STORE', Location }));
}

async function checkName(view: StateView, name: string, call: Call, except?: string): Promise<void> {
  const there = (await readChannels(view, call.accountId)).filter(
    ({ region, id }) => region === call.region && id !== except,
  );
  if (there.some((channel) => channel.name === name))
    throw new AwsFault('ChannelAlreadyExistsException', `There is a channel named ${name} already.`);
  if (except === undefined && there.length >= mostChannels) {
    const message = `The account has ${there.length} channels in ${call.region} already; delete one first.`;
    throw new AwsFault('ChannelMaxLimitExceededException', message);
  }
}

/** From the journal's end on, the channel writes to these event data stores and to no others. */
async function redirect(
  change: Change,
  channel: Pick<ChannelDocument, 'arn' | 'accountId'>,
  destinations: readonly string[],
  end: number,
): Promise<void> {
  const found = await change.list<EventDataStoreDocument>(`${storesPrefix}${channel.accountId}/`);
  for (const { key, value: store } of found) {
    const isOpen = (span: ChannelSpan) => span.channelArn === channel.arn && span.to === undefined;
    const writes = store.channels.some(isOpen);
    const shall = destinations.includes(store.arn);
    if (writes === shall) continue;
    const channels: readonly ChannelSpan[] = shall
      ? [...store.channels, { channelArn: channel.arn, from: end }]
      : store.channels.map((span) => (isOpen(span) ? { ...span, to: end } : span));
    change.put(key, { ...store, channels });
  }
}

/** CreateChannel: a way in for the events of one sender, by PutAuditEvents. */
export const CreateChannel: LakeOperation<CloudTrail.CreateChannelRequest, CloudTrail.CreateChannelResponse> =
  {
    access: 'write',
    needs(input, call) {
      const create = { ...onChannel('CreateChannel', '*', call), ...requestTags(input.Tags) };
      return input.Tags?.length ? [create, { ...create, action: 'cloudtrail:AddTags' }] : [create];
    },
    async handle(input, call, change, { random, stream }) {
      await checkName(change, input.Name, call);
      const id = random.uuid();
      const arn = channelArn(call.accountId, call.region, id);
      const channel: ChannelDocument = {
        id,
        name: input.Name,
        arn,
        accountId: call.accountId,
        region: call.region,
        source: input.Source,
        destinations: await checkDestinations(change, input.Destinations, call),
        createdAt: call.time,
        tags: addTags([], input.Tags, arn),
      };
      change.put(channelKey(call.accountId, id), channel);
      await redirect(change, channel, channel.destinations, stream.end);
      return {
        ChannelArn: arn,
        Name: channel.name,
        Source: channel.source,
        Destinations: destinationsOf(channel),
        Tags: [...(channel.tags ?? [])],
      };
    },
  };

export const GetChannel: LakeOperation<CloudTrail.GetChannelRequest, CloudTrail.GetChannelResponse> = {
  access: 'read',
  needs: (input, call) => [onChannel('GetChannel', input.Channel, call)],
  async handle(input, call, change) {
    const channel = await readChannel(change, input.Channel, call);
    return {
      ChannelArn: channel.arn,
      Name: channel.name,
      Source: channel.source,
      Destinations: destinationsOf(channel),
    };
  },
};

export const ListChannels: LakeOperation<CloudTrail.ListChannelsRequest, CloudTrail.ListChannelsResponse> = {
  access: 'read',
  needs: () => [{ action: 'cloudtrail:ListChannels', resource: '*' }],
  async handle(input, call, change) {
    const all = (await readChannels(change, call.accountId)).filter(({ region }) => region === call.region);
    const { items, ...more } = pageOf(all, ['ListChannels', call.accountId, call.region], input);
    return { Channels: items.map(({ arn, name }) => ({ ChannelArn: arn, Name: name })), ...more };
  },
};

export const UpdateChannel: LakeOperation<CloudTrail.UpdateChannelRequest, CloudTrail.UpdateChannelResponse> =
  {
    access: 'write',
    needs: (input, call) => [onChannel('UpdateChannel', input.Channel, call)],
    async handle(input, call, change, { stream }) {
      const old = await readChannel(change, input.Channel, call);
      if (input.Name !== undefined) await checkName(change, input.Name, call, old.id);
      const channel: ChannelDocument = {
        ...old,
        name: input.Name ?? old.name,
        destinations: input.Destinations
          ? await checkDestinations(change, input.Destinations, call)
          : old.destinations,
      };
      change.put(channelKey(channel.accountId, channel.id), channel);
      await redirect(change, channel, channel.destinations, stream.end);
      return {
        ChannelArn: channel.arn,
        Name: channel.name,
        Source: channel.source,
        Destinations: destinationsOf(channel),
      };
    },
  };

export const DeleteChannel: LakeOperation<CloudTrail.DeleteChannelRequest, Nothing> = {
  access: 'write',
  needs: (input, call) => [onChannel('DeleteChannel', input.Channel, call)],
  async handle(input, call, change, { stream }) {
    const channel = await readChannel(change, input.Channel, call);
    change.delete(channelKey(channel.accountId, channel.id));
    await redirect(change, channel, [], stream.end);
    return nothing;
  },
};
