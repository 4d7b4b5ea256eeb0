import type { MessagePort, Worker } from 'node:worker_threads';

/** What asks a thread to end. */
const endMessage = 'end';

/**
 * In a worker thread: hands on what is posted to it, and ends the thread when `endThread` asks for that, which is between
 * two messages, never in the middle of handling one.
 */
export function serveMessages(port: MessagePort, handle: (message: never) => void): void {
  port.on('message', (message: unknown) => {
    if (message === endMessage) process.exit();
    handle(message as never);
  });
}

/**
 * Ends a thread that listens by `serveMessages`; resolves when it has ended, also when it had before. To be used instead of
 * `Worker.terminate`, which stops a thread between any two instructions: where that is between the making of a
 * compressor of node:zlib and its setting up, Node aborts the whole process (`init_done_ && "close before init"`).
 */
export function endThread(worker: Worker): Promise<void> {
  if (worker.threadId < 0) return Promise.resolve();
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    worker.ref();
    worker.postMessage(endMessage, []);
  });
}
