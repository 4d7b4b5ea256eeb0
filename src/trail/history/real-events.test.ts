import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { manualClock, sequence, silentLog } from '../../kernel/index.ts';
import type { JournalEntry } from '../../journal/index.ts';
import { attributeNames, attributeValues, openHistory, scanLogFile, scanRecord } from './index.ts';

const folder = join(import.meta.dirname, '../../../../shared/data/cloudtrail');

function realRecords(): readonly Uint8Array[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.flatMap((name) => {
    const bytes = readFileSync(join(folder, name));
    const scan = scanLogFile(bytes);
    expect(scan.problem, name).toBeUndefined();
    return scan.records.map((span) => bytes.subarray(span.start, span.end));
  });
}

describe.skipIf(!existsSync(folder))('the 310 real events of shared/data/cloudtrail', () => {
  test('every event is found by each of its attributes, byte for byte', async () => {
    const records = realRecords();
    expect(records).toHaveLength(310);
    const directory = await mkdtemp(join(tmpdir(), 'cairn-history-'));
    await using history = await openHistory({ directory, clock: manualClock(0), log: silentLog });
    const entries = records.map((payload, index): JournalEntry => ({
      kind: 'imported',
      payload,
      sequence: sequence(index),
      time: 0,
      hash: undefined,
    }));
    expect(await history.apply(entries)).toEqual({ added: 310, duplicates: 0 });
    for (const sealed of [false, true]) {
      if (sealed) await history.flush();
      for (const raw of records) {
        const scan = scanRecord(raw);
        if (scan.kind === 'problem') throw new Error(scan.problem);
        for (const name of attributeNames) {
          for (const value of attributeValues(scan.record, name)) {
            const { eventTime } = scan.record;
            const attributes = [{ name, values: [value] }];
            const page = await history.search({ attributes, from: eventTime, to: eventTime }, { limit: 50 });
            const hit = page.events.find((event) => event.eventId === scan.record.eventId);
            expect(hit && Buffer.from(hit.raw).equals(raw), `${name}=${value} ${scan.record.eventId}`).toBe(
              true,
            );
          }
        }
      }
    }
    await rm(directory, { recursive: true });
  });
});
