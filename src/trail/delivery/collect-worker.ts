import { parentPort } from 'node:worker_threads';
import { assert, serveMessages, workInBackground } from '../../kernel/index.ts';
import { movable } from '../worker-pool.ts';
import { unpackRecords, type PassAnswer, type PassRequest } from './collect-messages.ts';
import { openCollectPass, type Collected, type CollectPass } from './collect-pass.ts';

/**
 * The thread that puts log files together: it scans records, decides which trails log them, and packs them. Passes
 * interleave where they wait for the packing. Bytes are moved, not copied. It gives way to what answers calls.
 */
assert(parentPort, 'the collect worker runs as a worker thread');
const port = parentPort;
workInBackground();
const passes = new Map<number, CollectPass>();

function passOf(number: number): CollectPass {
  const pass = passes.get(number);
  assert(pass, `pass ${number} is not open`);
  return pass;
}

async function finish(pass: number, collected: readonly Collected[]): Promise<void> {
  const bodies: ArrayBuffer[] = [];
  const moved = collected.map((one) => ({
    ...one,
    files: one.files.map((file) => {
      const body = movable(file.body);
      bodies.push(body.buffer);
      return { ...file, body };
    }),
  }));
  port.postMessage({ kind: 'finished', pass, collected: moved } satisfies PassAnswer, bodies);
}

async function perform(request: PassRequest): Promise<void> {
  const { kind, pass } = request;
  switch (kind) {
    case 'open':
      passes.set(pass, openCollectPass(request.trails, request.bounds));
      return;
    case 'add': {
      const { records, changes } = request;
      const progress = await passOf(pass).add(unpackRecords(records), changes);
      const { memory } = records;
      port.postMessage({ kind: 'added', pass, progress, memory } satisfies PassAnswer, [memory]);
      return;
    }
    case 'finish':
      return finish(pass, await passOf(pass).finish(request.to));
    case 'discard':
      passes.get(pass)?.discard();
      passes.delete(pass);
  }
}

serveMessages(port, (request: PassRequest) => {
  perform(request).catch((error: unknown) => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    port.postMessage({ kind: 'failed', pass: request.pass, message } satisfies PassAnswer);
  });
});
