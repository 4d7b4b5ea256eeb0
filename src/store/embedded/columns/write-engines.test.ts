import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../kernel/index.ts';
import { contractTable, ownerA } from '../../columns-contract.ts';
import type { EngineTask } from './engine-messages.ts';
import type { startEngine } from './engine-process.ts';
import { openWriteEngines } from './write-engines.ts';

const merge = {
  kind: 'merge',
  table: contractTable,
  owner: ownerA,
  inputs: [],
  sort: true,
  output: '',
  fewestIndexed: 1,
} as const;
const seal = {
  kind: 'seal',
  table: contractTable,
  staged: '',
  scratch: '',
  isOneOwner: true,
  fewestIndexed: 1,
  known: [],
  directory: '',
  name: '',
} as const;

it('no two processes that write spill into one directory, and what one leaves behind that died is removed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-writers-'));
  const ran: EngineTask[] = [];
  let alive = true;
  const start = (() => ({
    pid: 1,
    get alive() {
      return alive;
    },
    run: async (task: EngineTask) => {
      ran.push(task);
      await mkdir(task.bounds.spillDirectory ?? '', { recursive: true });
    },
    kill: async () => {},
  })) as unknown as typeof startEngine;
  const engines = openWriteEngines({ directory, memoryBytes: 1, threads: 1, clock: systemClock, start });
  await Promise.all([engines.run<'seal'>(seal), engines.run<'merge'>(merge)]);
  await engines.run<'merge'>(merge);
  const [first, second, third] = ran.map(({ bounds }) => bounds.spillDirectory);
  expect(first).not.toBe(second);
  expect(third).toBe(second);
  alive = false;
  await engines.run<'merge'>(merge);
  const last = ran.at(-1)?.bounds.spillDirectory ?? '';
  expect([first, second]).not.toContain(last);
  await expect
    .poll(async () => (await readdir(directory)).map((name) => join(directory, name)))
    .toEqual([first, last]);
  await rm(directory, { recursive: true });
});
