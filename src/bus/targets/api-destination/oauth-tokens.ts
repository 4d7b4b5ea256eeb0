import type { Clock } from '../../../kernel/index.ts';
import type { SendHttp } from '../http/http-client.ts';
import type { ConnectionSecret } from './connection-secret.ts';
import { readToken, tokenRequest, type OAuthToken, type TokenAnswer } from './oauth-request.ts';

/** "Proactively during an HTTPS invocation, if the token expires within 60 seconds" ("Authorization methods for connections"). */
const earlyMs = 60_000;
const mostTokens = 10_000;

/** The access tokens of connections, in memory alone. */
export interface OAuthTokens {
  /** The token of a connection, fetched where there is none that lasts. `key` names the connection and its parameters. */
  get(key: string, secret: ConnectionSecret, signal: AbortSignal): Promise<TokenAnswer>;
  /** Lets go of a token that an endpoint did not take. */
  forget(key: string, value: string): void;
}

export function openOAuthTokens({
  send,
  clock,
}: {
  readonly send: SendHttp;
  readonly clock: Clock;
}): OAuthTokens {
  const tokens = new Map<string, OAuthToken>();
  const fetching = new Map<string, Promise<TokenAnswer>>();

  async function fetchToken(
    key: string,
    secret: ConnectionSecret,
    signal: AbortSignal,
  ): Promise<TokenAnswer> {
    const answer = readToken(await send(tokenRequest(secret), signal), clock.now());
    if (answer.kind === 'token') {
      if (tokens.size >= mostTokens) tokens.clear();
      tokens.set(key, answer.token);
    }
    return answer;
  }

  return {
    get(key, secret, signal) {
      const known = tokens.get(key);
      if (known && known.expiresAt - earlyMs > clock.now())
        return Promise.resolve({ kind: 'token', token: known });
      const running = fetching.get(key);
      if (running) return running;
      const started = fetchToken(key, secret, signal).finally(() => fetching.delete(key));
      fetching.set(key, started);
      return started;
    },
    forget(key, value) {
      if (tokens.get(key)?.value === value) tokens.delete(key);
    },
  };
}
