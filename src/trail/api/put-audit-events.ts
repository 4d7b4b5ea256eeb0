import type { Change } from '../../state/index.ts';
import { assert, AwsFault, parseArn } from '../../kernel/index.ts';
import type { Call } from '../../wire/index.ts';
import { defaultChannelArn, defaultChannelId, type PutAuditEventsInput } from '../ingest/prepare-input.ts';
import { answerOf, entriesOf, type PutAuditEventsResponse } from '../ingest/prepared-events.ts';

/** The ARN of the channel that the request names. Throws the modelled faults for one that it cannot write to. */
function channelOf(
  named: string,
  call: Pick<Call, 'accountId' | 'region'>,
  created: string | undefined,
): string {
  if (created !== undefined) return created;
  const own = defaultChannelArn(call.accountId, call.region);
  if (named === own || named === defaultChannelId) return own;
  const arn = parseArn(named);
  if (arn?.service !== 'cloudtrail' || !/^channel\/[-\w]+$/.test(arn.resource)) {
    throw new AwsFault('InvalidChannelARN', `${named} is not the ARN of a channel.`);
  }
  if (arn.accountId !== call.accountId) {
    const text = `The channel ${named} takes no events of another account, such as the caller's, ${call.accountId}.`;
    throw new AwsFault('ChannelInsufficientPermission', text);
  }
  throw new AwsFault('ChannelNotFound', `There is no channel ${named}. The built-in channel is ${own}.`);
}

/**
 * PutAuditEvents ("PutAuditEvents", CloudTrail Data API): up to 100 events or 1 MB of one's own systems. The events that
 * are taken become durable together with the record of the call, in one append. Events that are not taken are named in
 * `failed`; they do not keep the others out. `created` is the ARN of the channel that the request names, where it is one that
 * CreateChannel made: the caller's own, or that of an account whose channel lets the caller send to it.
 */
export function PutAuditEvents(
  { channelArn, events }: PutAuditEventsInput,
  call: Pick<Call, 'accountId' | 'region'>,
  change: Pick<Change, 'append'>,
  created?: string,
): PutAuditEventsResponse {
  const arn = channelOf(channelArn, call, created);
  const { refusal } = events;
  if (refusal) throw new AwsFault(refusal.code, refusal.message);
  assert(events.channelArn === arn, 'events are taken for the channel that they were prepared for');
  for (const entry of entriesOf(events)) change.append(entry);
  return answerOf(events);
}
