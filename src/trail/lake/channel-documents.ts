import { AwsFault, formatArn, parseArn } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { TagDocument } from '../trails/tags.ts';

/** A channel for events from outside AWS, under `trail/lake/channels/ACCOUNT/ID`. */
export interface ChannelDocument {
  readonly id: string;
  readonly name: string;
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  /** Who sends: `Custom`, or the name of a partner. */
  readonly source: string;
  /** ARNs of event data stores. */
  readonly destinations: readonly string[];
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly tags?: readonly TagDocument[];
}

const channelsPrefix = 'trail/lake/channels/';
export const channelKey = (accountId: string, id: string): string => `${channelsPrefix}${accountId}/${id}`;

export const channelArn = (accountId: string, region: string, id: string): string =>
  formatArn('cloudtrail', region, accountId, `channel/${id}`);

/** The channels of an account, in key order. */
export async function readChannels(view: StateView, accountId: string): Promise<readonly ChannelDocument[]> {
  return (await view.list<ChannelDocument>(`${channelsPrefix}${accountId}/`)).map(({ value }) => value);
}

/** The channel of the caller's account and region that an id or ARN names. */
export async function readChannel(
  view: StateView,
  named: string,
  { accountId, region }: { readonly accountId: string; readonly region: string },
): Promise<ChannelDocument> {
  const arn = parseArn(named);
  const [, id] = arn ? (/^channel\/([-\w]+)$/.exec(arn.resource) ?? []) : [undefined, named];
  if (id === undefined || (arn && arn.service !== 'cloudtrail'))
    throw new AwsFault('ChannelARNInvalidException', `${named} is not the ARN of a channel.`);
  const channel = (await view.get<ChannelDocument>(channelKey(accountId, id)))?.value;
  if (!channel || channel.region !== region || (arn && channel.arn !== named))
    throw new AwsFault(
      'ChannelNotFoundException',
      `There is no channel ${named} in this account and region.`,
    );
  return channel;
}

/** The ARN, where it is that of a channel of this account and region; undefined else. */
export async function findChannelArn(
  view: StateView,
  arn: string,
  { accountId, region }: { readonly accountId: string; readonly region: string },
): Promise<string | undefined> {
  const id = arn.split('/').at(-1) ?? '';
  if (arn !== channelArn(accountId, region, id)) return undefined;
  const channel = await view.get<ChannelDocument>(channelKey(accountId, id));
  return channel?.value.arn === arn ? arn : undefined;
}
