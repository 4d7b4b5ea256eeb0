import type { Clock } from '../../../kernel/index.ts';
import type { EngineResults, EngineTask } from './engine-messages.ts';
import { EngineDiedError, startEngine, type EngineProcess } from './engine-process.ts';

/** Processes for queries: each runs one at a time. A free one waits for the next, because starting one takes a moment. */
export interface QueryEngines extends AsyncDisposable {
  /** Runs a task. When the signal is aborted the process is killed, and with it all that the task holds. */
  run<Kind extends EngineTask['kind']>(
    task: Extract<EngineTask, { kind: Kind }>,
    signal: AbortSignal,
  ): Promise<EngineResults[Kind]>;
}

/** Processes that wait for work. */
const mostIdle = 2;
/** A process is replaced after so many tasks, whatever it may have gathered. */
const tasksPerProcess = 200;

export function openQueryEngines(clock: Clock): QueryEngines {
  const idle: EngineProcess[] = [];
  const all = new Set<EngineProcess>();
  const done = new Map<EngineProcess, number>();
  let isClosed = false;

  const start = (): EngineProcess => {
    const engine = startEngine(clock, 'awaited');
    all.add(engine);
    return engine;
  };
  const end = (engine: EngineProcess): Promise<void> => {
    all.delete(engine);
    done.delete(engine);
    return engine.kill();
  };
  const take = (): EngineProcess => {
    for (let engine = idle.pop(); engine; engine = idle.pop()) {
      if (engine.alive) return engine;
      void end(engine);
    }
    return start();
  };
  const giveBack = (engine: EngineProcess): void => {
    const tasks = (done.get(engine) ?? 0) + 1;
    done.set(engine, tasks);
    if (engine.alive && !isClosed && idle.length < mostIdle && tasks < tasksPerProcess) idle.push(engine);
    else void end(engine);
  };

  return {
    async run(task, signal) {
      if (isClosed) throw new EngineDiedError('the query engines are closed');
      const engine = take();
      try {
        return await engine.run(task, signal);
      } finally {
        giveBack(engine);
      }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      idle.length = 0;
      await Promise.all([...all].map(end));
    },
  };
}
