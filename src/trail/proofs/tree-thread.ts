import { Worker } from 'node:worker_threads';
import { endThread } from '../../kernel/index.ts';
import type { TreeHead } from './merkle-tree.ts';
import { TreeDamage } from './tree-files.ts';
import type { TreeAnswer, TreeRequest, TreeWorkerStart } from './tree-messages.ts';

/** A tree after it has grown; everything in it is durable. */
export interface GrownTree extends TreeHead {
  /** Processor time that it took in its thread. */
  readonly cpuMs: number;
}

/** The thread that builds the tree. After a rejection it is of no more use: what it did is open. */
export interface TreeThread extends AsyncDisposable {
  /** Appends entries (32 bytes each, maybe none) and makes them durable. One call at a time. Throws TreeDamage. */
  grow(entries: Uint8Array): Promise<GrownTree>;
}

export function openTreeThread(start: TreeWorkerStart): TreeThread {
  const script = new URL(
    import.meta.url.endsWith('.ts') ? './tree-worker.ts' : './tree-worker.js',
    import.meta.url,
  );
  // The flags of the main thread may not fit a file, as those of `node --eval`.
  const worker = new Worker(script, { workerData: start, execArgv: [] });
  worker.unref();
  let nextId = 0;
  let lost: Error | undefined;
  let waiting: { resolve(grown: GrownTree): void; reject(error: Error): void } | undefined;
  const lose = (error: Error) => {
    lost ??= error;
    waiting?.reject(error);
    waiting = undefined;
  };
  worker.on('message', (answer: TreeAnswer) => {
    const one = waiting;
    waiting = undefined;
    worker.unref();
    if (answer.ok) one?.resolve(answer);
    else one?.reject(answer.damage ? new TreeDamage(answer.message) : new Error(answer.message));
  });
  worker.on('error', (error: unknown) => lose(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', (code) => lose(new Error(`the tree worker ended with code ${code}`)));
  return {
    grow(entries) {
      if (lost) return Promise.reject(lost);
      worker.ref();
      // A copy of its own is handed over and not copied again; what `entries` is a part of stays here.
      const handed = Uint8Array.from(entries);
      const request: TreeRequest = { id: nextId++, entries: handed };
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        worker.postMessage(request, [handed.buffer]);
      });
    },
    async [Symbol.asyncDispose]() {
      await endThread(worker);
    },
  };
}
