import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom, sequence, silentLog, systemClock } from '../../../kernel/index.ts';
import type { Columns, ColumnsRow, ColumnsTable, ColumnsView, TimeStretch } from '../../columns-port.ts';
import { columnsContract, contractTable, ownerA, ownerB, rowOf, rowsOf } from '../../columns-contract.ts';
import { openDuckColumns } from './duck-columns.ts';

columnsContract('DuckDB', {
  open: (directory) =>
    openDuckColumns({ directory, table: contractTable, clock: systemClock, log: silentLog }),
  sql: {
    count: (view) => `SELECT count(*) FROM "${view}"`,
    everything: (view) =>
      `SELECT id, flag, labels['nested'], who.name, things[1].arn FROM "${view}" ORDER BY id -- the end`,
    notes: (view) => `SELECT id, note FROM "${view}" ORDER BY id`,
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

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-columns-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** The rows of a query over the first owner's view. */
async function ask(columns: Columns, sql: string, view: Partial<ColumnsView> = {}) {
  const into = join(directory, 'result.ndjson');
  const views = [{ name: 'v', owner: ownerA, ...view }];
  const outcome = await columns.query({ sql, views, into, mostBytes: 1 << 20 }, new AbortController().signal);
  if (outcome.kind === 'failed') throw new Error(outcome.reason);
  const lines = (await readFile(into, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as (string | null)[]);
}

it('keeps files that a seal looks for duplicates in until it has ended', async () => {
  await using columns = await openDuckColumns({
    directory,
    table: contractTable,
    clock: systemClock,
    log: silentLog,
  });
  await columns.append({ rows: rowsOf(0, 10), through: sequence(10) });
  const rows = rowsOf(0, 40_000).map((row, at) => ({ ...row, sequence: sequence(10 + at) }));
  const staged = rows.reduce((sum, row) => sum + stagedBytes(row), 0);
  const sealing = columns.append({ rows, through: sequence(10 + rows.length) });
  // From here on the engine reads the batch, and then the first file, which is no longer one that counts.
  await grown(join(directory, 'work', '1.ndjson'), staged);
  expect(await columns.drop(new Map([[ownerA, Date.UTC(2026, 0, 1) + 10_000]]))).toBe(1);
  expect(await sealing).toEqual({ added: rows.length - 10, duplicates: 10, unreadable: [] });
  expect(await readdir(join(directory, ownerA))).toEqual(['2.parquet']);
});

// Engines that write give way to everything else, the other tests among it.
it(
  'seals what takes too much memory at once one half after the other, and nothing of it twice',
  { timeout: 240_000 },
  async () => {
    const halved: unknown[] = [];
    const log = Object.create(silentLog) as typeof silentLog;
    Object.assign(log, { child: () => log, warn: (facts: unknown) => void halved.push(facts) });
    await using columns = await openDuckColumns({
      directory,
      table: contractTable,
      clock: systemClock,
      log,
      writeBytes: 64 * 1024 * 1024,
    });
    // In memory each of these takes many times what it takes as text.
    const labels = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [at.toString(36), 'v']));
    const rows = rowsOf(0, 2000).map(({ sequence: place, payload }) => {
      const row = JSON.parse(Buffer.from(payload).toString()) as object;
      return { sequence: place, payload: Buffer.from(JSON.stringify({ ...row, labels })) };
    });
    const again = rows.slice(0, 100).map((row, at) => ({ ...row, sequence: sequence(rows.length + at) }));
    const through = sequence(rows.length + again.length);
    const sealed = await columns.append({ rows: [...rows, ...again], through });
    expect(sealed).toEqual({ added: rows.length, duplicates: again.length, unreadable: [] });
    expect(halved.length).toBeGreaterThan(0);
    expect(columns.durable).toBe(through);
    expect(await ask(columns, 'SELECT count(*), count(DISTINCT id) FROM v')).toEqual([['2000', '2000']]);
    expect(await readdir(join(directory, 'work'))).not.toContainEqual(expect.stringMatching(/ndjson$/));
  },
);

it('writes texts of any kind as they are', async () => {
  await using columns = await openDuckColumns({
    directory,
    table: contractTable,
    clock: systemClock,
    log: silentLog,
  });
  const odd = [
    '',
    ' "a", \'b\' \\ c',
    'one\r\ntwo\ttab',
    '\u0000\u0001\u001f\u007f',
    '日本 🙂 \u2028',
    '#',
    '\\N',
    'null',
  ];
  const rows = odd.map((name, at) => rowOf(at, { who: { name } }));
  await columns.append({ rows, through: sequence(odd.length) });
  const asked = 'SELECT who.name, NULL, who, [NULL, flag], time FROM v ORDER BY time';
  const answer = await ask(columns, asked);
  expect(
    answer.map(([name, none, who, list, time]) => [name, none, JSON.parse(who ?? ''), list, time]),
  ).toEqual(
    odd.map((name, at) => [
      name,
      null,
      { name, since: null },
      `[null,${at % 2 === 0}]`,
      `2026-01-01 00:00:0${at}.000`,
    ]),
  );
});

const json = (id: string, note: string) =>
  `{"owner":"${ownerA}","id":"${id}","time":"2026-01-01T00:00:00Z","who":{"name":"${note}"},"labels":{"${note}":"${note}"}}`;

it('shows halves of surrogate pairs by their escapes, and hides no row that has one', async () => {
  await using columns = await open();
  const notes = [
    String.raw`\ud800`,
    String.raw`a\uDFFFb`,
    String.raw`\ud83d\ude42`,
    String.raw`\ud83d\ud83d\ude42\ude42`,
    String.raw`\\ud800`,
    String.raw`\\\ud800\n`,
    String.raw`\u0041 é`,
  ];
  const rows = notes.map((note, at) => ({ sequence: at, payload: Buffer.from(json(`h${at}`, note)) }));
  const through = sequence(rows.length);
  expect(await columns.append({ rows, through })).toEqual({
    added: rows.length,
    duplicates: 0,
    unreadable: [],
  });
  expect(await ask(columns, 'SELECT who.name, map_keys(labels)[1] FROM v ORDER BY id')).toEqual(
    [
      String.raw`\ud800`,
      String.raw`a\uDFFFb`,
      '🙂',
      String.raw`\ud83d🙂\ude42`,
      String.raw`\ud800`,
      `${String.raw`\\ud800`}\n`,
      'A é',
    ].map((shown) => [shown, shown]),
  );
});

describe('the index of ids', () => {
  it('gives the rows that reading everything gives', async () => {
    const random = seededRandom(20_261_129);
    const fewestIndexed = 40;
    await using columns = await openDuckColumns({
      clock: systemClock,
      directory,
      table: contractTable,
      log: silentLog,
      fewestIndexed,
    });
    let at = 0;
    for (let batch = 0; batch < 11; batch++) {
      const from = random.below(40_000) - 20_000;
      // Ids come again at other times, some of them before 1970.
      const rows = Array.from({ length: 6 }, (_, index) =>
        rowOf(at + index, {
          id: `id-${random.below(50)}`,
          time: new Date(from * 1000 * 86_400 + index * 1500).toISOString(),
        }),
      );
      at += rows.length;
      await columns.append({ rows, through: sequence(at) });
    }
    await columns.settled();
    expect((await readdir(join(directory, ownerA))).some((name) => name.endsWith('.ids.parquet'))).toBe(true);
    const sql = 'SELECT id, time, who.name FROM v WHERE $ ORDER BY ALL';
    let found = 0;
    for (let turn = 0; turn < 8; turn++) {
      const ids = Array.from({ length: 1 + random.below(6) }, () => `id-${random.below(60)}`);
      const asked = sql.replace('$', `id IN (${ids.map((id) => `'${id}'`).join(', ')})`);
      const rows = await ask(columns, asked);
      expect(await ask(columns, asked, { ids })).toEqual(rows);
      found += rows.length;
    }
    expect(found).toBeGreaterThan(20);
  });

  it('lets a query read the files alone that have the ids', async () => {
    await using columns = await openDuckColumns({
      clock: systemClock,
      directory,
      table: contractTable,
      log: silentLog,
      fewestIndexed: 8,
    });
    for (let at = 0; at < 16; at++) {
      await columns.append({ rows: rowsOf(at, at + 1), through: sequence(at + 1) });
      await columns.settled();
    }
    const first = (await readdir(join(directory, ownerA))).find((name) => /^\d+\.parquet$/.test(name)) ?? '';
    await truncate(join(directory, ownerA, first), 10);
    await expect(ask(columns, 'SELECT count(*) FROM v')).rejects.toThrow(first);
    expect(await ask(columns, 'SELECT count(*) FROM v', { ids: ['id-99'] })).toEqual([['0']]);
  });
});

/** Half a second after a row's time. */
function timeAt(second: number): string {
  return `TIMESTAMP '2026-01-01 00:00:${String(second).padStart(2, '0')}.5'`;
}

function stretch(from?: number, to?: number): TimeStretch {
  return {
    atLeast: from === undefined ? [] : [timeAt(from)],
    atMost: to === undefined ? [] : [timeAt(to)],
  };
}

describe('stretches of time', () => {
  it('let a query read the files alone that have rows of them', async () => {
    await using columns = await openDuckColumns({
      clock: systemClock,
      directory,
      table: contractTable,
      log: silentLog,
    });
    for (let at = 0; at < 6; at++)
      await columns.append({ rows: rowsOf(at * 4, at * 4 + 4), through: sequence(at * 4 + 4) });
    await columns.settled();
    const ids = async (...times: readonly TimeStretch[]) =>
      (await ask(columns, 'SELECT id FROM v ORDER BY time', { times })).map(([id]) => Number(id?.slice(3)));
    const all = Array.from({ length: 24 }, (_, at) => at);
    expect(await ids(stretch())).toEqual(all);
    // The rows of whole files: all of those asked for, and others beside them.
    expect(await ids(stretch(4, 9))).toEqual(all.slice(4, 12));
    expect(await ids(stretch(20))).toEqual(all.slice(20));
    expect(await ids(stretch(undefined, 0))).toEqual(all.slice(0, 4));
    expect(await ids(stretch(1, 2), stretch(17, 18))).toEqual([...all.slice(0, 4), ...all.slice(16, 20)]);
    expect(await ids(stretch(50))).toEqual([]);
    expect(await ids({ atLeast: [timeAt(2), timeAt(9)], atMost: [timeAt(13), timeAt(59)] })).toEqual(
      all.slice(8, 16),
    );
    // A bound that the engine cannot work out leaves everything to the query.
    expect(await ids({ atLeast: ["strptimeAt('x', '%Y')"], atMost: [] })).toEqual(all);
    expect(await ids({ atLeast: ["'infinity'::TIMESTAMP"], atMost: [] })).toEqual(all);
  });
});

/** Columns with an index of ids for every file. */
function openIndexed(table: ColumnsTable): Promise<Columns> {
  return openDuckColumns({ directory, table, clock: systemClock, log: silentLog, fewestIndexed: 1 });
}

describe('a table of a later version', () => {
  const later: ColumnsTable = {
    ...contractTable,
    version: 2,
    columns: contractTable.columns
      .map((column) =>
        column.name === 'who'
          ? {
              name: 'who',
              type: 'STRUCT(name VARCHAR, since VARCHAR)',
              since: 2,
              earlier: `CASE WHEN who IS NULL THEN NULL ELSE struct_pack(name := who.name, since := strftime(who.since, '%Y')) END`,
            }
          : column,
      )
      .concat([{ name: 'added', type: 'VARCHAR', since: 2 }]),
    derived: [{ name: 'who.name', from: '"who"."name"', since: 2 }],
  };
  const sql = 'SELECT id, who.since, added, "who.name" FROM v ORDER BY id';

  it('reads, merges and asks what the one before wrote', async () => {
    {
      await using columns = await openDuckColumns({
        directory,
        table: contractTable,
        clock: systemClock,
        log: silentLog,
      });
      await columns.append({ rows: [rowOf(1), rowOf(2, { who: null })], through: sequence(3) });
    }
    const file = join(directory, 'manifest.json');
    const { sum: _sum, ...manifest } = JSON.parse(await readFile(file, 'utf8'));
    expect(manifest).toMatchObject({ format: 2, files: [{ version: 1 }] });
    // As the first version of the format has it.
    const files = manifest.files.map(({ version: _version, ...rest }: { version: number }) => rest);
    await writeFile(file, JSON.stringify({ ...manifest, format: 1, files }));

    await using columns = await openDuckColumns({
      directory,
      table: later,
      clock: systemClock,
      log: silentLog,
    });
    const before = [
      ['id-1', '2026', null, 'n1'],
      ['id-2', null, null, null],
    ];
    expect(await ask(columns, sql)).toEqual(before);
    // The record of a row that is there already is left out, whichever version wrote it.
    await columns.append({ rows: [{ ...rowOf(3), payload: rowOf(1).payload }], through: sequence(4) });
    const rows = before.concat([['id-4', '2026-01-01T00:00:00Z', 'new', 'n1']]);
    for (let at = 4; at < 12; at++)
      await columns.append({ rows: [rowOf(at, { added: 'new' })], through: sequence(at + 1) });
    await columns.settled();
    expect(columns.stats()).toMatchObject({ rows: 10, files: 2 });
    expect((await ask(columns, sql)).filter(([id = '']) => /^id-[124]$/.test(id ?? ''))).toEqual(rows);
    const never = new AbortController().signal;
    const into = join(directory, 'part.parquet');
    const [part] = await columns.parts({ name: 'v', owner: ownerA }, { by: [] }, never);
    if (!part) throw new Error('no part');
    await columns.writeParts({ name: 'v', owner: ownerA }, [{ ...part, into }], never);
    expect((await readFile(into)).includes('who.name')).toBe(false);
  });

  it('keeps UUIDs as such, and shows every id as it came', async () => {
    const column = contractTable.columns.map((one) => (one.name === 'id' ? { ...one, uuidsSince: 2 } : one));
    const withUuids = { ...contractTable, version: 2, columns: column };
    const uuid = '0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d';
    const ids = [uuid, uuid.toUpperCase(), `{${uuid}}`, uuid.replaceAll('-', ''), 'no-uuid', '', ` ${uuid}`];
    const same = { time: '2026-01-01T00:00:00Z' };
    const rows = (from: number, all: readonly string[]) =>
      all.map((id, index) => rowOf(from + index, { ...same, id }));
    {
      await using columns = await openIndexed(contractTable);
      await columns.append({ rows: rows(0, ids.slice(0, 5)), through: sequence(5) });
    }
    await using columns = await openIndexed(withUuids);
    // Those of the version before, and what comes twice in a batch, are there already.
    const again = [...ids, ...ids, uuid.replace('0', 'f'), '00000000-0000-0000-0000-000000000000'];
    expect(await columns.append({ rows: rows(5, again), through: sequence(5 + again.length) })).toEqual({
      added: 4,
      duplicates: again.length - 4,
      unreadable: [],
    });
    const all = [...new Set([...ids, ...again])].toSorted();
    const check = async () => {
      const sql = 'SELECT id FROM v ORDER BY id';
      expect((await ask(columns, sql)).flat()).toEqual(all);
      for (const id of [...all, 'ffffffff-ffff-ffff-ffff-ffffffffffff'])
        expect(await ask(columns, `SELECT id FROM v WHERE id = '${id}'`, { ids: [id] })).toEqual(
          all.includes(id) ? [[id]] : [],
        );
      const asked = `SELECT id FROM v WHERE id IN ('${ids.join("', '")}') ORDER BY id`;
      expect((await ask(columns, asked, { ids })).flat()).toEqual(ids.toSorted());
    };
    await check();
    const never = new AbortController().signal;
    const view = { name: 'v', owner: ownerA };
    const parts = await columns.parts(view, { by: ['id'] }, never);
    expect(parts.map(({ values }) => values['id'])).toEqual(all);
    // Written anew, the rows of the first version are as those of the second.
    const through = 5 + again.length;
    for (let at = 0; at < 8; at++)
      await columns.append({ rows: [rowOf(through + at)], through: sequence(through + at + 1) });
    await columns.settled();
    expect(columns.stats().files).toBeLessThan(8);
    all.push(...Array.from({ length: 8 }, (_, at) => `id-${through + at}`));
    all.sort();
    await check();
  });

  it('is refused by the one before, with what to do', async () => {
    await writeFile(
      join(directory, 'manifest.json'),
      '{"format": 3, "durable": 0, "nextFile": 1, "files": []}',
    );
    await expect(
      openDuckColumns({ directory, table: contractTable, clock: systemClock, log: silentLog }),
    ).rejects.toThrow(/format 3.*start the version that wrote it/);
  });
});

const open = () => openDuckColumns({ directory, table: contractTable, clock: systemClock, log: silentLog });

it('removes what a crash left of the very first seal, and sets nothing aside', async () => {
  await (await open())[Symbol.asyncDispose]();
  await mkdir(join(directory, ownerA));
  await writeFile(join(directory, ownerA, '1.parquet'), 'no manifest names it yet');
  await using columns = await open();
  expect(await readdir(directory)).toEqual([ownerA, 'manifest.json', 'work']);
  expect(await readdir(join(directory, ownerA))).toEqual([]);
  expect(await columns.append({ rows: rowsOf(0, 2), through: sequence(2) })).toMatchObject({ added: 2 });
});

it('leaves nothing of a seal that fails, which on a full disk is tried again and again', async () => {
  await using columns = await open();
  // A file in the place of the second account's folder: the first one's rows are written, the second one's cannot be.
  await writeFile(join(directory, ownerB), '');
  const rows = [...rowsOf(0, 2), rowOf(2, { owner: ownerB })];
  const batch = { rows, through: sequence(3) };
  // What an engine leaves that is killed at its work.
  const left = join(directory, 'work', '2.mended');
  await writeFile(left, 'lines');
  for (let round = 0; round < 3; round++) await expect(columns.append(batch)).rejects.toThrow(ownerB);
  expect(await readdir(join(directory, ownerA))).toEqual([]);
  await expect(stat(left)).rejects.toThrow('ENOENT');
  expect(columns.durable).toBe(0);
  await rm(join(directory, ownerB));
  expect(await columns.append(batch)).toEqual({ added: 3, duplicates: 0, unreadable: [] });
  expect(await readdir(join(directory, ownerA))).toEqual(['4.parquet']);
  expect(await ask(columns, 'SELECT id FROM v ORDER BY id')).toEqual([['id-0'], ['id-1']]);
});

describe('a manifest that cannot be read', () => {
  it.each([
    ['flipped', (text: string) => text.replace('"durable":2', '"durable":3')],
    ['cut', (text: string) => text.slice(0, 30)],
    ['missing', undefined],
  ])('%s: no file is deleted, and everything begins anew', async (_, change) => {
    {
      await using columns = await open();
      await columns.append({ rows: rowsOf(0, 2), through: sequence(2) });
      expect(columns.durable).toBe(2);
    }
    const manifest = join(directory, 'manifest.json');
    if (change) await writeFile(manifest, change(await readFile(manifest, 'utf8')));
    else await rm(manifest);
    for (const round of [1, 2]) {
      await using columns = await open();
      expect([round, columns.durable]).toEqual([round, 0]);
      expect(await readdir(join(directory, 'quarantine', '1', ownerA))).toEqual(['1.parquet']);
    }
  });

  it('of a version that wrote no sum is read', async () => {
    await writeFile(join(directory, 'manifest.json'), '{"format":2,"durable":7,"nextFile":1,"files":[]}');
    await using columns = await open();
    expect(columns.durable).toBe(7);
  });
});
