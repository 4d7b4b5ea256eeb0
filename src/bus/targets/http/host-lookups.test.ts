import type { LookupAddress } from 'node:dns';
import { beforeEach, describe, expect, it } from 'vitest';
import { manualClock, type ManualClock } from '../../../kernel/index.ts';
import { openEgress } from './egress.ts';
import { openHostLookups, type ResolveHost } from './host-lookups.ts';

type Done = Parameters<ResolveHost>[2];

let clock: ManualClock;
/** Lookups of the system that are under way. */
let asked: { readonly host: string; readonly done: Done }[];
let resolve: ResolveHost;

beforeEach(() => {
  clock = manualClock(0);
  asked = [];
  resolve = openHostLookups({ clock, resolve: (host, _, done) => void asked.push({ host, done }) });
});

const at = (address: string): LookupAddress[] => [{ address, family: 4 }];

function addressOf(host: string): Promise<string> {
  const { promise, resolve: answer, reject } = Promise.withResolvers<string>();
  resolve(host, { all: true }, (error, [first]) => (error ? reject(error) : answer(first?.address ?? '')));
  return promise;
}

/** What the system says to the oldest lookup. */
function say(address: string | Error): void {
  const { done } = asked.shift()!;
  if (typeof address === 'string') done(null, at(address));
  else done(address, []);
}

describe('lookups of hosts', () => {
  it('of one host are one, however many want it at once', async () => {
    const all = [addressOf('a'), addressOf('a'), addressOf('b'), addressOf('a')];
    expect(asked.map(({ host }) => host)).toEqual(['a', 'b']);
    say('192.0.2.1');
    say('192.0.2.2');
    expect(await Promise.all(all)).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.1']);
  });

  it('are not repeated for half a minute, and then keep nobody waiting', async () => {
    const first = addressOf('a');
    say('192.0.2.1');
    await first;
    await clock.advance(30_000);
    expect(await addressOf('a')).toBe('192.0.2.1');
    expect(asked).toEqual([]);
    await clock.advance(1);
    expect(await addressOf('a')).toBe('192.0.2.1');
    expect(await addressOf('a')).toBe('192.0.2.1');
    expect(asked).toHaveLength(1);
    say('192.0.2.9');
    expect(await addressOf('a')).toBe('192.0.2.9');
    expect(asked).toEqual([]);
  });

  it('are waited for where the last one is five minutes old', async () => {
    const first = addressOf('a');
    say('192.0.2.1');
    await first;
    await clock.advance(5 * 60_000 + 1);
    const second = addressOf('a');
    say('192.0.2.2');
    expect(await second).toBe('192.0.2.2');
  });

  it('that failed are made again', async () => {
    const first = addressOf('a');
    say('192.0.2.1');
    await first;
    await clock.advance(30_001);
    await addressOf('a');
    say(new Error('no such host'));
    const third = addressOf('a');
    say(new Error('still no such host'));
    await expect(third).rejects.toThrow('still no such host');
    const fourth = addressOf('a');
    say('192.0.2.2');
    expect(await fourth).toBe('192.0.2.2');
  });

  it('permit no address that is not permitted', async () => {
    const lookUp = openEgress([], resolve).lookupFor(new URL('https://a.example.com/'));
    const look = () =>
      new Promise((answer) => {
        lookUp('a.example.com', {}, (error, address) => answer(error?.name ?? address));
      });
    const first = look();
    say('127.0.0.1');
    expect(await first).toBe('ForbiddenAddressError');
    expect(await look()).toBe('ForbiddenAddressError');
    expect(asked).toEqual([]);
  });
});
