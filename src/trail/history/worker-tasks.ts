import { Worker } from 'node:worker_threads';
import { DiskFullError, endThread, saysNoRoom, type Clock, type Timer } from '../../kernel/index.ts';
import { SegmentDamage } from './segment-format.ts';
import type {
  WorkerAnswer,
  WorkerRequest,
  WorkerResult,
  WorkerStart,
  WorkerTask,
} from './worker-messages.ts';

/** The worker thread, as the history sees it: started when there is work, stopped when there was none for a while. */
export interface WorkerTasks extends AsyncDisposable {
  /** Rejects with SegmentDamage, DiskFullError, or what went wrong in the worker; then nothing was written. */
  run(task: WorkerTask): Promise<WorkerResult>;
}

/** An idle worker keeps memory for nothing. */
const idleMs = 10_000;

interface Waiting {
  resolve(result: WorkerResult): void;
  reject(error: Error): void;
}

function errorOf(answer: WorkerAnswer & { readonly ok: false }): Error {
  if (answer.damage) {
    const { file, offset, sizeBytes, reason } = answer.damage;
    return new SegmentDamage(file, offset, sizeBytes, reason);
  }
  const error = Object.assign(new Error(answer.message), { code: answer.code });
  return saysNoRoom(error) ? new DiskFullError(answer.message, { cause: error }) : error;
}

export function openWorkerTasks(start: WorkerStart, clock: Clock): WorkerTasks {
  const script = new URL(
    import.meta.url.endsWith('.ts') ? './segment-worker.ts' : './segment-worker.js',
    import.meta.url,
  );
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let worker: Worker | undefined;
  let idle: Timer | undefined;

  const lost = (gone: Worker, error: Error): void => {
    if (worker !== gone) return;
    worker = undefined;
    const all = [...waiting.values()];
    waiting.clear();
    for (const one of all) one.reject(error);
  };
  const started = (): Worker => {
    if (worker) return worker;
    // The flags of the main thread may not fit a file, as those of `node --eval`.
    const fresh = new Worker(script, { workerData: start, execArgv: [] });
    fresh.unref();
    fresh.on('message', (answer: WorkerAnswer) => {
      const one = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (answer.ok) one?.resolve(answer.result);
      else one?.reject(errorOf(answer));
      if (waiting.size === 0) rest();
    });
    fresh.on('error', (error: unknown) =>
      lost(fresh, error instanceof Error ? error : new Error(String(error))),
    );
    fresh.on('exit', (code) => lost(fresh, new Error(`the segment worker ended with code ${code}`)));
    worker = fresh;
    return fresh;
  };
  const rest = (): void => {
    worker?.unref();
    idle?.cancel();
    idle = clock.after(idleMs, () => {
      const resting = worker;
      worker = undefined;
      if (resting) void endThread(resting);
    });
  };
  return {
    run(task) {
      idle?.cancel();
      const current = started();
      current.ref();
      const id = nextId;
      nextId += 1;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        current.postMessage({ id, task } satisfies WorkerRequest, []);
      });
    },
    async [Symbol.asyncDispose]() {
      idle?.cancel();
      if (worker) await endThread(worker);
    },
  };
}
