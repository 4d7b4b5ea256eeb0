import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { manualClock, sequence, silentLog } from '../../kernel/index.ts';
import type { JournalEntry } from '../../journal/index.ts';
import { openHistory } from './open-history.ts';

const start = Date.UTC(2026, 5, 1);

function large(index: number): JournalEntry {
  const record = {
    eventID: `large-${index}`,
    eventTime: new Date(start + index * 1000).toISOString().replace('.000', ''),
    awsRegion: 'eu-central-1',
    recipientAccountId: '111111111111',
    requestParameters: { text: 'x'.repeat(200_000) },
  };
  return {
    sequence: sequence(index),
    time: start,
    kind: 'imported',
    payload: Buffer.from(JSON.stringify(record)),
    hash: new Uint8Array(32),
  };
}

test('large records make short pages, and the next page goes on behind them', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-search-'));
  try {
    await using history = await openHistory({ directory, clock: manualClock(start), log: silentLog });
    await history.apply(Array.from({ length: 100 }, (_, index) => large(index)));
    const seen: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await history.search({}, { limit: 1_000, ...(after !== undefined && { after }) });
      expect(page.events.length).toBeLessThan(50);
      seen.push(...page.events.map(({ eventId }) => eventId));
      if (page.next === undefined) break;
      after = page.next;
    }
    expect(seen).toEqual(Array.from({ length: 100 }, (_, index) => `large-${99 - index}`));
  } finally {
    await rm(directory, { recursive: true });
  }
});
