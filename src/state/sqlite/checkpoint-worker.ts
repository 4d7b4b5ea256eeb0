import { parentPort, workerData } from 'node:worker_threads';
import { workInBackground } from '../../kernel/index.ts';
import { makeDurableCopy, type CopyPaths } from './durable-copy.ts';

workInBackground();

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- A port between threads has no origins.
parentPort?.postMessage(makeDurableCopy(workerData as CopyPaths));
