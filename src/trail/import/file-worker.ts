import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../kernel/index.ts';
import { readyMessage } from '../worker-pool.ts';
import { parseLogFile } from './parse-log-file.ts';

/** A worker thread of the import: log files come in, one at a time, and go back taken apart. Bytes are moved, not copied. */
assert(parentPort, 'file-worker runs as a worker thread');
const port = parentPort;
const { mostBytes } = workerData as { readonly mostBytes: number };

port.on('message', (file: ArrayBuffer) => {
  const result = parseLogFile(new Uint8Array(file), mostBytes);
  if (result.kind === 'broken') {
    port.postMessage(result);
    return;
  }
  // Small buffers share Node's pool, which cannot be moved.
  const isWhole = result.bytes.byteLength === result.bytes.buffer.byteLength;
  const bytes = isWhole ? result.bytes : new Uint8Array(result.bytes);
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  port.postMessage({ ...result, bytes: plain }, [plain.buffer, result.spans.buffer, result.hashes.buffer]);
});
port.postMessage(readyMessage);
