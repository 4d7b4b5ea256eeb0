import { isAccountId, parseArn } from '../../kernel/index.ts';
import type { Call, EncodedInput } from '../../wire/index.ts';
import { prepareEvents, type PreparedEvents, type PutAuditEventsRequest } from './prepared-events.ts';

/** The input of PutAuditEvents as its operation gets it. */
export interface PutAuditEventsInput extends Pick<PutAuditEventsRequest, 'channelArn' | 'externalId'> {
  readonly events: PreparedEvents;
}

/** Who sends events, and when. */
export interface EventSender extends Pick<Call, 'accountId' | 'region'> {
  /** As records show it. */
  readonly ingestionTime: string;
}

/** What a worker thread is posted. */
export interface PrepareJob {
  readonly encoded: EncodedInput;
  readonly sender: EventSender;
}

/** What it posts back: the input, or the fault that the request is refused with. */
export type PrepareResult =
  | { readonly kind: 'prepared'; readonly input: PutAuditEventsInput }
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly message: string;
      readonly status: number | undefined;
    };

/** The last part of the ARN of the channel that every account has in every region. */
export const defaultChannelId = '00000000-0000-4000-8000-000000000000';

function arnOf({ accountId, region }: Pick<Call, 'accountId' | 'region'>, id: string): string {
  return `arn:aws:cloudtrail:${region}:${accountId}:channel/${id}`;
}

/** The built-in channel of an account and region. */
export function defaultChannelArn(accountId: string, region: string): string {
  return `arn:aws:cloudtrail:${region}:${accountId}:channel/${defaultChannelId}`;
}

/** The ARN of the channel that a request names by its ARN or the last part of it. */
export function channelArnOf(named: string, call: Pick<Call, 'accountId' | 'region'>): string {
  return named.startsWith('arn:') ? named : arnOf(call, named);
}

/**
 * The account whose channel a request names: an ARN says whose it is, an id is one of the caller's own. Where the channel's
 * policy lets others send to it, their events are the channel owner's ("AWS CloudTrail resource-based policy examples").
 */
export function channelOwnerOf(named: string, { accountId }: Pick<Call, 'accountId'>): string {
  const owner = named.startsWith('arn:') ? parseArn(named)?.accountId : undefined;
  return owner !== undefined && isAccountId(owner) ? owner : accountId;
}

/** Prepares the events of a decoded request. */
export function prepareInput(request: PutAuditEventsRequest, sender: EventSender): PutAuditEventsInput {
  const { channelArn, externalId } = request;
  const events = prepareEvents(request, {
    ...sender,
    accountId: channelOwnerOf(channelArn, sender),
    arn: channelArnOf(channelArn, sender),
  });
  return { channelArn, ...(externalId !== undefined && { externalId }), events };
}
