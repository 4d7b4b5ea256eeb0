import type {
  PutEventsRequest,
  PutEventsRequestEntry,
  PutEventsResponse,
  PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';
import { encodeBusEvent } from '../../journal/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { AuditResource, Call, Need } from '../../wire/index.ts';
import { busNamed, type CalledFrom, type NamedBus } from '../bus-names.ts';
import { needOnBus } from '../bus-needs.ts';
import type { BusOperation, BusParts, Given } from '../bus-operation.ts';
import { busQuotas } from '../bus-quotas.ts';
import { invalid, refuseMember } from '../faults.ts';
import { findBus } from '../find-bus.ts';
import { checkEntry, entryBytes, eventTextOf, isFailure } from '../put-entries.ts';

/** Every bus that the entries name, once. */
function busesOf({ Entries }: Given<PutEventsRequest>, call: CalledFrom): readonly NamedBus[] {
  const all = Entries.map(({ EventBusName }) => busNamed(EventBusName, call));
  return [...new Map(all.map((bus) => [bus.arn, bus])).values()];
}

/** The need for what one entry is: its source and detail type are condition keys. */
function entryNeed(view: StateView, entry: PutEventsRequestEntry, call: CalledFrom): Promise<Need> {
  const { EventBusName, Source, DetailType } = entry;
  return needOnBus(view, busNamed(EventBusName, call), 'PutEvents', {
    conditions: {
      'events:eventBusInvocation': ['false'],
      ...(Source !== undefined && { 'events:source': [Source] }),
      ...(DetailType !== undefined && { 'events:detail-type': [DetailType] }),
    },
  });
}

const sameNeed = ({ EventBusName, Source, DetailType }: PutEventsRequestEntry): string =>
  JSON.stringify([EventBusName, Source, DetailType]);

/** Puts one entry on its bus, or says why not. */
async function put(
  entry: PutEventsRequestEntry,
  call: Call,
  change: Change,
  { random }: BusParts,
): Promise<PutEventsResultEntry> {
  const checked = checkEntry(entry);
  if (isFailure(checked)) return checked;
  const bus = busNamed(entry.EventBusName, call);
  if (!(await findBus(change, bus))) {
    return {
      ErrorCode: 'InvalidArgument',
      ErrorMessage: `Parameter EventBusName is not valid. Reason: Event bus ${bus.name} does not exist.`,
    };
  }
  const EventId = random.uuid();
  change.append(encodeBusEvent(bus.arn, eventTextOf(checked, EventId, call)));
  return { EventId };
}

export const PutEvents: BusOperation<PutEventsRequest, PutEventsResponse> = {
  access: 'write',
  // Its record is a data event: without resources no selector would choose that of a denied call.
  shownWhenDenied: true,
  needs(input, call, view) {
    const kinds = new Map(input.Entries.map((entry) => [sameNeed(entry), entry]));
    return Promise.all([...kinds.values()].map((entry) => entryNeed(view, entry, call)));
  },
  /** Without accounts: "CloudTrail sends data events only to the AWS account that called the API." */
  resources: (input, call): readonly AuditResource[] =>
    busesOf(input, call).map(({ arn }) => ({ ARN: arn, type: 'AWS::Events::EventBus' })),
  async handle(input, call, change, parts) {
    refuseMember('EndpointId', input.EndpointId, 'there are no global endpoints.');
    const bytes = input.Entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    if (bytes >= busQuotas.putEventsBytes) {
      throw invalid('Total size of the entries in the request is over the limit.');
    }
    const Entries: PutEventsResultEntry[] = [];
    for (const entry of input.Entries) Entries.push(await put(entry, call, change, parts));
    return {
      FailedEntryCount: Entries.filter(({ EventId }) => EventId === undefined).length,
      Entries,
    };
  },
};
