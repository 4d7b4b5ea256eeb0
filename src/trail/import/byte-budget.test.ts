import { describe, expect, it } from 'vitest';
import { openByteBudget } from './byte-budget.ts';

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  const turn = new Promise((resolve) => setImmediate(() => resolve(pending)));
  return (await Promise.race([promise, turn])) !== pending;
}

describe('a budget of bytes', () => {
  it('lets in what fits, and the others in the order of arrival', async () => {
    const budget = openByteBudget(100);
    const first = await budget.reserve(60);
    const second = budget.reserve(50);
    const third = budget.reserve(10);
    expect(await isSettled(second)).toBe(false);
    // The third would fit, but it is not its turn.
    expect(await isSettled(third)).toBe(false);
    first[Symbol.dispose]();
    expect(await isSettled(second)).toBe(true);
    expect(await isSettled(third)).toBe(true);
  });

  it('lets in what is larger than the whole budget when nobody else has any', async () => {
    const budget = openByteBudget(100);
    const small = await budget.reserve(1);
    const large = budget.reserve(500);
    expect(await isSettled(large)).toBe(false);
    small[Symbol.dispose]();
    expect(await isSettled(large)).toBe(true);
  });

  it('takes corrections, and gives back once', async () => {
    const budget = openByteBudget(100);
    const one = await budget.reserve(90);
    const waiting = budget.reserve(50);
    one.set(20);
    expect(await isSettled(waiting)).toBe(true);
    one[Symbol.dispose]();
    one[Symbol.dispose]();
    (await waiting)[Symbol.dispose]();
    await budget.reserve(100);
    expect(await isSettled(budget.reserve(1))).toBe(false);
  });
});
