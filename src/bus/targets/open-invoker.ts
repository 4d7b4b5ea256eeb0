import type { Clock, Logger } from '../../kernel/index.ts';
import type { AuthoriseRole, Cipher } from '../../identity/index.ts';
import type { State } from '../../state/index.ts';
import type { Invoker } from '../delivery/delivery-types.ts';
import type { ApiDestinations } from './api-destination/open-api-destinations.ts';

export interface InvokerOptions {
  readonly state: State;
  /** `bus/v1`. */
  readonly cipher: Cipher;
  readonly authoriseRole: AuthoriseRole;
  readonly httpTargets: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** The invoking of targets, loaded once there is a connection. */
export interface LazyInvoker extends Invoker, AsyncDisposable {
  /** Resolves once the authorization servers of connections that were made or changed have been asked. */
  settle(): Promise<void>;
}

const connectionKeys = /^bus\/[^/]+\/[^/]+\/connection\//;

export async function openInvoker(options: InvokerOptions): Promise<LazyInvoker> {
  const { state } = options;
  let opening: Promise<ApiDestinations> | undefined;

  async function open(): Promise<ApiDestinations> {
    const { openApiDestinations, openEgress, openHostLookups, openHttpClient } = await import('./index.ts');
    const { clock } = options;
    const egress = openEgress(options.httpTargets, openHostLookups({ clock }));
    const send = openHttpClient({ egress, clock });
    return openApiDestinations({ ...options, send });
  }
  const opened = () => (opening ??= open());

  // From then on it looks after connections itself.
  const stop = state.onChange((keys) => {
    if (keys.some((key) => connectionKeys.test(key))) void opened();
  });
  if ((await state.list('bus/')).some(({ key }) => connectionKeys.test(key))) await opened();

  return {
    ratePerSecond: async (target) => (await opened()).ratePerSecond(target),
    invoke: async (head, body, signal) => (await opened()).invoke(head, body, signal),
    async settle() {
      await (await opening)?.settle();
    },
    async [Symbol.asyncDispose]() {
      stop();
      await (await opening)?.[Symbol.asyncDispose]();
    },
  };
}
