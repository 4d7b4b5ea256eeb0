import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sequence, silentLog } from '../../../kernel/index.ts';
import type { ColumnsRow } from '../../columns-port.ts';
import { columnsContract, contractTable, ownerA, rowsOf } from '../../columns-contract.ts';
import { openDuckColumns } from './duck-columns.ts';

columnsContract('DuckDB', {
  open: (directory) => openDuckColumns({ directory, table: contractTable, log: silentLog }),
  sql: {
    count: (view) => `SELECT count(*) FROM "${view}"`,
    everything: (view) =>
      `SELECT id, flag, labels['nested'], who.name, things[1].arn FROM "${view}" ORDER BY id -- the end`,
    flagged: 'flag',
    endless: (view) => `SELECT sum(a.flag::INT + b.flag::INT) FROM "${view}" a, range(100000000000) b(flag)`,
    wrong: 'SELECT nothing FROM nowhere',
  },
});

/** Resolves when the file has come to so many bytes. */
async function grown(file: string, bytes: number): Promise<void> {
  for (;;) {
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    if (size >= bytes) return;
  }
}

/** Of the line that a row becomes on its way into a file; see FORMAT.md. */
function stagedBytes({ sequence: place, payload }: ColumnsRow): number {
  return `{"s":${place},"r":}\n`.length + payload.length;
}

it('keeps files that a seal looks for duplicates in until it has ended', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-columns-'));
  try {
    await using columns = await openDuckColumns({ directory, table: contractTable, log: silentLog });
    await columns.append({ rows: rowsOf(0, 10), through: sequence(10) });
    const rows = rowsOf(0, 40_000).map((row, at) => ({ ...row, sequence: sequence(10 + at) }));
    const staged = rows.reduce((sum, row) => sum + stagedBytes(row), 0);
    const sealing = columns.append({ rows, through: sequence(10 + rows.length) });
    // From here on the engine reads the batch, and then the first file, which is no longer one that counts.
    await grown(join(directory, 'work', '2.parquet.ndjson'), staged);
    expect(await columns.drop(new Map([[ownerA, Date.UTC(2026, 0, 1) + 10_000]]))).toBe(1);
    expect(await sealing).toEqual({ added: rows.length - 10, duplicates: 10, unreadable: [] });
    expect(await readdir(join(directory, ownerA))).toEqual(['2.parquet']);
  } finally {
    await rm(directory, { recursive: true });
  }
});
