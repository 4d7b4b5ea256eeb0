import { expect, it } from 'vitest';
import { openTurns } from './turns.ts';

it('turns are taken one after the other, also after a failure', async () => {
  const turns = openTurns();
  const seen: string[] = [];
  const work =
    (name: string, fail = false) =>
    async () => {
      seen.push(`${name} begins`);
      await Promise.resolve();
      seen.push(`${name} ends`);
      if (fail) throw new Error(name);
      return name;
    };
  const all = Promise.allSettled([turns.take(work('a')), turns.take(work('b', true)), turns.take(work('c'))]);
  await turns.idle();
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
