import type {
  CreateEventBusRequest,
  CreateEventBusResponse,
  DeadLetterConfig,
  DeleteEventBusRequest,
  DescribeEventBusRequest,
  DescribeEventBusResponse,
  EventBus,
  ListEventBusesRequest,
  ListEventBusesResponse,
  LogConfig,
  UpdateEventBusRequest,
  UpdateEventBusResponse,
} from '@aws-sdk/client-eventbridge';
import { policyShown } from '../../identity/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import { busKey, busPrefix, defaultBusName, rulePrefix, type BusDocument } from '../bus-documents.ts';
import { busNamed, ownBus, type CalledFrom, type NamedBus } from '../bus-names.ts';
import { needOnBus } from '../bus-needs.ts';
import { nothing, type BusOperation, type Nothing } from '../bus-operation.ts';
import { pageOf } from '../bus-paging.ts';
import { busQuotas } from '../bus-quotas.ts';
import { addTags, requestTags } from '../bus-tags.ts';
import { alreadyExists, invalid, limitExceeded, refuseMember } from '../faults.ts';
import { findBus, readBus } from '../find-bus.ts';
import { ownersOfBus } from '../recorded-resources.ts';

/** What a bus can be told beside its name and description, as far as it is not built. */
interface Settings {
  readonly KmsKeyIdentifier?: string | undefined;
  readonly DeadLetterConfig?: DeadLetterConfig | undefined;
  readonly LogConfig?: LogConfig | undefined;
}

function refuseSettings({ KmsKeyIdentifier, DeadLetterConfig: letters, LogConfig }: Settings): void {
  refuseMember('KmsKeyIdentifier', KmsKeyIdentifier, 'events are kept under the data directory alone.');
  refuseMember('DeadLetterConfig', letters?.Arn, 'there are no SQS queues that could take dead letters.');
  refuseMember('LogConfig', LogConfig, 'event buses have no logs.');
}

async function checkRoom(change: Change, { place }: NamedBus): Promise<void> {
  const all = await change.count(busPrefix(place));
  const isDefaultThere = (await change.get(busKey(place, defaultBusName))) !== undefined;
  if (all - (isDefaultThere ? 1 : 0) >= busQuotas.buses) {
    throw limitExceeded(`${busQuotas.buses} event buses of an account in a region`);
  }
}

const described = (description: string | undefined) =>
  description === undefined || description === '' ? {} : { description };

export const CreateEventBus: BusOperation<CreateEventBusRequest, CreateEventBusResponse> = {
  access: 'write',
  async needs(input, call, view) {
    const tags = requestTags(input.Tags);
    const create = await needOnBus(view, ownBus(input.Name, call), 'CreateEventBus', tags);
    return input.Tags?.length ? [create, { ...create, action: 'events:TagResource' }] : [create];
  },
  async handle(input, call, change) {
    refuseMember('EventSourceName', input.EventSourceName, 'there are no partner event sources.');
    refuseSettings(input);
    if (input.Name.includes('/')) throw invalid("Event bus name must not contain '/'.");
    const bus = ownBus(input.Name, call);
    if (await findBus(change, bus)) throw alreadyExists(`Event bus ${input.Name} already exists.`);
    await checkRoom(change, bus);
    const document: BusDocument = {
      name: input.Name,
      ...described(input.Description),
      createdAt: call.time,
      updatedAt: call.time,
      tags: addTags([], input.Tags),
    };
    change.put(busKey(bus.place, bus.name), document);
    return { EventBusArn: bus.arn, ...descriptionShown(document) };
  },
};

export const UpdateEventBus: BusOperation<UpdateEventBusRequest, UpdateEventBusResponse> = {
  access: 'write',
  needs: async (input, call, view) => [await needOnBus(view, ownBus(input.Name, call), 'UpdateEventBus')],
  async handle(input, call, change) {
    refuseSettings(input);
    const bus = ownBus(input.Name, call);
    const { description: before, ...rest } = await readBus(change, bus);
    // What is not given stays; an empty text takes the description away.
    const document = { ...rest, ...described(input.Description ?? before), updatedAt: call.time };
    change.put(busKey(bus.place, bus.name), document satisfies BusDocument);
    return { Arn: bus.arn, Name: bus.name, ...descriptionShown(document) };
  },
};

export const DeleteEventBus: BusOperation<DeleteEventBusRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [await needOnBus(view, ownBus(input.Name, call), 'DeleteEventBus')],
  async handle(input, call, change) {
    const { place, name } = ownBus(input.Name, call);
    if (name === defaultBusName) throw invalid(`Cannot delete event bus ${name}.`);
    const rules = await change.list(rulePrefix(place, name), { limit: 1 });
    if (rules.length > 0) throw invalid(`Event bus ${name} can't be deleted since it has rules.`);
    // One that does not exist is deleted as well: the operation has no ResourceNotFoundException.
    change.delete(busKey(place, name));
    return nothing;
  },
};

const descriptionShown = ({ description }: Pick<BusDocument, 'description'>) =>
  description === undefined ? {} : { Description: description };

/** Of the default bus nobody knows when it was made. */
const timesShown = ({ createdAt, updatedAt }: BusDocument) => ({
  ...(createdAt > 0 && { CreationTime: new Date(createdAt) }),
  ...(updatedAt > 0 && { LastModifiedTime: new Date(updatedAt) }),
});

async function busShown(view: StateView, bus: NamedBus, document: BusDocument): Promise<EventBus> {
  const { policy, policyPrincipals } = document;
  return {
    Name: bus.name,
    Arn: bus.arn,
    ...descriptionShown(document),
    ...(policy !== undefined && { Policy: await policyShown(view, policy, policyPrincipals) }),
    ...timesShown(document),
  };
}

export const DescribeEventBus: BusOperation<DescribeEventBusRequest, DescribeEventBusResponse> = {
  access: 'read',
  needs: async (input, call, view) => [await needOnBus(view, busNamed(input.Name, call), 'DescribeEventBus')],
  resources: (input, call) => ownersOfBus(busNamed(input.Name, call), call),
  async handle(input, call, change) {
    const bus = busNamed(input.Name, call);
    return busShown(change, bus, await readBus(change, bus));
  },
};

/** Every bus of the caller's account and region, in the order of their names. */
async function allBuses(view: StateView, call: CalledFrom): Promise<readonly BusDocument[]> {
  const place = { account: call.accountId, region: call.region };
  const made = (await view.list<BusDocument>(busPrefix(place))).map(({ value }) => value);
  if (made.some(({ name }) => name === defaultBusName)) return made;
  const untouched = await readBus(view, ownBus(undefined, call));
  return [...made, untouched].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export const ListEventBuses: BusOperation<ListEventBusesRequest, ListEventBusesResponse> = {
  access: 'read',
  needs: () => [{ action: 'events:ListEventBuses', resource: '*' }],
  async handle(input, call, change) {
    const wanted = (await allBuses(change, call)).filter(({ name }) =>
      name.startsWith(input.NamePrefix ?? ''),
    );
    const { items, answer } = pageOf(wanted, ({ name }) => name, input);
    const shown = items.map((document) => busShown(change, ownBus(document.name, call), document));
    return { EventBuses: await Promise.all(shown), ...answer };
  },
};
