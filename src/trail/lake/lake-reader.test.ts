import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLog, systemClock } from '../../kernel/index.ts';
import type { Columns, ColumnsBatch } from '../../store/index.ts';
import { openDuckColumns } from '../../store/embedded/index.ts';
import { lakeRecord } from '../../../test/lake-fixture.ts';
import { openTrailFixture } from '../../../test/trail-fixture.ts';
import { openLakeReader } from './lake-reader.ts';
import { lakeTable } from './schema.ts';

const records = (count: number) =>
  Array.from({ length: count }, () => ({
    kind: 'imported' as const,
    payload: Buffer.from(JSON.stringify(lakeRecord({}))),
  }));

async function openParts(opening: AsyncDisposableStack) {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-lake-reader-'));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const { stream, clock } = opening.use(await openTrailFixture());
  const columns = opening.use(
    await openDuckColumns({ directory, table: lakeTable, clock: systemClock, log: silentLog }),
  );
  return { directory, stream, clock, columns };
}

it('seals what waits when it is closed, where the next start would take long to read it again', async () => {
  await using opening = new AsyncDisposableStack();
  const { stream, clock, columns } = await openParts(opening);
  const readAndClose = async (events: number): Promise<void> => {
    await using lake = await openLakeReader({ stream, columns, clock, log: silentLog });
    await stream.append(records(events));
    await lake.reader.reached(stream.end);
  };
  const begin = stream.end;
  await readAndClose(10);
  expect(columns.durable).toBeLessThanOrEqual(begin);
  await readAndClose(4096);
  expect(columns.durable).toBe(stream.end);
  expect(columns.stats().rows).toBe(4106);
});

it('gathers one batch beside the one that cannot be sealed, and loses nothing of them', async () => {
  await using opening = new AsyncDisposableStack();
  const { directory, stream, clock, columns } = await openParts(opening);
  let isFull = true;
  const failing = Object.create(columns, {
    append: {
      value: (batch: ColumnsBatch) =>
        isFull ? Promise.reject(new Error('no space left on device')) : columns.append(batch),
    },
  }) as Columns;
  await using lake = await openLakeReader({ stream, columns: failing, clock, log: silentLog });
  for (let minute = 0; minute < 5; minute++) {
    await stream.append(records(3));
    await lake.reader.reached(stream.end);
    await clock.advance(61_000);
  }
  const gathered = await readdir(join(directory, 'work'));
  expect(gathered.filter((name) => name.endsWith('.ndjson'))).toHaveLength(2);
  isFull = false;
  const flushed = lake.flush();
  await clock.advance(31_000);
  await flushed;
  expect(columns.stats().rows).toBe(15);
});
