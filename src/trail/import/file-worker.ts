import { parentPort, workerData } from 'node:worker_threads';
import { assert, openCollector, serveMessages } from '../../kernel/index.ts';
import { memoryOf } from '../laid-out-records.ts';
import { readyMessage } from '../worker-pool.ts';
import { parseLogFile } from './parse-log-file.ts';

/** A worker thread of the import: log files come in, one at a time, and go back taken apart. Bytes are moved, not copied. */
assert(parentPort, 'file-worker runs as a worker thread');
const port = parentPort;
const { mostBytes } = workerData as { readonly mostBytes: number };
/** Of packed files, of which each becomes several times as much. */
const passed = openCollector(8 * 1024 * 1024);

serveMessages(port, (file: ArrayBuffer) => {
  const { byteLength } = file;
  const result = parseLogFile(new Uint8Array(file), mostBytes);
  if (result.kind === 'broken') {
    port.postMessage(result);
  } else {
    port.postMessage(result, memoryOf(result));
  }
  passed(byteLength);
});
port.postMessage(readyMessage);
