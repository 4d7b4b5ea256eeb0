import { parentPort, workerData } from 'node:worker_threads';
import { assert, serveMessages } from '../../kernel/index.ts';
import { openTreeBuilder, type TreeBuilder } from './tree-builder.ts';
import { TreeDamage } from './tree-files.ts';
import type { TreeAnswer, TreeRequest, TreeWorkerStart } from './tree-messages.ts';

/**
 * The thread that hashes the tree and waits for the disk, so that the main thread does neither. After a failure it is
 * ended and another one begins at the last signed checkpoint.
 */
const { directory, size } = workerData as TreeWorkerStart;
assert(parentPort, 'the tree worker runs as a worker thread');
const port = parentPort;
let builder: TreeBuilder | undefined;

function grow({ id, entries }: TreeRequest): TreeAnswer {
  const begun = process.threadCpuUsage();
  try {
    builder ??= openTreeBuilder(directory, size);
    builder.append(Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength));
    builder.sync();
    const root = builder.root();
    const { user, system } = process.threadCpuUsage(begun);
    return { id, ok: true, size: builder.size, root, cpuMs: (user + system) / 1000 };
  } catch (error) {
    return { id, ok: false, message: (error as Error).message, damage: error instanceof TreeDamage };
  }
}

serveMessages(port, (request: TreeRequest) => port.postMessage(grow(request)));
