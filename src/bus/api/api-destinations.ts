import type {
  ApiDestination,
  CreateApiDestinationRequest,
  CreateApiDestinationResponse,
  DeleteApiDestinationRequest,
  DescribeApiDestinationRequest,
  DescribeApiDestinationResponse,
  ListApiDestinationsRequest,
  ListApiDestinationsResponse,
  UpdateApiDestinationRequest,
  UpdateApiDestinationResponse,
} from '@aws-sdk/client-eventbridge';
import { formatArn, parseArn } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call, Need } from '../../wire/index.ts';
import {
  apiDestinationArn,
  apiDestinationKey,
  apiDestinationPrefix,
  connectionArn,
  connectionKey,
  type ApiDestinationDocument,
  type BusPlace,
  type ConnectionDocument,
} from '../bus-documents.ts';
import { nothing, type BusOperation, type Nothing } from '../bus-operation.ts';
import { pageOf } from '../bus-paging.ts';
import { busQuotas } from '../bus-quotas.ts';
import { alreadyExists, limitExceeded, notFound } from '../faults.ts';
import { checkEndpoint } from './connection-parameters.ts';
import { connectionNeed, placeOf, type ConnectionParts } from './connections.ts';

/** "If you do not specify a value, 300 is used" ("CreateApiDestination" in the console's words and Terraform's). */
const usualRate = 300;

const need = (action: string, name: string, call: Call): Need => ({
  action: `events:${action}`,
  resource: formatArn('events', call.region, call.accountId, `api-destination/${name}`),
});

const connectionNameOf = (arn: string): string => parseArn(arn)?.resource.split('/')[1] ?? '';

/** An API destination hands the connection's secret to its endpoint, so both are asked for. */
const needsBoth = (
  action: string,
  name: string,
  connection: string | undefined,
  call: Call,
): readonly Need[] => [
  need(action, name, call),
  ...(connection === undefined ? [] : [connectionNeed(action, connectionNameOf(connection), call)]),
];

async function readApiDestination(view: StateView, place: BusPlace, name: string) {
  const found = await view.get<ApiDestinationDocument>(apiDestinationKey(place, name));
  if (!found)
    throw notFound(`Failed to describe the api-destination(s). An api-destination '${name}' does not exist.`);
  return found.value;
}

async function findConnection(view: StateView, place: BusPlace, arn: string) {
  const found = await view.get<ConnectionDocument>(connectionKey(place, connectionNameOf(arn)));
  return found && connectionArn(place, found.value) === arn ? found.value : undefined;
}

async function checkConnection(view: StateView, place: BusPlace, arn: string): Promise<void> {
  if (!(await findConnection(view, place, arn))) throw notFound(`Connection '${arn}' does not exist.`);
}

/** "INACTIVE" while its connection does not authorize. */
async function shown(view: StateView, place: BusPlace, document: ApiDestinationDocument) {
  const connection = await findConnection(view, place, document.connectionArn);
  return {
    ApiDestinationArn: apiDestinationArn(place, document),
    Name: document.name,
    ApiDestinationState: connection?.state === 'AUTHORIZED' ? 'ACTIVE' : 'INACTIVE',
    ConnectionArn: document.connectionArn,
    InvocationEndpoint: document.invocationEndpoint,
    HttpMethod: document.httpMethod,
    InvocationRateLimitPerSecond: document.invocationRateLimitPerSecond,
    CreationTime: new Date(document.createdAt),
    LastModifiedTime: new Date(document.updatedAt),
  } satisfies ApiDestination;
}

async function changed(view: StateView, place: BusPlace, document: ApiDestinationDocument) {
  const { ApiDestinationArn, ApiDestinationState, CreationTime, LastModifiedTime } = await shown(
    view,
    place,
    document,
  );
  return { ApiDestinationArn, ApiDestinationState, CreationTime, LastModifiedTime };
}

/** The operations on API destinations, each under its own name. */
export function apiDestinationOperations({ egress }: Pick<ConnectionParts, 'egress'>) {
  const CreateApiDestination: BusOperation<CreateApiDestinationRequest, CreateApiDestinationResponse> = {
    access: 'write',
    needs: ({ Name, ConnectionArn }, call) => needsBoth('CreateApiDestination', Name, ConnectionArn, call),
    async handle(input, call, change, { random }) {
      const place = placeOf(call);
      const key = apiDestinationKey(place, input.Name);
      checkEndpoint('InvocationEndpoint', input.InvocationEndpoint, egress);
      await checkConnection(change, place, input.ConnectionArn);
      if (await change.get(key)) throw alreadyExists(`An api-destination '${input.Name}' already exists.`);
      if ((await change.count(apiDestinationPrefix(place))) >= busQuotas.apiDestinations)
        throw limitExceeded(`${busQuotas.apiDestinations} API destinations of an account in a region`);
      const document: ApiDestinationDocument = {
        name: input.Name,
        id: random.uuid(),
        ...(input.Description !== undefined && { description: input.Description }),
        connectionArn: input.ConnectionArn,
        invocationEndpoint: input.InvocationEndpoint,
        httpMethod: input.HttpMethod,
        invocationRateLimitPerSecond: input.InvocationRateLimitPerSecond ?? usualRate,
        createdAt: call.time,
        updatedAt: call.time,
      };
      change.put(key, document);
      return changed(change, place, document);
    },
  };

  const UpdateApiDestination: BusOperation<UpdateApiDestinationRequest, UpdateApiDestinationResponse> = {
    access: 'write',
    needs: async ({ Name, ConnectionArn, InvocationEndpoint }, call, view) => {
      // Another endpoint gets the secret of the connection that is there.
      const key = apiDestinationKey(placeOf(call), Name);
      const kept = InvocationEndpoint === undefined ? undefined : await view.get<ApiDestinationDocument>(key);
      return needsBoth('UpdateApiDestination', Name, ConnectionArn ?? kept?.value.connectionArn, call);
    },
    async handle(input, call, change) {
      const place = placeOf(call);
      const before = await readApiDestination(change, place, input.Name);
      if (input.InvocationEndpoint !== undefined)
        checkEndpoint('InvocationEndpoint', input.InvocationEndpoint, egress);
      if (input.ConnectionArn !== undefined) await checkConnection(change, place, input.ConnectionArn);
      const document: ApiDestinationDocument = {
        ...before,
        ...(input.Description !== undefined && { description: input.Description }),
        connectionArn: input.ConnectionArn ?? before.connectionArn,
        invocationEndpoint: input.InvocationEndpoint ?? before.invocationEndpoint,
        httpMethod: input.HttpMethod ?? before.httpMethod,
        invocationRateLimitPerSecond:
          input.InvocationRateLimitPerSecond ?? before.invocationRateLimitPerSecond,
        updatedAt: call.time,
      };
      change.put(apiDestinationKey(place, input.Name), document);
      return changed(change, place, document);
    },
  };

  const DeleteApiDestination: BusOperation<DeleteApiDestinationRequest, Nothing> = {
    access: 'write',
    needs: ({ Name }, call) => [need('DeleteApiDestination', Name, call)],
    async handle({ Name }, call, change) {
      await readApiDestination(change, placeOf(call), Name);
      change.delete(apiDestinationKey(placeOf(call), Name));
      return nothing;
    },
  };

  const DescribeApiDestination: BusOperation<DescribeApiDestinationRequest, DescribeApiDestinationResponse> =
    {
      access: 'read',
      needs: ({ Name }, call) => [need('DescribeApiDestination', Name, call)],
      async handle({ Name }, call, change) {
        const place = placeOf(call);
        const document = await readApiDestination(change, place, Name);
        const { description } = document;
        return {
          ...(await shown(change, place, document)),
          ...(description !== undefined && description !== '' && { Description: description }),
        };
      },
    };

  const ListApiDestinations: BusOperation<ListApiDestinationsRequest, ListApiDestinationsResponse> = {
    access: 'read',
    needs: () => [{ action: 'events:ListApiDestinations', resource: '*' }],
    async handle(input, call, change) {
      const place = placeOf(call);
      const prefix = apiDestinationPrefix(place) + (input.NamePrefix ?? '');
      const wanted = (await change.list<ApiDestinationDocument>(prefix))
        .map(({ value }) => value)
        .filter(({ connectionArn: arn }) => input.ConnectionArn === undefined || arn === input.ConnectionArn);
      const { items, answer } = pageOf(wanted, ({ name }) => name, input);
      const ApiDestinations: ApiDestination[] = [];
      for (const document of items) ApiDestinations.push(await shown(change, place, document));
      return { ApiDestinations, ...answer };
    },
  };

  return {
    CreateApiDestination,
    UpdateApiDestination,
    DeleteApiDestination,
    DescribeApiDestination,
    ListApiDestinations,
  };
}
