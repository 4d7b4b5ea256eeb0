import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import type { Clock } from '../../../kernel/index.ts';

type Done = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/** Looks up all addresses of a host. */
export type ResolveHost = (host: string, options: LookupOptions & { readonly all: true }, done: Done) => void;

/** For so long an answer is as good as new. */
const freshMs = 30_000;
/** For so long it is better than none, while another is asked for. */
const usableMs = 5 * 60_000;
const mostHosts = 10_000;

/**
 * Looks up hosts by the system, whose lookups take one of a few threads each for as long as they last: a host is asked for once at a
 * time, and one that is known is not kept waiting by others that do not answer. An answer is no permission: who uses it checks the addresses.
 */
export function openHostLookups({
  clock,
  resolve = systemLookup,
}: {
  readonly clock: Clock;
  readonly resolve?: ResolveHost;
}): ResolveHost {
  const known = new Map<string, { readonly addresses: LookupAddress[]; readonly at: number }>();
  const asking = new Map<string, Done[]>();

  function ask(key: string, host: string, options: Parameters<ResolveHost>[1], done: Done): void {
    const others = asking.get(key);
    if (others) {
      others.push(done);
      return;
    }
    const all = [done];
    asking.set(key, all);
    resolve(host, options, (error, addresses) => {
      asking.delete(key);
      if (known.size >= mostHosts) known.clear();
      if (error) known.delete(key);
      else known.set(key, { addresses, at: clock.monotonic() });
      for (const one of all) one(error, addresses);
    });
  }

  return (host, options, done) => {
    const key = JSON.stringify([host, options]);
    const found = known.get(key);
    const age = found ? clock.monotonic() - found.at : Infinity;
    if (!found || age > usableMs) {
      ask(key, host, options, done);
      return;
    }
    if (age > freshMs) ask(key, host, options, () => undefined);
    queueMicrotask(() => done(null, found.addresses));
  };
}
