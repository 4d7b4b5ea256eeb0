import { assert, type Clock, type Logger } from '../kernel/index.ts';
import type { Cursors, Log } from '../store/index.ts';
import { openStream } from './stream.ts';
import type { Journal, Stream, StreamName } from './journal-types.ts';

export interface JournalOptions {
  /** Opens the log that holds a stream; the journal closes it. */
  readonly openLog: (stream: StreamName) => Promise<Log>;
  /** Opens the cursors of a stream's readers; the journal closes them. */
  readonly openCursors: (stream: StreamName) => Promise<Cursors>;
  readonly clock: Clock;
  readonly log: Logger;
  /** The streams to open; by default `audit` alone. */
  readonly streams?: readonly StreamName[];
}

/**
 * Opens the journal over any logs. Closing it stops the readers, then closes the logs, which first make durable
 * what was handed in.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { clock, log } = options;
  const streams = new Map<StreamName, Stream>();
  await using opening = new AsyncDisposableStack();
  for (const name of options.streams ?? ['audit' as const]) {
    const entries = opening.use(await options.openLog(name));
    const cursors = opening.use(await options.openCursors(name));
    streams.set(name, opening.use(openStream({ name, entries, cursors, clock, log })));
  }
  const opened = opening.move();
  return {
    stream(name) {
      const stream = streams.get(name);
      assert(stream, `the journal was opened without its stream ${name}`);
      return stream;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
