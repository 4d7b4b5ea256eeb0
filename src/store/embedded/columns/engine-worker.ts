import { isDeepStrictEqual } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { systemClock, type Timer } from '../../../kernel/index.ts';
import { openEngineInstance, type EngineInstance } from './engine-instance.ts';
import type { EngineAnswer, EngineBounds, EngineResults, EngineTask } from './engine-messages.ts';
import { runMerge } from './run-merge.ts';
import { runSeal } from './run-seal.ts';
import { runExport, runOwn, runQuery } from './run-query.ts';

/**
 * The engine's process. It does one task after the other for the process that started it, and ends with it. What kills the
 * engine (a crash, a query that takes more memory than there is) kills nothing else.
 */
async function run(task: EngineTask, engine: EngineInstance): Promise<EngineResults[keyof EngineResults]> {
  switch (task.kind) {
    case 'seal':
      return await runSeal(task, engine);
    case 'merge':
      return await runMerge(task, engine);
    case 'query':
      return await runQuery(task, engine);
    case 'own':
      return await runOwn(task, engine);
    case 'export':
      return await runExport(task, engine);
  }
}

interface ReadyEngine {
  readonly bounds: EngineBounds;
  readonly engine: Promise<EngineInstance>;
}

/** An engine that no task has had: opening one takes a moment, so it is done while nobody waits. */
let spare: ReadyEngine | undefined;

function readyEngine(bounds: EngineBounds): ReadyEngine {
  const engine = openEngineInstance(bounds);
  // Whoever takes it is told.
  engine.catch(() => undefined);
  return { bounds, engine };
}

async function takeEngine(bounds: EngineBounds): Promise<EngineInstance> {
  const ready = spare;
  spare = undefined;
  if (ready && isDeepStrictEqual(ready.bounds, bounds)) return await ready.engine;
  (await ready?.engine)?.[Symbol.dispose]();
  return await openEngineInstance(bounds);
}

function answer(message: EngineAnswer): void {
  process.send?.(message);
}

/** What the engine counts towards its limit is not all that it takes: the process itself is not, nor a text that a function makes. */
const uncountedBytes = (countedBytes: number) => Math.max(192 * 1024 * 1024, countedBytes / 2);
const watchEveryMs = 50;

const tooMuchMemory = (mostBytes: number): string =>
  `it took more than ${Math.floor(mostBytes / 1024 / 1024)} MiB of memory; narrow it down`;

/** Ends the process when a task takes more memory than it may. Returns the function that ends the watch. */
function watchMemory(mostBytes: number): () => void {
  let timer: Timer | undefined;
  const look = (): void => {
    timer = undefined;
    if (process.memoryUsage.rss() < mostBytes + uncountedBytes(mostBytes)) {
      timer = systemClock.after(watchEveryMs, look);
      return;
    }
    const reason = tooMuchMemory(mostBytes);
    process.send?.({ kind: 'failed', reason, isEnding: true } satisfies EngineAnswer, () => {
      process.kill(process.pid, 'SIGKILL');
    });
  };
  look();
  return () => timer?.cancel();
}

async function outcomeOf(task: EngineTask, engine: Promise<EngineInstance>): Promise<EngineAnswer> {
  try {
    return { kind: 'done', result: await run(task, await engine) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    // The engine's own advice is settings, which nobody can change from here.
    if (reason.startsWith('Out of Memory'))
      return { kind: 'failed', reason: tooMuchMemory(task.bounds.memoryBytes) };
    return { kind: 'failed', reason };
  }
}

async function work(task: EngineTask): Promise<void> {
  const endWatch = watchMemory(task.bounds.memoryBytes);
  const engine = takeEngine(task.bounds);
  const outcome = await outcomeOf(task, engine);
  endWatch();
  answer(outcome);
  // Nobody waits for the rest: freeing what an engine holds, and opening one, take a moment.
  await engine.then(
    (taken) => taken[Symbol.dispose](),
    () => undefined,
  );
  spare = readyEngine(task.bounds);
}

process.on('disconnect', () => process.exit(0));
// Ctrl-C goes to the whole group of processes; this one ends when its parent is done with it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('message', (task: EngineTask) => void work(task));
// The first engine loads the library and takes a moment; it is over before the first task comes.
(await DuckDBInstance.create(':memory:')).closeSync();
answer({ kind: 'done', result: [] });
