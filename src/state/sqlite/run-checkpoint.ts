import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CopyPaths, CopyResult } from './durable-copy.ts';

/** The worker's file stands beside this one, as TypeScript in the repository and as JavaScript where it is published. */
const workerUrl = new URL(`./checkpoint-worker${extname(import.meta.url)}`, import.meta.url);

/** Runs makeDurableCopy in a thread of its own; resolves with its result. */
export function runCheckpoint(paths: CopyPaths): Promise<CopyResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl, { workerData: paths });
    worker.once('message', (result: CopyResult) => resolve(result));
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`the checkpoint ended with exit code ${code} and no answer`)),
    );
  });
}
