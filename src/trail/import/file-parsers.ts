import type { Clock } from '../../kernel/index.ts';
import { openWorkerPool, WorkerDiedError } from '../worker-pool.ts';
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

// The published build holds JavaScript beside this file, the repository TypeScript.
const file = new URL(
  import.meta.url.endsWith('.ts') ? './file-worker.ts' : './file-worker.js',
  import.meta.url,
);

/** Opens the parsers; no thread runs yet. */
export function openFileParsers({ clock, threads, mostBytes, idleMs }: FileParsersOptions): FileParsers {
  const pool = openWorkerPool<ArrayBuffer, ParsedLogFile | BrokenLogFile>({
    clock,
    file,
    workerData: { mostBytes },
    threads,
    heapMiB: 1024,
    idleMs,
  });
  return {
    parse: (bytes) =>
      pool.run(bytes, [bytes]).catch((error: unknown) => {
        if (!(error instanceof WorkerDiedError) || !error.outOfMemory) throw error;
        return { kind: 'broken', reason: 'it holds too many records for one file' };
      }),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}
