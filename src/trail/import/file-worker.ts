import { parentPort, workerData } from 'node:worker_threads';
import { assert, serveMessages } from '../../kernel/index.ts';
import { memoryOf } from '../laid-out-records.ts';
import { readyMessage } from '../worker-pool.ts';
import { parseLogFile } from './parse-log-file.ts';

/** A worker thread of the import: log files come in, one at a time, and go back taken apart. Bytes are moved, not copied. */
assert(parentPort, 'file-worker runs as a worker thread');
const port = parentPort;
const { mostBytes } = workerData as { readonly mostBytes: number };

serveMessages(port, (file: ArrayBuffer) => {
  const result = parseLogFile(new Uint8Array(file), mostBytes);
  if (result.kind === 'broken') {
    port.postMessage(result);
    return;
  }
  port.postMessage(result, memoryOf(result));
});
port.postMessage(readyMessage);
