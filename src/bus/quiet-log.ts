import type { Clock, Logger } from '../kernel/index.ts';

const quietMs = 60_000;
const mostTopics = 1_000;

/** Says the same thing once a minute, however often it happens, and how often it did not say so. */
export interface QuietLog {
  warn(topic: string, facts: Readonly<Record<string, unknown>>, message: string): void;
}

export function openQuietLog(log: Logger, clock: Clock): QuietLog {
  const told = new Map<string, { at: number; unsaid: number }>();
  return {
    warn(topic, facts, message) {
      const now = clock.monotonic();
      const last = told.get(topic);
      if (last && now - last.at < quietMs) {
        last.unsaid += 1;
        return;
      }
      if (told.size >= mostTopics) told.clear();
      told.set(topic, { at: now, unsaid: 0 });
      log.warn({ ...facts, ...(last && last.unsaid > 0 && { unsaid: last.unsaid }) }, message);
    },
  };
}
