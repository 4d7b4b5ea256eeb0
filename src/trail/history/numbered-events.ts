import { sequence } from '../../kernel/index.ts';
import type { JournalEntry } from '../../journal/index.ts';
import type { OpenedHistory } from './open-history.ts';

/** Events with numbers for tests of faults: each is a second younger than the one before. */
export const start: number = Date.UTC(2026, 5, 1);
export const dayMs = 86_400_000;

export function entryOf(
  number: number,
  options: { readonly account?: string; readonly day?: number } = {},
): JournalEntry {
  const payload = Buffer.from(
    JSON.stringify({
      eventID: `event-${number}`,
      eventTime: new Date(start + (options.day ?? 0) * dayMs + number * 1000).toISOString(),
      eventName: `Call${number % 7}`,
      awsRegion: 'eu-central-1',
      recipientAccountId: options.account ?? '111111111111',
      userIdentity: { type: 'IAMUser', userName: `user-${number % 3}` },
      requestParameters: { filler: `${number}-`.repeat(40) },
    }),
  );
  return { kind: 'ingested', payload, sequence: sequence(number), time: 0, hash: undefined };
}

export function entries(
  from: number,
  to: number,
  options?: Parameters<typeof entryOf>[1],
): readonly JournalEntry[] {
  return Array.from({ length: to - from }, (_, index) => entryOf(from + index, options));
}

export async function idsOf(history: OpenedHistory): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const event of history.stream({})) ids.push(event.eventId);
  return ids;
}

/** Newest first: the events of one test have ascending times. */
export function expectedIds(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, index) => `event-${to - 1 - index}`);
}
