import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLog, systemClock } from '../../kernel/index.ts';
import { openDuckColumns } from '../../store/embedded/index.ts';
import { lakeRecord } from '../../../test/lake-fixture.ts';
import { openTrailFixture } from '../../../test/trail-fixture.ts';
import { openLakeReader } from './lake-reader.ts';
import { lakeTable } from './schema.ts';

it('seals what waits when it is closed, where the next start would take long to read it again', async () => {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'cairn-lake-reader-'));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const { stream, clock } = opening.use(await openTrailFixture());
  const columns = opening.use(
    await openDuckColumns({ directory, table: lakeTable, clock: systemClock, log: silentLog }),
  );
  const readAndClose = async (events: number): Promise<void> => {
    await using lake = await openLakeReader({ stream, columns, clock, log: silentLog });
    const entries = Array.from({ length: events }, () => ({
      kind: 'imported' as const,
      payload: Buffer.from(JSON.stringify(lakeRecord({}))),
    }));
    await stream.append(entries);
    await lake.reader.reached(stream.end);
  };
  const begin = stream.end;
  await readAndClose(10);
  expect(columns.durable).toBeLessThanOrEqual(begin);
  await readAndClose(4096);
  expect(columns.durable).toBe(stream.end);
  expect(columns.stats().rows).toBe(4106);
});
