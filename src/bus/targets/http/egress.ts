import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { ResolveHost } from './host-lookups.ts';
import { isPublicAddress } from './public-addresses.ts';

/** Where requests may go. */
export interface Egress {
  /** Why a request to this URL may not be sent; undefined when it may, as far as can be said without its address. */
  refuse(url: URL): string | undefined;
  /** Resolves the URL's host; what is connected to is an address that passed, so that no other answer of DNS takes its place. */
  lookupFor(url: URL): LookupFunction;
}

/** An address that requests may not go to. */
export class ForbiddenAddressError extends Error {
  override name = 'ForbiddenAddressError';
}

const portOf = ({ protocol, port }: URL): string => port || (protocol === 'https:' ? '443' : '80');

/** The host of a URL as an address; IPv6 addresses stand in brackets there. */
const bare = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');

const howToAllow = 'list the host in CAIRN_HTTP_TARGETS if events shall be sent there';

const forbidden = (host: string, address: string): string =>
  `${host === address ? address : `${host} (${address})`} is no public address: ${howToAllow}`;

/**
 * Requests go to public addresses over HTTPS, and to the hosts that `listed` names (`HOST` or `HOST:PORT`, in lower case)
 * wherever they are, over HTTP as well: whoever may make targets must not reach by them what only this machine may reach.
 */
export function openEgress(listed: readonly string[], resolve: ResolveHost = systemLookup): Egress {
  const hosts = new Set(listed);
  const isListed = (url: URL) => hosts.has(url.hostname) || hosts.has(`${url.hostname}:${portOf(url)}`);
  return {
    refuse(url) {
      if (url.protocol !== 'https:' && url.protocol !== 'http:') return `${url.protocol} is not HTTPS`;
      if (url.username !== '' || url.password !== '') return 'the URL holds credentials';
      if (isListed(url)) return undefined;
      if (url.protocol !== 'https:') return `${url.origin} is not HTTPS: ${howToAllow}`;
      // For a host that is an address, nothing is looked up.
      const host = bare(url.hostname);
      return isIP(host) !== 0 && !isPublicAddress(host) ? forbidden(host, host) : undefined;
    },
    lookupFor: (url) => (host, options, done) => {
      const { all, ...others } = options;
      resolve(host, { ...others, all: true }, (error, addresses) => {
        if (error) {
          done(error, '', 0);
          return;
        }
        const allowed = isListed(url)
          ? addresses
          : addresses.filter(({ address }) => isPublicAddress(address));
        const [first] = allowed;
        if (!first) {
          const reason = forbidden(host, addresses.map(({ address }) => address).join(', '));
          done(new ForbiddenAddressError(reason), '', 0);
        } else if (all) done(null, allowed);
        else done(null, first.address, first.family);
      });
    },
  };
}
