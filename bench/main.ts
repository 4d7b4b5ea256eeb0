/**
 * `npm run bench`: each benchmark in a process of its own, one after the other, so that none disturbs another.
 * Arguments are passed on to the last one: `npm run bench -- --events 10000000`.
 */
import { spawnSync } from 'node:child_process';

for (const [file, ...parameters] of [
  ['bench/journal.ts'],
  ['bench/wire.ts'],
  ['bench/history.ts'],
  ['bench/end-to-end.ts', ...process.argv.slice(2)],
]) {
  const outcome = spawnSync(process.execPath, [file ?? '', ...parameters], { stdio: 'inherit' });
  if (outcome.status !== 0) process.exitCode = 1;
}
