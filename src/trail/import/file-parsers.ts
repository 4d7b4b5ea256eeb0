import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../kernel/index.ts';
import type { BrokenLogFile, ParsedLogFile } from './parse-log-file.ts';

/** Worker threads that take log files apart. They start with the first file and end when there is nothing to do. */
export interface FileParsers extends AsyncDisposable {
  /** Takes a file apart. The buffer is moved to the worker: the caller no longer has it. */
  parse(file: ArrayBuffer): Promise<ParsedLogFile | BrokenLogFile>;
}

export interface FileParsersOptions {
  readonly clock: Clock;
  /** How many threads. */
  readonly threads: number;
  /** A file unpacks to at most this many bytes. */
  readonly mostBytes: number;
  /** A thread without work ends after this time. */
  readonly idleMs: number;
}

interface Job {
  readonly file: ArrayBuffer;
  readonly done: (result: ParsedLogFile | BrokenLogFile) => void;
  readonly failed: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  idle: Timer | undefined;
}

// The published build holds JavaScript beside this file, the repository TypeScript.
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? './file-worker.ts' : './file-worker.js',
  import.meta.url,
);

const heapMiB = 1024;

/** Opens the pool; no thread runs yet. */
export function openFileParsers(options: FileParsersOptions): FileParsers {
  const { clock, threads: most, mostBytes, idleMs } = options;
  const threads = new Set<Thread>();
  const waiting: Job[] = [];
  let closed = false;

  const end = (thread: Thread) => {
    threads.delete(thread);
    return thread.worker.terminate();
  };

  const next = (thread: Thread) => {
    const job = waiting.shift();
    thread.job = job;
    if (job) thread.worker.postMessage(job.file, [job.file]);
    else thread.idle = clock.after(idleMs, () => void end(thread));
  };

  const start = (): Thread => {
    const worker = new Worker(workerFile, {
      workerData: { mostBytes },
      resourceLimits: { maxOldGenerationSizeMb: heapMiB },
    });
    worker.unref();
    const thread: Thread = { worker, job: undefined, idle: undefined };
    worker.on('message', (result: ParsedLogFile | BrokenLogFile) => {
      thread.job?.done(result);
      next(thread);
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      threads.delete(thread);
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
        thread.job?.done({ kind: 'broken', reason: 'it holds too many records for one file' });
      } else {
        thread.job?.failed(error);
      }
      thread.job = undefined;
      dispatch();
    });
    threads.add(thread);
    return thread;
  };

  const dispatch = () => {
    while (waiting.length > 0) {
      const free = [...threads].find(({ job }) => job === undefined);
      if (!free && threads.size >= most) return;
      const thread = free ?? start();
      thread.idle?.cancel();
      next(thread);
    }
  };

  return {
    parse(file) {
      if (closed) return Promise.reject(new Error('the file parsers are closed'));
      return new Promise((resolve, reject) => {
        waiting.push({ file, done: resolve, failed: reject });
        dispatch();
      });
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      const ended = [...threads];
      await Promise.all(ended.map(end));
      const error = new Error('the file parsers are closed');
      for (const { job, idle } of ended) {
        idle?.cancel();
        job?.failed(error);
      }
      for (const job of waiting.splice(0)) job.failed(error);
    },
  };
}
