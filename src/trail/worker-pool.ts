import { Worker, type Transferable } from 'node:worker_threads';
import { endThread, type Clock, type Timer } from '../kernel/index.ts';

/** Worker threads that all run one file. They start with the first job and end when there is nothing to do. */
export interface WorkerPool<Job, Result> extends AsyncDisposable {
  /**
   * Whether a thread runs that has loaded its code, so that a job does not wait for one to start; starts one otherwise.
   * For whoever can do the work elsewhere meanwhile.
   */
  ready(): boolean;
  /**
   * Does a job; jobs wait for a free thread in the order of their coming. What `moved` lists is moved to the thread: the
   * caller no longer has it. Rejects with WorkerDiedError when the thread ended over the job, or the pool is closed.
   */
  run(job: Job, moved: readonly Transferable[]): Promise<Result>;
}

export interface WorkerPoolOptions {
  readonly clock: Clock;
  /** What the threads run. */
  readonly file: URL;
  readonly workerData: unknown;
  /** How many threads. */
  readonly threads: number;
  /** Memory of one thread's objects. */
  readonly heapMiB: number;
  /** A thread without work ends after this time. */
  readonly idleMs: number;
  /** Told of every thread that ended unasked, whether it had a job or not. */
  readonly onLost?: (error: WorkerDiedError) => void;
}

/** A thread ended before it had done its job. */
export class WorkerDiedError extends Error {
  override name = 'WorkerDiedError';
  readonly outOfMemory: boolean;

  constructor(message: string, options: { readonly outOfMemory: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.outOfMemory = options.outOfMemory;
  }
}

/** What a thread says once its code is loaded. */
export const readyMessage = 'ready';

/** Bytes in memory of their own, which can be moved; those that share it with others (as small buffers do) are copied. */
export function movable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  return isWhole ? new Uint8Array(buffer) : new Uint8Array(bytes);
}

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly moved: readonly Transferable[];
  done(result: Result): void;
  failed(error: Error): void;
}

interface Thread<Job, Result> {
  readonly worker: Worker;
  loaded: boolean;
  job: Waiting<Job, Result> | undefined;
  idle: Timer | undefined;
}

function endOf(error: NodeJS.ErrnoException): WorkerDiedError {
  const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return new WorkerDiedError(`a worker thread ended: ${error.message}`, { outOfMemory, cause: error });
}

/** Opens a pool; no thread runs yet. The file sends `readyMessage`, then for each job that it is served (`serveMessages`) one result. */
export function openWorkerPool<Job extends object, Result extends object>(
  options: WorkerPoolOptions,
): WorkerPool<Job, Result> {
  const { clock, file, threads: most, workerData, heapMiB, idleMs } = options;
  const threads = new Set<Thread<Job, Result>>();
  const waiting: Waiting<Job, Result>[] = [];
  let closed = false;

  const end = (thread: Thread<Job, Result>) => {
    threads.delete(thread);
    thread.idle?.cancel();
    return endThread(thread.worker);
  };

  const next = (thread: Thread<Job, Result>) => {
    const job = waiting.shift();
    thread.job = job;
    thread.idle?.cancel();
    if (job) thread.worker.postMessage(job.job, job.moved);
    else thread.idle = clock.after(idleMs, () => void end(thread));
  };

  const lost = (thread: Thread<Job, Result>, error: NodeJS.ErrnoException) => {
    if (!threads.delete(thread)) return;
    thread.idle?.cancel();
    const died = endOf(error);
    options.onLost?.(died);
    thread.job?.failed(died);
    thread.job = undefined;
    // A job that waits gets another thread; it has not been touched.
    if (!closed) dispatch();
  };

  const start = (): Thread<Job, Result> => {
    const worker = new Worker(file, { workerData, resourceLimits: { maxOldGenerationSizeMb: heapMiB } });
    worker.unref();
    const thread: Thread<Job, Result> = { worker, loaded: false, job: undefined, idle: undefined };
    worker.on('message', (message: Result | typeof readyMessage) => {
      if (message === readyMessage) {
        thread.loaded = true;
        return;
      }
      thread.job?.done(message);
      thread.job = undefined;
      if (threads.has(thread)) next(thread);
    });
    worker.on('error', (error: NodeJS.ErrnoException) => lost(thread, error));
    worker.on('exit', () => lost(thread, new Error('it ended by itself')));
    threads.add(thread);
    return thread;
  };

  const dispatch = () => {
    while (waiting.length > 0) {
      const free = [...threads].filter(({ job }) => job === undefined);
      // A thread that still loads is given work only when there is no other.
      const thread = free.find(({ loaded }) => loaded) ?? (threads.size < most ? start() : free[0]);
      if (!thread) return;
      next(thread);
    }
  };

  return {
    ready() {
      if (closed) return false;
      if (threads.size === 0) next(start());
      return [...threads].some(({ loaded }) => loaded);
    },
    run(job, moved) {
      if (closed) return Promise.reject(closedError());
      return new Promise((resolve, reject) => {
        waiting.push({ job, moved, done: resolve, failed: reject });
        dispatch();
      });
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      const ended = [...threads];
      await Promise.all(ended.map(end));
      for (const { job } of ended) job?.failed(closedError());
      for (const job of waiting.splice(0)) job.failed(closedError());
    },
  };
}

function closedError(): WorkerDiedError {
  return new WorkerDiedError('the worker threads are closed', { outOfMemory: false });
}
