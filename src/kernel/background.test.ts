import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { workInBackground } from './background.ts';

const onLinux = test.skipIf(process.platform !== 'linux');

onLinux('a thread that works in the background leaves the others as they are', async () => {
  const own = getPriority();
  const script = `
    const { parentPort } = require('node:worker_threads');
    const { getPriority } = require('node:os');
    import(${JSON.stringify(new URL('background.ts', import.meta.url).href)}).then(({ workInBackground }) => {
      workInBackground();
      parentPort.postMessage(getPriority());
    });`;
  const worker = new Worker(script, { eval: true });
  const ended = once(worker, 'exit');
  const [priority] = (await once(worker, 'message')) as [number];
  await ended;
  expect(priority).toBe(Math.max(own, 10));
  expect(getPriority()).toBe(own);
});

onLinux('a process can be sent to the background; one that is gone is no error', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = once(child, 'exit');
  const pid = child.pid ?? 0;
  workInBackground(pid);
  expect(getPriority(pid)).toBe(10);
  child.stdin.end();
  await ended;
  expect(() => workInBackground(pid)).not.toThrow();
});
