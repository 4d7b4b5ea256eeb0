import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CopyPaths } from './durable-copy.ts';

/** The worker's file stands beside this one, as TypeScript in the repository and as JavaScript where it is published. */
const workerUrl = new URL(`./checkpoint-worker${extname(import.meta.url)}`, import.meta.url);

/** Runs makeDurableCopy in a thread of its own; resolves with the cursor that is durable. */
export function runCheckpoint(paths: CopyPaths): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl, { workerData: paths });
    worker.once('message', (cursor: number) => resolve(cursor));
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`the checkpoint ended with exit code ${code} and no answer`)),
    );
  });
}
