import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { limits } from '../../kernel/index.ts';
import { openReserve } from './reserve.ts';

let directory: string;
const file = () => join(directory, 'reserve');
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-reserve-'));
});
afterEach(() => rm(directory, { recursive: true }));

it('takes real room once, gives it up once, and takes it again', async () => {
  const reserve = openReserve(file());
  expect(reserve.give()).toBe(false);
  reserve.take();
  reserve.take();
  const { size, blocks } = await stat(file());
  expect(size).toBe(limits.stateReserveBytes);
  expect(blocks * 512).toBeGreaterThanOrEqual(limits.stateReserveBytes);
  expect(openReserve(file()).give()).toBe(true);
  expect(existsSync(file())).toBe(false);
});

it('that a crash left short is none, and is made anew', async () => {
  await writeFile(file(), 'short');
  const reserve = openReserve(file());
  expect(reserve.give()).toBe(false);
  reserve.take();
  expect(await readFile(file())).toHaveLength(limits.stateReserveBytes);
});

it('says another failure than a full disk as what it is', async () => {
  await mkdir(file());
  expect(() => openReserve(file()).take()).toThrow('EISDIR');
});
