import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../kernel/index.ts';
import type { EngineBounds, EngineResults, EngineTask } from './engine-messages.ts';
import { startEngine, type EngineProcess } from './engine-process.ts';

type WriteKind = 'seal' | 'merge';
type WriteTask<Kind extends WriteKind> = Extract<EngineTask, { kind: Kind }>;
/** A task as it is asked for: its bounds are those of the process that does it. */
type AskedTask<Kind extends WriteKind> = Omit<WriteTask<Kind>, 'bounds'> & { readonly kind: Kind };

/** Processes that write files: one that seals and one that merges, each for one task at a time. */
export interface WriteEngines {
  /** Runs a task in the process for its kind, which is started if it does not live. */
  run<Kind extends WriteKind>(task: AskedTask<Kind>): Promise<EngineResults[Kind]>;
  /** Ends the process for a kind; resolves when it is gone. */
  kill(kind: WriteKind): Promise<void>;
}

interface Writer {
  readonly engine: EngineProcess;
  readonly bounds: EngineBounds & { readonly spillDirectory: string };
}

/**
 * Each process has a directory of its own to spill into: engines take what lies in theirs for their own, by names that are the
 * same in each, so that two with one directory read what the other wrote.
 */
export function openWriteEngines(options: {
  /** Where the directories are made; emptied by every start of the program. */
  readonly directory: string;
  readonly memoryBytes: number;
  readonly threads: number;
  readonly clock: Clock;
  readonly start?: typeof startEngine;
}): WriteEngines {
  const { directory, memoryBytes, threads, clock, start = startEngine } = options;
  const writers = new Map<WriteKind, Writer>();
  let next = 0;

  const writer = (kind: WriteKind): Writer => {
    const known = writers.get(kind);
    if (known?.engine.alive) return known;
    // What a process that died could not remove.
    if (known) rm(known.bounds.spillDirectory, { recursive: true, force: true }).catch(() => undefined);
    const spillDirectory = join(directory, `spill-${next++}`);
    const started = { engine: start(clock, 'background'), bounds: { memoryBytes, threads, spillDirectory } };
    writers.set(kind, started);
    return started;
  };

  return {
    run<Kind extends WriteKind>(task: AskedTask<Kind>) {
      const { engine, bounds } = writer(task.kind);
      return engine.run<Kind>({ ...task, bounds } as unknown as WriteTask<Kind>);
    },
    async kill(kind) {
      await writers.get(kind)?.engine.kill();
    },
  };
}
