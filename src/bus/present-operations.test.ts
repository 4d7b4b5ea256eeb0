import { describe, expect, it } from 'vitest';
import type { Operation, Operations } from '../wire/index.ts';
import type { Change } from '../state/index.ts';
import { allOperations } from './api/all-operations.ts';
import { presentOperations } from './present-operations.ts';

const declared = allOperations({} as never);

/** What the wire and the recording know of an operation without calling it. */
const facts = (operations: Operations<Change>) =>
  Object.entries(operations)
    .map(([name, { access, category, issuesCredentials, shownWhenDenied, ...others }]) => ({
      name,
      access,
      category,
      issuesCredentials,
      shownWhenDenied,
      // Members that would have to be passed on as well.
      others: Object.keys(others).filter((key) => !['needs', 'resources', 'handle'].includes(key)),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));

describe('the operations that are present', () => {
  it('are those that are declared, before they are loaded', () => {
    const present = presentOperations(() => Promise.reject(new Error('not asked for')));
    expect(facts(present)).toEqual(facts(declared));
  });

  it('are loaded once, by the first call', async () => {
    let loads = 0;
    const given = { needs: () => [{ action: 'a', resource: '*' }], handle: () => Promise.resolve({ A: 1 }) };
    const present = presentOperations(() => {
      loads += 1;
      return Promise.resolve({
        PutRule: { access: 'write', ...given, resources: () => [{ ARN: 'b' }] },
      } satisfies Operations<Change>);
    });
    const { needs, handle, resources } = present['PutRule'] as Required<Operation<Change>>;
    expect(loads).toBe(0);
    expect(await needs({}, {} as never)).toEqual([{ action: 'a', resource: '*' }]);
    expect(await handle({}, {} as never, {} as never)).toEqual({ A: 1 });
    expect(resources({}, {}, {} as never)).toEqual([{ ARN: 'b' }]);
    expect(loads).toBe(1);
  });
});
