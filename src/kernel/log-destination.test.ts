import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openLogDestination } from './log-destination.ts';

it('writes every line once, in their order, also what is flushed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-log-'));
  const file = join(directory, 'log');
  const descriptor = openSync(file, 'a');
  const destination = openLogDestination(descriptor);
  const lines = Array.from({ length: 1000 }, (_, at) => `line ${at}\n`);
  for (const line of lines.slice(0, 900)) destination.write(line);
  await expect.poll(() => readFileSync(file, 'utf8')).toBe(lines.slice(0, 900).join(''));
  for (const line of lines.slice(900)) destination.write(line);
  await expect.poll(() => readFileSync(file, 'utf8')).toBe(lines.join(''));
  destination.flush();
  expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
  closeSync(descriptor);
  rmSync(directory, { recursive: true });
});

it.skipIf(!existsSync('/dev/full'))('neither throws nor waits where there is no room', async () => {
  const descriptor = openSync('/dev/full', 'w');
  const destination = openLogDestination(descriptor);
  for (let line = 0; line < 3000; line += 1) destination.write(`${'x'.repeat(1000)}\n`);
  await pause(50);
  destination.write('one more\n');
  await pause(50);
  destination.flush();
  closeSync(descriptor);
});
