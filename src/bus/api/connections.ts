import type {
  ConnectionAuthorizationType,
  CreateConnectionRequest,
  CreateConnectionResponse,
  DeauthorizeConnectionRequest,
  DeauthorizeConnectionResponse,
  DeleteConnectionRequest,
  DeleteConnectionResponse,
  DescribeConnectionRequest,
  DescribeConnectionResponse,
  ListConnectionsRequest,
  ListConnectionsResponse,
  UpdateConnectionRequest,
  UpdateConnectionResponse,
} from '@aws-sdk/client-eventbridge';
import { formatArn } from '../../kernel/index.ts';
import type { Cipher } from '../../identity/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call, Need } from '../../wire/index.ts';
import {
  connectionArn,
  connectionKey,
  connectionPrefix,
  type BusPlace,
  type ConnectionDocument,
} from '../bus-documents.ts';
import type { BusOperation } from '../bus-operation.ts';
import { pageOf } from '../bus-paging.ts';
import { busQuotas } from '../bus-quotas.ts';
import { alreadyExists, limitExceeded, notFound, refuseMember } from '../faults.ts';
import { openConnection, sealConnection, type ConnectionSecret, type Egress } from '../targets/index.ts';
import { checkSecret, mergeSecret, shownSecret } from './connection-parameters.ts';

/** What the operations on connections and API destinations work with. */
export interface ConnectionParts {
  /** `bus/v1`. */
  readonly cipher: Cipher;
  readonly egress: Egress;
}

export const placeOf = ({ accountId, region }: Call): BusPlace => ({ account: accountId, region });

/** The service authorization reference has the name alone in the ARNs of permissions. */
export const connectionNeed = (action: string, name: string, call: Call): Need => ({
  action: `events:${action}`,
  resource: formatArn('events', call.region, call.accountId, `connection/${name}`),
});

async function readConnection(view: StateView, place: BusPlace, name: string) {
  const found = await view.get<ConnectionDocument>(connectionKey(place, name));
  if (!found) throw notFound(`Failed to describe the connection(s). Connection '${name}' does not exist.`);
  return found.value;
}

const shownTime = (time: number): Date => new Date(time);

const timesShown = ({ createdAt, updatedAt, authorizedAt }: ConnectionDocument) => ({
  CreationTime: shownTime(createdAt),
  LastModifiedTime: shownTime(updatedAt),
  ...(authorizedAt !== undefined && { LastAuthorizedTime: shownTime(authorizedAt) }),
});

const stateShown = (place: BusPlace, document: ConnectionDocument) => ({
  ConnectionArn: connectionArn(place, document),
  ConnectionState: document.state,
  ...timesShown(document),
});

const reasonShown = ({ stateReason }: ConnectionDocument) =>
  stateReason === undefined ? {} : { StateReason: stateReason };

const descriptionShown = ({ description }: ConnectionDocument) =>
  description === undefined || description === '' ? {} : { Description: description };

/** Members that ask for what is not built. */
function refuseUnbuilt({
  InvocationConnectivityParameters: invocation,
  KmsKeyIdentifier: key,
  AuthParameters,
}: Pick<
  UpdateConnectionRequest,
  'InvocationConnectivityParameters' | 'KmsKeyIdentifier' | 'AuthParameters'
>) {
  const privately =
    'private APIs are of VPC Lattice, which is absent; CAIRN_HTTP_TARGETS opens private hosts.';
  refuseMember('InvocationConnectivityParameters', invocation, privately);
  refuseMember('ConnectivityParameters', AuthParameters?.ConnectivityParameters, privately);
  refuseMember('KmsKeyIdentifier', key, 'connections are sealed by the master key alone.');
}

/** "AUTHORIZING" until the authorization server has answered: EventBridge asks it for a token at once. */
const stateOf = (type: ConnectionAuthorizationType, now: number) =>
  type === 'OAUTH_CLIENT_CREDENTIALS'
    ? { state: 'AUTHORIZING' as const }
    : { state: 'AUTHORIZED' as const, authorizedAt: now };

/** The operations on connections, each under its own name. */
export function connectionOperations({ cipher, egress }: ConnectionParts) {
  const CreateConnection: BusOperation<CreateConnectionRequest, CreateConnectionResponse> = {
    access: 'write',
    needs: ({ Name }, call) => [connectionNeed('CreateConnection', Name, call)],
    async handle(input, call, change, { random }) {
      refuseUnbuilt(input);
      const { Name: name, AuthorizationType: authorizationType, AuthParameters: secret } = input;
      checkSecret(authorizationType, secret, egress);
      const place = placeOf(call);
      const key = connectionKey(place, name);
      if (await change.get(key)) throw alreadyExists(`Connection ${name} already exists.`);
      if ((await change.count(connectionPrefix(place))) >= busQuotas.connections)
        throw limitExceeded(`${busQuotas.connections} connections of an account in a region`);
      const document: ConnectionDocument = {
        name,
        id: random.uuid(),
        ...(input.Description !== undefined && { description: input.Description }),
        authorizationType,
        ...stateOf(authorizationType, call.time),
        shown: shownSecret(secret),
        sealed: sealConnection(cipher, secret, key),
        createdAt: call.time,
        updatedAt: call.time,
      };
      change.put(key, document);
      return stateShown(place, document);
    },
  };

  const UpdateConnection: BusOperation<UpdateConnectionRequest, UpdateConnectionResponse> = {
    access: 'write',
    needs: ({ Name }, call) => [connectionNeed('UpdateConnection', Name, call)],
    async handle(input, call, change) {
      refuseUnbuilt(input);
      const place = placeOf(call);
      const key = connectionKey(place, input.Name);
      const before = await readConnection(change, place, input.Name);
      const authorizationType = input.AuthorizationType ?? before.authorizationType;
      const isSame = authorizationType === before.authorizationType;
      const kept = isSame ? openConnection(cipher, before, key) : undefined;
      const given = input.AuthParameters as Partial<ConnectionSecret> | undefined;
      const hasNothing = given === undefined && isSame;
      const secret = hasNothing ? kept : mergeSecret(kept, given);
      if (!hasNothing) checkSecret(authorizationType, secret, egress);
      const { stateReason: _, sealed: __, ...others } = before;
      const document: ConnectionDocument = {
        ...others,
        ...(input.Description !== undefined && { description: input.Description }),
        authorizationType,
        // "EventBridge re-authorizes the connection" ("Updating connections in EventBridge").
        ...(secret && {
          ...stateOf(authorizationType, call.time),
          sealed: sealConnection(cipher, secret, key),
        }),
        shown: secret ? shownSecret(secret) : before.shown,
        updatedAt: Math.max(call.time, before.updatedAt + 1),
      };
      change.put(key, document);
      return stateShown(place, document);
    },
  };

  const DeauthorizeConnection: BusOperation<DeauthorizeConnectionRequest, DeauthorizeConnectionResponse> = {
    access: 'write',
    needs: ({ Name }, call) => [connectionNeed('DeauthorizeConnection', Name, call)],
    async handle({ Name }, call, change) {
      const place = placeOf(call);
      const { sealed: _, ...before } = await readConnection(change, place, Name);
      const document: ConnectionDocument = {
        ...before,
        state: 'DEAUTHORIZED',
        stateReason: 'The connection was deauthorized by a call of DeauthorizeConnection.',
        shown: {},
        updatedAt: Math.max(call.time, before.updatedAt + 1),
      };
      change.put(connectionKey(place, Name), document);
      return stateShown(place, document);
    },
  };

  const DeleteConnection: BusOperation<DeleteConnectionRequest, DeleteConnectionResponse> = {
    access: 'write',
    needs: ({ Name }, call) => [connectionNeed('DeleteConnection', Name, call)],
    async handle({ Name }, call, change) {
      const place = placeOf(call);
      const before = await readConnection(change, place, Name);
      change.delete(connectionKey(place, Name));
      // The reference speaks of "the state of the connection before it was deleted"; EventBridge answers this one.
      return { ...stateShown(place, before), ConnectionState: 'DELETING' };
    },
  };

  const DescribeConnection: BusOperation<DescribeConnectionRequest, DescribeConnectionResponse> = {
    access: 'read',
    needs: ({ Name }, call) => [connectionNeed('DescribeConnection', Name, call)],
    async handle({ Name }, call, change) {
      const place = placeOf(call);
      const document = await readConnection(change, place, Name);
      return {
        ...stateShown(place, document),
        ...reasonShown(document),
        Name: document.name,
        ...descriptionShown(document),
        AuthorizationType: document.authorizationType,
        AuthParameters: document.shown as DescribeConnectionResponse['AuthParameters'],
      };
    },
  };

  const ListConnections: BusOperation<ListConnectionsRequest, ListConnectionsResponse> = {
    access: 'read',
    needs: () => [{ action: 'events:ListConnections', resource: '*' }],
    async handle(input, call, change) {
      const place = placeOf(call);
      const all = await change.list<ConnectionDocument>(connectionPrefix(place) + (input.NamePrefix ?? ''));
      const wanted = all
        .map(({ value }) => value)
        .filter(({ state }) => input.ConnectionState === undefined || state === input.ConnectionState);
      const { items, answer } = pageOf(wanted, ({ name }) => name, input);
      return {
        Connections: items.map((document) => ({
          ...stateShown(place, document),
          ...reasonShown(document),
          Name: document.name,
          AuthorizationType: document.authorizationType,
        })),
        ...answer,
      };
    },
  };

  return {
    CreateConnection,
    UpdateConnection,
    DeauthorizeConnection,
    DeleteConnection,
    DescribeConnection,
    ListConnections,
  };
}
