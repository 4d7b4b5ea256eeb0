import { fork, type ChildProcess } from 'node:child_process';
import { workInBackground, type Clock, type Timer } from '../../../kernel/index.ts';
import type { EngineAnswer, EngineResults, EngineTask } from './engine-messages.ts';

// The published build holds JavaScript beside this file, the repository TypeScript.
const engineFile = new URL(
  import.meta.url.endsWith('.ts') ? './engine-worker.ts' : './engine-worker.js',
  import.meta.url,
);

/** The engine's process ended before it answered. */
export class EngineDiedError extends Error {
  override name = 'EngineDiedError';
}

/** The engine did not do its task, and says why. */
export class EngineRefusedError extends Error {
  override name = 'EngineRefusedError';
}

/** Whether an engine refused what it was asked for because it took more memory than it may. */
export function tookTooMuchMemory(error: unknown): boolean {
  return error instanceof EngineRefusedError && /memory/i.test(error.message);
}

/** One process with an engine, for one task at a time. */
export interface EngineProcess {
  readonly pid: number | undefined;
  readonly alive: boolean;
  /** Throws EngineRefusedError, EngineDiedError, or the signal's reason after the process was killed. */
  run<Kind extends EngineTask['kind']>(
    task: Extract<EngineTask, { kind: Kind }>,
    signal?: AbortSignal,
  ): Promise<EngineResults[Kind]>;
  /** Ends the process; resolves when it is gone. */
  kill(): Promise<void>;
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `it ended with code ${String(code)}` : `it was ended by ${signal}`;
}

/** A process without work ends after this time, because it holds much memory. */
const idleMs = 30_000;

/** Starts a process, for work that somebody waits for or that is done in the background; it is ready when its first task is. */
export function startEngine(clock: Clock, work: 'awaited' | 'background'): EngineProcess {
  const child: ChildProcess = fork(engineFile, [], {
    env: {},
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  if (child.pid !== undefined && work === 'background') workInBackground(child.pid);
  let alive = true;
  let idle: Timer | undefined;
  let last = '';
  let waiting: ((answer: EngineAnswer | 'gone') => void) | undefined;
  const ready = new Promise<void>((resolve) => {
    waiting = () => resolve();
  });
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      last = error.message;
      alive = false;
      resolve();
    });
    child.once('exit', (code, signal) => {
      last = describeEnd(code, signal);
      alive = false;
      resolve();
    });
  }).then(() => waiting?.('gone'));
  child.on('message', (answer: EngineAnswer) => waiting?.(answer));
  // A process that waits for work keeps nothing from ending.
  child.unref();
  child.channel?.unref();

  const ask = async (task: EngineTask): Promise<EngineAnswer | 'gone'> => {
    child.channel?.ref();
    await ready;
    if (!alive) return 'gone';
    const answer = new Promise<EngineAnswer | 'gone'>((resolve) => {
      waiting = resolve;
    });
    child.send(task, () => {});
    try {
      return await answer;
    } finally {
      child.channel?.unref();
    }
  };

  const kill = async (): Promise<void> => {
    idle?.cancel();
    child.ref();
    child.kill('SIGKILL');
    await gone;
  };
  const killSoon = () => void kill();
  const endWhenIdle = (): void => {
    idle = clock.after(idleMs, () => {
      alive = false;
      killSoon();
    });
  };

  return {
    pid: child.pid,
    get alive() {
      return alive;
    },
    async run<Kind extends EngineTask['kind']>(
      task: Extract<EngineTask, { kind: Kind }>,
      signal?: AbortSignal,
    ) {
      signal?.throwIfAborted();
      idle?.cancel();
      signal?.addEventListener('abort', killSoon, { once: true });
      const answer = await ask(task).finally(() => {
        signal?.removeEventListener('abort', killSoon);
        endWhenIdle();
      });
      signal?.throwIfAborted();
      if (answer === 'gone') throw new EngineDiedError(`the query engine died: ${last}`);
      if (answer.kind === 'failed' && answer.isEnding) alive = false;
      if (answer.kind === 'failed') throw new EngineRefusedError(answer.reason);
      return answer.result as EngineResults[Kind];
    },
    kill,
  };
}
