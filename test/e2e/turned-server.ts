/**
 * A whole server in a process of its own, whose clock is turned by lines on standard input: `MS STEPS` moves it on by so
 * many milliseconds in so many steps, `MS 0` sets it forward without any time passing. It answers each with a line that
 * says what time it is; the first line is the endpoint. Arguments: the data directory and the time at which the clock stands, epoch milliseconds.
 */
import { open, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { manualClock, openLog, readSettings, systemRandom } from '../../src/kernel/index.ts';
import { openServer } from '../../src/server.ts';

const [data = '', start = ''] = process.argv.slice(2);
const clock = manualClock(Number(start));
const settings = readSettings(process.env, { listen: '127.0.0.1:0', data });
const log = openLog('error');
const server = await openServer(settings, { log, clock, random: systemRandom, version: '0.0.0' });
process.stdout.write(`${server.endpoint}\n`);
const beat = await open(`${data}.beat`, 'w');
await rm(`${data}.beat`);

/** What fell due works with the disk and must get real time for it: as much more as the machine is slow now. */
async function rest(): Promise<void> {
  const began = performance.now();
  await beat.write('.');
  await beat.sync();
  await pause(Math.max(15, 8 * (performance.now() - began)));
}

for await (const line of createInterface({ input: process.stdin })) {
  const [ms = 0, steps = 1] = line.split(' ').map(Number);
  if (steps === 0) clock.jump(ms);
  for (let step = 0; step < steps; step++) {
    await clock.advance(ms / steps);
    await rest();
  }
  process.stdout.write(`${clock.now()}\n`);
}
await server.close();
await beat.close();
