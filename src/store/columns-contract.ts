import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sequence } from '../kernel/index.ts';
import type { Columns, ColumnsQuery, ColumnsRow, ColumnsTable } from './columns-port.ts';

/** The table of the suite. */
export const contractTable: ColumnsTable = {
  columns: [
    { name: 'owner', type: 'VARCHAR' },
    { name: 'id', type: 'VARCHAR' },
    { name: 'time', type: 'TIMESTAMP' },
    { name: 'flag', type: 'BOOLEAN' },
    { name: 'labels', type: 'MAP(VARCHAR, VARCHAR)' },
    { name: 'who', type: 'STRUCT(name VARCHAR, since TIMESTAMP)' },
    { name: 'things', type: 'STRUCT(ARN VARCHAR, kind VARCHAR)[]' },
  ],
  owner: 'owner',
  id: 'id',
  time: 'time',
};

export const ownerA = '000000000001';
export const ownerB = '000000000002';

/** A row; every row has a time of its own unless it is told. */
export function rowOf(at: number, over: Record<string, unknown> = {}): ColumnsRow {
  const value = {
    owner: ownerA,
    id: `id-${at}`,
    time: new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString(),
    flag: at % 2 === 0,
    labels: { text: `t${at}`, number: at, nested: { deep: [at] } },
    who: { name: `n${at % 3}`, since: '2026-01-01T00:00:00Z' },
    things: [{ ARN: `arn:${at}`, kind: 'k' }],
    ...over,
  };
  return { sequence: sequence(at), payload: Buffer.from(JSON.stringify(value)) };
}

export function rowsOf(from: number, to: number): readonly ColumnsRow[] {
  return Array.from({ length: to - from }, (_, index) => rowOf(from + index));
}

export interface ContractAdapter {
  /** Opens the columns in `directory`, as they were left there. */
  open(directory: string): Promise<Columns>;
  /** The suite's queries in the adapter's own SQL: `view` is quoted. */
  readonly sql: {
    readonly count: (view: string) => string;
    /** id, flag, labels.nested, who.name, things[1].ARN of every row, in the order of the ids. */
    readonly everything: (view: string) => string;
    /** id and a column `note` that stands apart, of every row, in the order of the ids. */
    readonly notes: (view: string) => string;
    /** Predicate for `where`. */
    readonly flagged: string;
    /** Never ends in a test's time. */
    readonly endless: (view: string) => string;
    readonly wrong: string;
  };
}

/** What every adapter of `columns` promises. */
export function columnsContract(name: string, adapter: ContractAdapter): void {
  const { sql } = adapter;
  const open = (at: string) => adapter.open(at);
  describe(`columns: ${name}`, () => {
    let directory: string;
    let into: string;
    const never = new AbortController().signal;

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'cairn-columns-'));
      into = join(directory, 'result.ndjson');
    });
    afterEach(async () => {
      await rm(directory, { recursive: true });
    });

    const ask = async (columns: Columns, query: Omit<ColumnsQuery, 'into' | 'mostBytes'>) => {
      const outcome = await columns.query({ mostBytes: 1024 * 1024, into, ...query }, never);
      if (outcome.kind === 'failed') throw new Error(outcome.reason);
      const text = await readFile(into, 'utf8');
      const rows = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as (string | null)[]);
      expect(rows.length).toBe(outcome.rows);
      return { ...outcome, values: rows };
    };
    const view = { name: 'v', owner: ownerA };
    const count = async (columns: Columns, owner = ownerA) =>
      Number((await ask(columns, { sql: sql.count('v'), views: [{ name: 'v', owner }] })).values[0]?.[0]);

    it('answers from the rows that were appended, with their types', async () => {
      await using columns = await open(directory);
      expect(await columns.append({ rows: rowsOf(0, 3), through: sequence(3) })).toEqual({
        added: 3,
        duplicates: 0,
        unreadable: [],
      });
      const { values } = await ask(columns, { sql: sql.everything('v'), views: [view] });
      expect(values).toEqual([
        ['id-0', 'true', '{"deep":[0]}', 'n0', 'arn:0'],
        ['id-1', 'false', '{"deep":[1]}', 'n1', 'arn:1'],
        ['id-2', 'true', '{"deep":[2]}', 'n2', 'arn:2'],
      ]);
      expect(columns.durable).toBe(3);
      expect(columns.stats().rows).toBe(3);
    });

    it('shows columns that stand in a file apart, by the ids of rows, to views that name them', async () => {
      await using columns = await open(directory);
      await columns.append({ rows: rowsOf(0, 3), through: sequence(3) });
      const file = join(directory, 'apart');
      const lines = [
        { id: 'id-1', note: 'a "note"\n' },
        { id: 'id-9', note: 'of no row' },
      ];
      await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      const apart = { columns: ['note'], file };
      const { values } = await ask(columns, { sql: sql.notes('v'), views: [{ ...view, apart }] });
      expect(values).toEqual([
        ['id-0', null],
        ['id-1', 'a "note"\n'],
        ['id-2', null],
      ]);
      await expect(ask(columns, { sql: sql.notes('v'), views: [view] })).rejects.toThrow('note');
    });

    it('answers with no rows where there are none', async () => {
      await using columns = await open(directory);
      expect((await ask(columns, { sql: sql.everything('v'), views: [view] })).values).toEqual([]);
    });

    it('takes a batch once, also after it was opened anew', async () => {
      {
        await using columns = await open(directory);
        await columns.append({ rows: rowsOf(0, 5), through: sequence(5) });
        await columns.append({ rows: rowsOf(0, 5), through: sequence(5) });
      }
      await using columns = await open(directory);
      expect(columns.durable).toBe(5);
      // A batch that overlaps gives what is new in it.
      expect(await columns.append({ rows: rowsOf(3, 8), through: sequence(8) })).toMatchObject({ added: 3 });
      expect(await count(columns)).toBe(8);
    });

    it('leaves out rows whose owner and id are there, in the batch and before it', async () => {
      await using columns = await open(directory);
      await columns.append({ rows: [rowOf(0), rowOf(1)], through: sequence(2) });
      const again = { ...rowOf(2), payload: rowOf(1).payload };
      const twice = { ...rowOf(4), payload: rowOf(3).payload };
      const others = rowOf(5, { owner: ownerB, id: 'id-1', time: '2026-01-01T00:00:01Z' });
      const rows = [again, rowOf(3), twice, others];
      expect(await columns.append({ rows, through: sequence(6) })).toEqual({
        added: 2,
        duplicates: 2,
        unreadable: [],
      });
      expect(await count(columns)).toBe(3);
      expect(await count(columns, ownerB)).toBe(1);
    });

    it('keeps what it can of a row with members of other types, and names what it cannot keep', async () => {
      await using columns = await open(directory);
      const rows = [
        rowOf(0, { labels: 'no map', who: ['no struct'] }),
        rowOf(1, { time: 'yesterday' }),
        rowOf(2, { owner: '../../etc' }),
        rowOf(3, { id: null }),
        { sequence: sequence(4), payload: Buffer.from('{"owner":') },
        {
          ...rowOf(5),
          payload: Buffer.from(JSON.stringify(JSON.parse(rowOf(5).payload.toString()), null, 2)),
        },
      ];
      const appended = await columns.append({ rows, through: sequence(6) });
      expect(appended.added).toBe(2);
      expect([...appended.unreadable].toSorted((one, other) => one - other)).toEqual([1, 2, 3, 4]);
      const { values } = await ask(columns, { sql: sql.everything('v'), views: [view] });
      expect(values).toEqual([
        ['id-0', 'true', null, null, 'arn:0'],
        ['id-5', 'false', '{"deep":[5]}', 'n2', 'arn:5'],
      ]);
    });

    it('is filled with rows that the journal has no more, beside the batches of those that it has', async () => {
      await using columns = await open(directory);
      await columns.append({ rows: rowsOf(3, 6), through: sequence(6) });
      const old = await columns.gather();
      await old.add(rowsOf(0, 4).map((row, at) => ({ ...row, sequence: -1 - at })));
      const [filled, appended] = await Promise.all([
        columns.fill(old),
        columns.append({ rows: rowsOf(6, 8), through: sequence(8) }),
      ]);
      expect(filled).toEqual({ added: 3, duplicates: 1 });
      expect(appended.added).toBe(2);
      expect(columns.durable).toBe(8);
      expect(await count(columns)).toBe(8);
      expect(await columns.fill(await columns.gather())).toEqual({ added: 0, duplicates: 0 });
    });

    it('shows a view its owner’s rows alone, and of them what its condition lets through', async () => {
      await using columns = await open(directory);
      await columns.append({
        rows: [...rowsOf(0, 10), rowOf(10, { owner: ownerB })],
        through: sequence(11),
      });
      expect(await count(columns, ownerB)).toBe(1);
      expect(await count(columns, '000000000003')).toBe(0);
      const some = await ask(columns, { sql: sql.count('v'), views: [{ ...view, where: sql.flagged }] });
      expect(some.values).toEqual([['5']]);
      expect(columns.owners()).toEqual([ownerA, ownerB]);
    });

    it('stays the same while many small batches become few files', async () => {
      {
        await using columns = await open(directory);
        for (let at = 0; at < 60; at += 3)
          await columns.append({ rows: rowsOf(at, at + 3), through: sequence(at + 3) });
        await columns.settled();
        expect(columns.stats()).toMatchObject({ rows: 60 });
        expect(columns.stats().files).toBeLessThan(20);
        expect(await count(columns)).toBe(60);
      }
      await using columns = await open(directory);
      expect(await count(columns)).toBe(60);
    });

    it('drops what is older than the owner’s time, by whole files', async () => {
      await using columns = await open(directory);
      await columns.append({ rows: rowsOf(0, 10), through: sequence(10) });
      await columns.append({ rows: rowsOf(10, 20), through: sequence(20) });
      const cutoff = Date.UTC(2026, 0, 1) + 10_000;
      expect(await columns.drop(new Map([[ownerB, cutoff]]))).toBe(0);
      expect(await columns.drop(new Map([[ownerA, cutoff]]))).toBe(1);
      expect(await count(columns)).toBe(10);
      // Of the file that is left, most is too old now.
      expect(await columns.drop(new Map([[ownerA, cutoff + 7_000]]))).toBe(1);
      expect(await count(columns)).toBe(3);
      expect(columns.stats().rows).toBe(3);
    });

    it('says why a query failed, and goes on', async () => {
      await using columns = await open(directory);
      await columns.append({ rows: rowsOf(0, 100), through: sequence(100) });
      const wrong = await columns.query({ sql: sql.wrong, views: [view], into, mostBytes: 1000 }, never);
      expect(wrong).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/./) });
      const large = await columns.query(
        { sql: sql.everything('v'), views: [view], into, mostBytes: 100 },
        never,
      );
      expect(large).toMatchObject({
        kind: 'failed',
        reason: expect.stringContaining('larger than 100 bytes'),
      });
      expect(await count(columns)).toBe(100);
    });

    it('ends a query at once when it is aborted', async () => {
      await using columns = await open(directory);
      await columns.append({ rows: rowsOf(0, 100), through: sequence(100) });
      expect(await count(columns)).toBe(100);
      const stop = new AbortController();
      const running = columns.query(
        { sql: sql.endless('v'), views: [view], into, mostBytes: 1000 },
        stop.signal,
      );
      stop.abort(new Error('enough'));
      await expect(running).rejects.toThrow('enough');
      expect(await count(columns)).toBe(100);
    });

    it('gives parts by day, and writes them as files of their own', async () => {
      await using columns = await open(directory);
      const tomorrow = rowOf(2, { time: '2026-01-02T12:00:00Z' });
      await columns.append({ rows: [rowOf(0), rowOf(1), tomorrow], through: sequence(3) });
      const parts = await columns.parts(view, { by: ['id'], to: Date.UTC(2026, 0, 3) }, never);
      expect(parts).toEqual([
        { owner: ownerA, values: { id: 'id-0' }, day: '2026-01-01', rows: 1 },
        { owner: ownerA, values: { id: 'id-1' }, day: '2026-01-01', rows: 1 },
        { owner: ownerA, values: { id: 'id-2' }, day: '2026-01-02', rows: 1 },
      ]);
      const files = parts.map((part, at) => ({ ...part, into: join(directory, `${at}.parquet`) }));
      await columns.writeParts(view, files, never);
      for (const { into } of files) expect((await readFile(into)).subarray(0, 4).toString()).toBe('PAR1');
    });
  });
}
