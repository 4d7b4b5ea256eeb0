import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../kernel/index.ts';
import { ownerA, ownerB } from '../../columns-contract.ts';
import { EngineDiedError, EngineRefusedError } from './engine-process.ts';
import type { SealedFile } from './manifest.ts';
import { openRewriting, type MergeFiles } from './rewriting.ts';

function filesOf(owner: string): SealedFile[] {
  return Array.from({ length: 8 }, (_, at) => ({
    name: `${owner}/${at + 1}.parquet`,
    owner,
    rows: 1000,
    bytes: 1,
    from: at,
    to: at,
    version: 1,
  }));
}

/** Files of two owners, whose merges fail as `failure` says; and how many files were merged at a time. */
function openWith(failure: (inputs: readonly SealedFile[]) => Error | undefined) {
  let files = [...filesOf(ownerA), ...filesOf(ownerB)];
  const merged: string[] = [];
  let attempts = 0;
  const merge: MergeFiles = async ({ inputs }) => {
    attempts += 1;
    const error = failure(inputs);
    if (error) throw error;
    const [first] = inputs;
    if (!first) return;
    merged.push(`${inputs.length} of ${first.owner}`);
    const rows = inputs.reduce((sum, one) => sum + one.rows, 0);
    files = files.flatMap((file) => {
      if (file === first) return [{ ...first, rows, name: `${first.name}+` }];
      return inputs.includes(file) ? [] : [file];
    });
  };
  const rewriting = openRewriting({
    files: () => files,
    merge,
    remove: async () => {},
    log: silentLog,
  });
  return { rewriting, merged, attempts: () => attempts };
}

describe('a merge that takes too much memory', () => {
  it('is done with fewer files at a time', async () => {
    const { rewriting, merged } = openWith((inputs) =>
      inputs[0]?.owner === ownerA && inputs.length > 4
        ? new EngineRefusedError('it took more than 1024 MiB of memory')
        : undefined,
    );
    await rewriting.settled();
    expect(merged).toEqual([`4 of ${ownerA}`, `8 of ${ownerB}`]);
  });

  it('that cannot be done at all does not keep others from theirs, and is not tried without end', async () => {
    const { rewriting, merged, attempts } = openWith(({ 0: first }) =>
      first?.owner === ownerA ? new EngineDiedError('the query engine died') : undefined,
    );
    await rewriting.settled();
    await rewriting.settled();
    expect(merged).toEqual([`8 of ${ownerB}`]);
    expect(attempts()).toBe(4);
  });
});

it('a merge that fails for another reason is tried again as it is', async () => {
  let isFull = true;
  const { rewriting, merged } = openWith(() =>
    isFull ? new EngineRefusedError('no space left') : undefined,
  );
  await rewriting.settled();
  expect(merged).toEqual([]);
  isFull = false;
  await rewriting.settled();
  expect(merged).toEqual([`8 of ${ownerA}`, `8 of ${ownerB}`]);
});
