import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { endThread } from './threads.ts';

const threadsFile = new URL('threads.ts', import.meta.url).href;

/** A thread that unpacks a small file again and again, as fast as it can, and listens in between. */
const unpacking = `
  const { parentPort } = require('node:worker_threads');
  const { gunzipSync, gzipSync } = require('node:zlib');
  const file = gzipSync('{"Records":[]}');
  import(${JSON.stringify(threadsFile)}).then(({ serveMessages }) => {
    serveMessages(parentPort, () => {});
    const unpack = () => {
      for (let count = 0; count < 100; count++) gunzipSync(file);
      setImmediate(unpack);
    };
    unpack();
    parentPort.postMessage('ready');
  });`;

/** Runs such threads one after the other in a process of its own, and ends each within its first milliseconds. */
function manyEnds(end: string): string {
  return `
    import { once } from 'node:events';
    import { Worker } from 'node:worker_threads';
    import { endThread } from ${JSON.stringify(threadsFile)};
    for (let round = 0; round < 25; round++) {
      const worker = new Worker(${JSON.stringify(unpacking)}, { eval: true, execArgv: [] });
      await once(worker, 'message');
      await new Promise((done) => setTimeout(done, round % 5));
      await ${end};
    }
    console.log('all ended');`;
}

async function run(script: string): Promise<{ readonly output: string; readonly code: number | null }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { output, code };
}

test('threads that unpack files are ended without taking the process with them', async () => {
  expect(await run(manyEnds('endThread(worker)'))).toEqual({ output: 'all ended\n', code: 0 });
});

test('a thread that has ended is ended, and so is one that is asked twice', async () => {
  const worker = new Worker(unpacking, { eval: true, execArgv: [] });
  await once(worker, 'message');
  await Promise.all([endThread(worker), endThread(worker)]);
  await endThread(worker);
  expect(worker.threadId).toBe(-1);
});
