import { describe, expect, it } from 'vitest';
import { openStateCache } from './state-cache.ts';

function openCache(entries = 10) {
  let change: ((keys: readonly string[]) => void) | undefined;
  const onChange = (listener: (keys: readonly string[]) => void) => {
    change = listener;
    return () => undefined;
  };
  const cache = openStateCache<string>({ onChange }, entries);
  return { cache, change: (key: string) => change?.([key]) };
}

const answer = (text: string) => () => Promise.resolve(text);

describe('what is cached of identities', () => {
  it('is kept until an identity changes, and while others do not', async () => {
    const { cache, change } = openCache();
    expect(await cache.get('a', answer('old'))).toBe('old');
    change('trail/x');
    change('iam/last-used/AKIA');
    expect(await cache.get('a', answer('new'))).toBe('old');
    change('iam/000000000000/user/alice');
    expect(await cache.get('a', answer('new'))).toBe('new');
  });

  it('is not kept when a change overtook its loading', async () => {
    const { cache, change } = openCache();
    const loaded = Promise.withResolvers<string>();
    const loading = cache.get('a', () => loaded.promise);
    change('iam/000000000000/user/alice');
    loaded.resolve('stale');
    expect(await loading).toBe('stale');
    expect(await cache.get('a', answer('fresh'))).toBe('fresh');
  });

  it('is bounded: the oldest goes first', async () => {
    const { cache } = openCache(2);
    for (const key of ['a', 'b', 'c']) await cache.get(key, answer(key));
    expect(await cache.get('c', answer('again'))).toBe('c');
    expect(await cache.get('a', answer('again'))).toBe('again');
  });

  it('does not keep failures', async () => {
    const { cache } = openCache();
    await expect(cache.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await cache.get('a', answer('yes'))).toBe('yes');
  });
});
