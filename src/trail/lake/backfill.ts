import { rm } from 'node:fs/promises';
import { limits, type Clock, type Logger } from '../../kernel/index.ts';
import { readText, replaceText, type Columns } from '../../store/index.ts';
import type { Stream } from '../../journal/index.ts';
import type { History } from '../history/index.ts';
import type { LakeReader } from './lake-reader.ts';

/** Brings into the columns what the journal has no more and the history still has. */
export interface Backfill extends AsyncDisposable {
  /** Begins, or goes on, if there is something to be brought. The reader must have been opened. */
  start(reader: LakeReader): void;
  /** Resolves when everything has been brought, or the backfill is closed. */
  settled(): Promise<void>;
}

export interface BackfillOptions {
  readonly history: Pick<History, 'stream'>;
  readonly columns: Columns;
  readonly stream: Stream;
  /** The file that says how far it is; there while something is to be brought. */
  readonly file: string;
  /** Events that are brought at a time; `limits.lakeBatchEvents` unless told. */
  readonly backfillEvents?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Progress {
  readonly format: 1;
  /** Entries of the journal before it were gone. */
  readonly before: number;
  /** Events of later times (epoch milliseconds) were brought; null before the first were. */
  readonly to: number | null;
}

const mostAddedAtOnce = 500;
const retryMs = 30_000;

async function readProgress(file: string): Promise<Progress | undefined> {
  const text = await readText(file);
  return text === undefined ? undefined : (JSON.parse(text) as Progress);
}

const writeProgress = (file: string, progress: Progress): Promise<void> =>
  replaceText(file, JSON.stringify(progress));

/**
 * Opens the backfill; call it before the reader is opened, which lets go of where the columns ended. The history keeps no
 * places in the journal: what is brought is seen where all events are, and where times decide.
 */
export async function openBackfill(options: BackfillOptions): Promise<Backfill> {
  const { history, columns, stream, file, clock, backfillEvents = limits.lakeBatchEvents } = options;
  const addedAtOnce = Math.min(mostAddedAtOnce, backfillEvents);
  const log = options.log.child({ part: 'lake' });
  const stop = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let progress = await readProgress(file);
  if (columns.durable < stream.start && progress?.before !== stream.start) {
    progress = { format: 1, before: stream.start, to: null };
    await writeProgress(file, progress);
  }

  /** Brings what the history has, newest first. What is there already is left out, so nothing is wrong with bringing it twice. */
  const bring = async (begun: Progress, reader: LakeReader): Promise<number> => {
    let added = 0;
    let rows = await columns.gather();
    let waiting: Uint8Array[] = [];
    const put = async (): Promise<void> => {
      const first = rows.count + 1;
      await rows.add(waiting.map((payload, at) => ({ sequence: -(first + at), payload })));
      waiting = [];
    };
    const fill = async (): Promise<void> => {
      await put();
      // Whatever of it the journal still has is there then, with its place, and is left out.
      await reader.flush(stop.signal);
      added += (await columns.fill(rows)).added;
    };
    const filter = begun.to === null ? {} : { to: begun.to };
    try {
      for await (const { raw, eventTime } of history.stream(filter, stop.signal)) {
        waiting.push(raw);
        if (waiting.length < addedAtOnce) continue;
        await put();
        if (rows.count < backfillEvents && rows.sizeBytes < limits.lakeBatchBytes) continue;
        await fill();
        progress = { ...begun, to: eventTime };
        await writeProgress(file, progress);
        rows = await columns.gather();
      }
      await fill();
    } finally {
      // What was not filled is gathered anew.
      await rows[Symbol.asyncDispose]();
    }
    return added;
  };
  const bringUntilDone = async (reader: LakeReader): Promise<void> => {
    while (progress && !stop.signal.aborted) {
      try {
        const events = await bring(progress, reader);
        await rm(file, { force: true });
        progress = undefined;
        log.info({ events }, 'what the journal has no more was brought from the history into the lake');
      } catch (error) {
        if (stop.signal.aborted) return;
        log.error(
          { err: error, retryInMs: retryMs },
          'bringing events from the history into the lake failed; it is tried again',
        );
        await clock.sleep(retryMs, stop.signal).catch(() => undefined);
      }
    }
  };

  return {
    start(reader) {
      running = bringUntilDone(reader);
    },
    settled: () => running,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the lake is closed'));
      await running;
    },
  };
}
