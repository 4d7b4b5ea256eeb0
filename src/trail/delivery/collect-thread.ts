import { Worker } from 'node:worker_threads';
import { assert, endThread, type Clock, type Timer } from '../../kernel/index.ts';
import { collectInPlace, type Collecting } from './collect-in-place.ts';
import { packRecords, type PassAnswer, type PassRequest } from './collect-messages.ts';
import type { CollectPass } from './collect-pass.ts';

/** A worker thread that makes passes; it starts with the first that is worth it, and ends when there was none for a while. */
export interface CollectThread extends Collecting, AsyncDisposable {
  /** Whether the thread runs. */
  readonly runs: boolean;
}

export interface CollectThreadOptions {
  readonly clock: Clock;
  /** Fewer entries are collected in place, unless the thread runs anyway: to start it would cost more. */
  readonly fewEntries?: number;
  /** The thread ends when it had no pass for so long: it would keep its memory for nothing. */
  readonly idleMs?: number;
}

interface Waiting {
  resolve(answer: PassAnswer): void;
  reject(error: Error): void;
}

/** A thread with what is asked of it; once it is lost, whatever is asked rejects. */
interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  openPasses: number;
  lost: Error | undefined;
}

// The published build holds JavaScript beside this file, the repository TypeScript.
const workerFile = new URL(
  import.meta.url.endsWith('.ts') ? './collect-worker.ts' : './collect-worker.js',
  import.meta.url,
);

/** Far more than a pass takes, whose bytes are outside the heap and bounded by themselves. */
const heapMiB = 192;

function startThread(onLost: (thread: Thread) => void): Thread {
  // The flags of the main thread may not fit a file, as those of `node --eval`.
  const worker = new Worker(workerFile, {
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: 16 },
  });
  worker.unref();
  const thread: Thread = { worker, waiting: new Map(), openPasses: 0, lost: undefined };
  const lose = (error: Error) => {
    thread.lost ??= error;
    for (const one of thread.waiting.values()) one.reject(thread.lost);
    thread.waiting.clear();
    onLost(thread);
  };
  worker.on('message', (answer: PassAnswer) => {
    const one = thread.waiting.get(answer.pass);
    thread.waiting.delete(answer.pass);
    if (answer.kind === 'failed') one?.reject(new Error(answer.message));
    else one?.resolve(answer);
  });
  worker.on('error', (error: unknown) => lose(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', (code) => lose(new Error(`the thread that collects log files ended with code ${code}`)));
  return thread;
}

function send({ worker }: Thread, request: PassRequest, moved: readonly ArrayBuffer[] = []): void {
  worker.postMessage(request, moved);
}

function ask(thread: Thread, request: PassRequest, moved: readonly ArrayBuffer[] = []): Promise<PassAnswer> {
  if (thread.lost) return Promise.reject(thread.lost);
  return new Promise((resolve, reject) => {
    thread.waiting.set(request.pass, { resolve, reject });
    send(thread, request, moved);
  });
}

/** Opens it; no thread runs yet. */
export function openCollectThread(options: CollectThreadOptions): CollectThread {
  const { clock, fewEntries = 500, idleMs = 10_000 } = options;
  const inPlace = collectInPlace(clock);
  let thread: Thread | undefined;
  let idle: Timer | undefined;
  let nextPass = 0;

  function forget(lost: Thread): void {
    if (thread === lost) thread = undefined;
  }

  async function end(): Promise<void> {
    idle?.cancel();
    const ended = thread;
    thread = undefined;
    if (ended) await endThread(ended.worker);
  }

  function openPass(on: Thread, ...[trails, bounds]: Parameters<Collecting['open']>): CollectPass {
    const pass = nextPass++;
    let isOpen = true;
    let memory: ArrayBuffer | undefined;
    idle?.cancel();
    on.openPasses++;
    on.worker.ref();
    send(on, { kind: 'open', pass, trails, bounds });
    return {
      async add(entries, changes) {
        const records = packRecords(entries, memory);
        const moved = [records.memory, records.places.buffer];
        memory = undefined;
        const answer = await ask(on, { kind: 'add', pass, records, changes }, moved);
        assert(answer.kind === 'added', 'what was added is answered');
        ({ memory } = answer);
        return answer.progress;
      },
      async finish(to) {
        const answer = await ask(on, { kind: 'finish', pass, to });
        assert(answer.kind === 'finished', 'what is to be finished is answered');
        return answer.collected;
      },
      discard() {
        if (!isOpen) return;
        isOpen = false;
        send(on, { kind: 'discard', pass });
        if (--on.openPasses > 0) return;
        on.worker.unref();
        if (thread === on) idle = clock.after(idleMs, () => void end());
      },
    };
  }

  return {
    get runs() {
      return thread !== undefined;
    },
    open(trails, bounds, entries) {
      if (!thread && entries < fewEntries) return inPlace.open(trails, bounds, entries);
      thread ??= startThread(forget);
      return openPass(thread, trails, bounds, entries);
    },
    [Symbol.asyncDispose]: end,
  };
}
