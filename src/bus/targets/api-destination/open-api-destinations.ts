import { parseArn, type Clock, type Logger } from '../../../kernel/index.ts';
import type { AuthoriseRole, Cipher } from '../../../identity/index.ts';
import type { State } from '../../../state/index.ts';
import {
  apiDestinationKey,
  connectionKey,
  type ApiDestinationDocument,
  type BusPlace,
  type ConnectionDocument,
} from '../../bus-documents.ts';
import type { Invoker, Outcome } from '../../delivery/delivery-types.ts';
import type { HttpAnswer, SendHttp } from '../http/http-client.ts';
import { refuseRole } from '../../target-role.ts';
import { targetKindOf } from '../target-kinds.ts';
import { openConnection, type ConnectionSecret } from './connection-secret.ts';
import { openConnectionStates } from './connection-states.ts';
import { InvocationError, invocationRequest } from './invocation-request.ts';
import { openOAuthTokens } from './oauth-tokens.ts';
import { retryAfterMs } from './retry-after.ts';

export interface ApiDestinationsOptions {
  readonly state: State;
  /** `bus/v1`. */
  readonly cipher: Cipher;
  readonly send: SendHttp;
  readonly authoriseRole: AuthoriseRole;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A connection, ready for use. */
interface OpenedConnection {
  readonly key: string;
  readonly document: ConnectionDocument;
  readonly secret: ConnectionSecret;
}

const tokenKey = ({ key, document }: OpenedConnection) => `${key} ${document.id} ${document.updatedAt}`;

const failed = (reason: string, isFinal: boolean): Outcome & { readonly kind: 'failed' } => ({
  kind: 'failed',
  reason,
  isFinal,
});

/** "Retries events associated with error codes 401, 407, 409, 429, and 5xx. Does not retry … 1xx, 2xx, 3xx, and 4xx (other than …)." */
const isRetried = (status: number): boolean => [401, 407, 409, 429].includes(status) || status >= 500;
const isUnauthorized = (status: number): boolean => status === 401 || status === 407;

function outcomeOf(answer: HttpAnswer, now: number): Outcome {
  if (answer.kind === 'failed') return failed(answer.reason, false);
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const after = retryAfterMs(headers['retry-after'], now);
  const isFinal = !isRetried(status) || (after ?? 0) < 0;
  return {
    ...failed(`it answered ${status}`, isFinal),
    ...(after !== undefined && { retryAfterMs: after }),
  };
}

/** API destinations, at work. */
export interface ApiDestinations extends Invoker, AsyncDisposable {
  /** Resolves once the authorization servers of connections that were made or changed have been asked. */
  settle(): Promise<void>;
}

const connectionKeys = /^bus\/[^/]+\/[^/]+\/connection\//;

/** Opens the invoking of API destinations, by what their documents and their connections say at the moment of each attempt. */
export async function openApiDestinations(options: ApiDestinationsOptions): Promise<ApiDestinations> {
  const { state, cipher, send, clock } = options;
  const tokens = openOAuthTokens({ send, clock });
  const states = openConnectionStates(options);
  const stop = new AbortController();
  const asking = new Set<Promise<void>>();

  async function find(target: string) {
    const kind = targetKindOf(target);
    if (kind?.kind !== 'api-destination') return undefined;
    const key = apiDestinationKey(kind.place, kind.name);
    const document = (await state.get<ApiDestinationDocument>(key))?.value;
    return document?.id === kind.id ? { document, place: kind.place } : undefined;
  }

  async function connectionOf(arn: string, place: BusPlace): Promise<OpenedConnection | string> {
    const [, name = '', id = ''] = parseArn(arn)?.resource.split('/') ?? [];
    const key = connectionKey(place, name);
    const document = (await state.get<ConnectionDocument>(key))?.value;
    if (document?.id !== id) return `there is no connection ${arn}`;
    const secret = openConnection(cipher, document, key);
    // An OAuth connection is tried again: whether its client is known is found out by asking.
    const isUsable = document.state !== 'DEAUTHORIZED' || secret?.OAuthParameters !== undefined;
    return secret && isUsable ? { key, document, secret } : `the connection ${name} is not authorized`;
  }

  async function tokenOf(connection: OpenedConnection, signal: AbortSignal) {
    if (!connection.secret.OAuthParameters) return undefined;
    const answer = await tokens.get(tokenKey(connection), connection.secret, signal);
    const { key, document } = connection;
    if (answer.kind === 'token') await states.note(key, document, 'AUTHORIZED');
    else if (answer.isRefused) await states.note(key, document, 'DEAUTHORIZED', answer.reason);
    return answer;
  }

  async function noteUnauthorized(connection: OpenedConnection, status: number, token: string | undefined) {
    const { key, document } = connection;
    // "OAUTH tokens are refreshed when a 401 or 407 response is returned."
    if (token !== undefined) tokens.forget(tokenKey(connection), token);
    // "For connections using Basic or API Key authentication, EventBridge receives a 401 … or 407 … error code."
    else await states.note(key, document, 'DEAUTHORIZED', `the endpoint answered ${status}`);
  }

  /** Asks the authorization server of a connection that says AUTHORIZING; what comes of it is its state. */
  async function authorise(key: string): Promise<void> {
    const document = (await state.get<ConnectionDocument>(key))?.value;
    if (document?.state !== 'AUTHORIZING') return;
    const secret = openConnection(cipher, document, key);
    if (!secret) return;
    const answer = await tokenOf({ key, document, secret }, stop.signal);
    if (answer?.kind === 'failed') await states.note(key, document, 'DEAUTHORIZED', answer.reason);
  }

  function ask(key: string): void {
    const asked = authorise(key)
      .catch((error: unknown) => {
        if (!stop.signal.aborted) options.log.error({ err: error }, 'a connection was not authorized');
      })
      .finally(() => asking.delete(asked));
    asking.add(asked);
  }

  const stopListening = state.onChange((keys) => {
    for (const key of keys) if (connectionKeys.test(key)) ask(key);
  });
  for (const { key } of await state.list('bus/')) if (connectionKeys.test(key)) ask(key);

  return {
    async settle() {
      while (asking.size > 0) await Promise.all(asking);
    },
    async [Symbol.asyncDispose]() {
      stopListening();
      stop.abort(new Error('Cairn stops'));
      await Promise.all(asking);
    },
    async ratePerSecond(target) {
      return (await find(target))?.document.invocationRateLimitPerSecond;
    },
    async invoke(head, body, signal) {
      const found = await find(head.target);
      if (!found) return failed('there is no such API destination', true);
      const { rule, role, target } = head;
      const need = { action: 'events:InvokeApiDestination', resource: target };
      const use = { rule, role, from: found.place, region: found.place.region, need };
      const refused = await refuseRole(use, options);
      if (refused !== undefined) return failed(refused, true);
      const { connectionArn, invocationEndpoint: endpoint, httpMethod: method } = found.document;
      const connection = await connectionOf(connectionArn, found.place);
      if (typeof connection === 'string') return failed(connection, false);
      const token = await tokenOf(connection, signal);
      if (token?.kind === 'failed') return failed(token.reason, false);
      const { secret } = connection;
      const value = token?.token.value;
      try {
        const request = invocationRequest({ endpoint, method, http: head.http, secret, token: value, body });
        const answer = await send(request, signal);
        if (answer.kind === 'answered' && isUnauthorized(answer.status))
          await noteUnauthorized(connection, answer.status, value);
        return outcomeOf(answer, clock.now());
      } catch (error) {
        if (error instanceof InvocationError) return failed(error.message, true);
        throw error;
      }
    },
  };
}
