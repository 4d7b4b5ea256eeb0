import { sequence, type Clock, type Sequence } from '../../kernel/index.ts';
import type { Stream } from '../../journal/index.ts';
import { onOneLine } from './event-formats.ts';
import type { EventMatcher } from './event-matcher.ts';
import { tailRecordOf, type TailRecord, type TailWindow } from './tail-window.ts';

export interface TailOptions {
  readonly stream: Pick<Stream, 'start' | 'read'>;
  readonly window: TailWindow;
  readonly clock: Clock;
  readonly matches: EventMatcher;
  /** Where to begin. */
  readonly from: Sequence;
  readonly signal: AbortSignal;
}

/** How long nothing is sent before a heartbeat is. */
const heartbeatMs = 15_000;
const entriesPerRead = 512;

function text(value: string): Uint8Array {
  return Buffer.from(value);
}

/** A notice that entries are missing, as an event of type `gap`. */
function gap(reason: string): Uint8Array {
  return text(`event: gap\ndata: ${JSON.stringify({ reason })}\n\n`);
}

/** The records that match, as server-sent events; the id of each is its place in the journal. */
function eventsOf(records: readonly TailRecord[], matches: EventMatcher): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  for (const { sequence: place, raw, record } of records) {
    if (!record || !matches(record, raw)) continue;
    parts.push(text(`id: ${place}\ndata: `), onOneLine(raw), text('\n\n'));
  }
  return parts.length === 0 ? undefined : Buffer.concat(parts);
}

/** Resolves when the window grew, the time is up or the signal aborted. */
function pause(window: TailWindow, clock: Clock, signal: AbortSignal): Promise<'grown' | 'quiet'> {
  return new Promise((resolve) => {
    const end = (why: 'grown' | 'quiet') => {
      stopListening();
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      resolve(why);
    };
    const onAbort = () => end('quiet');
    const stopListening = window.onPush(() => end('grown'));
    const timer = clock.after(heartbeatMs, () => end('quiet'));
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * A live tail as server-sent events (WHATWG HTML, "Server-sent events"): records that match, in the order of the
 * journal, as soon as searches find them. It begins in the journal, where that is needed, and goes over to the window
 * that all listeners share; a listener that falls behind is back at the journal. What cannot be read is said as an event
 * of type `gap`. Ends when `signal` is aborted.
 */
export async function* tailStream(options: TailOptions): AsyncIterable<Uint8Array> {
  const { stream, window, clock, matches, signal } = options;
  let next: Sequence = options.from;
  const { end } = window;
  yield text('retry: 2000\n: following\n\n');
  if (next > end) {
    yield gap(`entry ${next} does not exist yet; following from entry ${end}`);
    next = end;
  }
  while (!signal.aborted) {
    if (next >= window.end) {
      const why = await pause(window, clock, signal);
      if (why === 'quiet' && !signal.aborted) {
        yield text(next > 0 ? `id: ${next - 1}\n: heartbeat\n\n` : ': heartbeat\n\n');
      }
    } else if (next >= window.start) {
      const { records, next: then } = window.read(next, entriesPerRead);
      const events = eventsOf(records, matches);
      next = then;
      if (events) yield events;
    } else {
      if (next < stream.start) {
        yield gap(`the journal no longer holds entries ${next} to ${stream.start - 1}`);
        next = stream.start;
      }
      for await (const batch of stream.read(next)) {
        for (const { reason } of batch.damage) yield gap(`the journal is damaged: ${reason}`);
        const entries = batch.entries.filter(
          (entry) => entry.sequence >= next && entry.sequence < window.end,
        );
        const events = eventsOf(
          entries.flatMap((entry) => tailRecordOf(entry) ?? []),
          matches,
        );
        next = sequence((entries.at(-1)?.sequence ?? next - 1) + 1);
        if (events) yield events;
        if (signal.aborted || next >= window.start) break;
      }
      // What damage made unreadable was said above; the window goes on behind it.
      if (next < window.start && next >= stream.start) next = window.start;
    }
  }
}
