import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCaseEngine } from './case-engine.ts';
import type { CaseEngine } from './case-engine.ts';
import { functionNames } from './functions/call.ts';
import { expressionCases } from './cases/expressions.ts';
import { functionCases } from './cases/functions.ts';
import { hostileCases } from './cases/hostile.ts';
import { lakeCases } from './cases/lake.ts';
import { queryCases } from './cases/queries.ts';
import { refusedCases } from './cases/refused.ts';

let engine: CaseEngine;
beforeAll(async () => {
  engine = await openCaseEngine();
});
afterAll(() => engine.connection.closeSync());

describe.each([...expressionCases, ...functionCases, ...queryCases, ...lakeCases])('$page', ({ cases }) => {
  it.each(cases.map((item) => [item.sql, item] as const))('%s', async (_sql, { sql, rows, fails }) => {
    if (fails === undefined) expect(await engine.rows(sql)).toEqual(rows);
    else await expect(engine.rows(sql)).rejects.toThrow(fails);
  });
});

describe('what is not supported is refused, with its name and place', () => {
  it.each(refusedCases.map((item) => [item[0], item] as const))('%s', (_sql, [sql, message, column]) => {
    const translation = engine.translate(sql);
    expect(translation).toMatchObject({ kind: 'refused', message: expect.stringContaining(message) });
    if (column !== undefined) expect(translation).toMatchObject({ column });
  });
});

describe('hostile statements', () => {
  it.each(hostileCases.map((item) => [item.what, item] as const))(
    '%s',
    async (_what, { sql, refused, rows }) => {
      if (refused === undefined) expect(await engine.rows(sql)).toEqual(rows);
      else
        expect(engine.translate(sql)).toMatchObject({
          kind: 'refused',
          message: expect.stringContaining(refused),
        });
    },
  );

  it('leave the tables as they were', async () => {
    const reader = await engine.connection.runAndReadAll('SELECT count(*) FROM archive');
    expect(reader.getRowsJson()).toEqual([['2']]);
  });
});

describe('FORMAT.md', () => {
  it('lists the functions of the language, all and no others', () => {
    const text = readFileSync(join(import.meta.dirname, 'FORMAT.md'), 'utf8');
    const [, section = ''] = /## Functions\n([\s\S]*?)\nWhat must be a literal/.exec(text) ?? [];
    const listed = [...section.matchAll(/`([a-z0-9_]+)`/g)].map((match) => match[1]);
    expect(new Set(listed)).toEqual(new Set(functionNames));
  });
});

describe('the face', () => {
  it('names the stores that a statement reads, each once, by the id alone', () => {
    const id = 'EXAMPLEf852-4e8f-8bd1-bcf6cEXAMPLE';
    const arn = `arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/${id}`;
    const sql = `SELECT a.eventID AS "Event", count(*) FROM "${arn}" a JOIN ${id} b ON a.eventID = b.eventID GROUP BY a.eventID`;
    expect(engine.translate(sql)).toMatchObject({
      kind: 'query',
      eventDataStoreIds: [id],
      columns: [
        { name: 'Event', type: 'varchar' },
        { name: '_col1', type: 'bigint' },
      ],
    });
  });

  it('gives the place of a refusal by line and column', () => {
    expect(engine.translate('SELECT 1,\n  2,\n  nothing')).toMatchObject({
      kind: 'refused',
      line: 3,
      column: 3,
    });
  });
});
