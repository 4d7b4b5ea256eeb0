import { assert, sequence, type Sequence } from '../../kernel/index.ts';
import { defaultInFlightBounds, openInFlight, type InFlightBounds } from '../in-flight.ts';
import type { Log, LogEntry } from '../log-port.ts';

/** Entries that one batch of a read holds at most, so that tests meet more than one batch. */
const readBatchEntries = 256;

/** Opens an empty log in memory. What it holds is lost with it; everything else is as the port promises. */
export async function openMemoryLog(bounds: InFlightBounds = defaultInFlightBounds): Promise<Log> {
  const inFlight = openInFlight(bounds);
  const listeners = new Set<(entries: readonly LogEntry[]) => void>();
  let kept: LogEntry[] = [];
  let start = 0;
  let closed = false;
  const end = (): number => start + kept.length;

  async function append(group: readonly Uint8Array[]): Promise<Sequence> {
    assert(!closed, 'append to a closed log');
    const bytes = inFlight.admit(group);
    await Promise.resolve();
    const first = end();
    const entries = group.map((entry, index) => ({ sequence: sequence(first + index), bytes: entry }));
    kept.push(...entries);
    inFlight.release(group.length, bytes);
    for (const listener of listeners) listener(entries);
    return sequence(first);
  }

  async function* readBetween(from: number, until: number) {
    for (let at = from; at < until; at += readBatchEntries) {
      const entries = kept.slice(
        Math.max(0, at - start),
        Math.max(0, Math.min(at + readBatchEntries, until) - start),
      );
      if (entries.length > 0) yield { entries, damage: [] };
    }
  }

  return {
    get end() {
      return sequence(end());
    },
    get start() {
      return sequence(start);
    },
    append,
    read: (from) => readBetween(Math.max(from, start), end()),
    onDurable(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async trim(before) {
      const count = Math.min(Math.max(0, before - start), kept.length);
      kept = kept.slice(count);
      start += count;
    },
    sizeBytes: async () => kept.reduce((sum, entry) => sum + entry.bytes.length, 0),
    async [Symbol.asyncDispose]() {
      closed = true;
    },
  };
}
