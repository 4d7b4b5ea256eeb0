import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCaseEngine } from './case-engine.ts';
import type { CaseEngine } from './case-engine.ts';
import { functionNames } from './functions/call.ts';
import { archiveId, columns, eventsId } from './cases/data.ts';
import { expressionCases } from './cases/expressions.ts';
import { functionCases } from './cases/functions.ts';
import { hostileCases } from './cases/hostile.ts';
import { lakeCases } from './cases/lake.ts';
import { queryCases } from './cases/queries.ts';
import { refusedCases } from './cases/refused.ts';
import { collectionValueCases } from './cases/values-collections.ts';
import { jsonValueCases } from './cases/values-json.ts';
import { numberValueCases } from './cases/values-numbers.ts';
import { textValueCases } from './cases/values-text.ts';
import { timeValueCases } from './cases/values-times.ts';

let engine: CaseEngine;
beforeAll(async () => {
  engine = await openCaseEngine();
});
afterAll(() => engine.connection.closeSync());

const valueCases = [
  ...textValueCases,
  ...timeValueCases,
  ...jsonValueCases,
  ...numberValueCases,
  ...collectionValueCases,
];

describe.each([...expressionCases, ...functionCases, ...queryCases, ...lakeCases, ...valueCases])(
  '$page',
  ({ cases }) => {
    it.each(cases.map((item) => [item.sql, item] as const))('%s', async (_sql, { sql, rows, fails }) => {
      if (fails === undefined) expect(await engine.rows(sql)).toEqual(rows);
      else await expect(engine.rows(sql)).rejects.toThrow(fails);
    });
  },
);

describe('what is not supported is refused, with its name and place', () => {
  it.each(refusedCases.map((item) => [item[0], item] as const))('%s', (_sql, [sql, message, column]) => {
    const translation = engine.translate(sql);
    expect(translation).toMatchObject({ kind: 'refused', message: expect.stringContaining(message) });
    if (column !== undefined) expect(translation).toMatchObject({ column });
  });
});

/** The bounds of the times of the events that a statement alone can see, for each reading of the store. */
function timesOf(sql: string) {
  const translation = engine.translate(sql);
  return translation.kind === 'query' ? translation.eventTimes : translation;
}

/** The ids of the events that a statement alone can see. */
function idsOf(sql: string) {
  const translation = engine.translate(sql);
  return translation.kind === 'query' ? translation.eventIds : translation;
}

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

  const one = { [eventsId]: ['e01'] };
  it.each<[string, Readonly<Record<string, readonly string[]>>]>([
    [`SELECT eventName FROM ${eventsId} WHERE eventID = 'e01'`, one],
    [
      `SELECT eventName FROM ${eventsId} AS e WHERE readOnly AND ('e01' = e.eventid AND eventName <> 'x')`,
      one,
    ],
    [
      `SELECT * FROM (SELECT * FROM ${eventsId} WHERE eventID IN ('e01', 'e02')) AS e`,
      { [eventsId]: ['e01', 'e02'] },
    ],
    [`WITH e AS (SELECT * FROM ${eventsId} WHERE eventID = 'e01') SELECT count(*) FROM e a, e b`, one],
    [`SELECT (SELECT max(eventName) FROM ${eventsId} WHERE eventID = 'e01') FROM ${archiveId}`, one],
    [`SELECT eventName FROM ${eventsId} WHERE eventID = 'e01' OR eventName = 'x'`, {}],
    [`SELECT eventName FROM ${eventsId} WHERE NOT eventID = 'e01'`, {}],
    [`SELECT eventName FROM ${eventsId} WHERE eventID NOT IN ('e01')`, {}],
    [`SELECT eventName FROM ${eventsId} WHERE eventID IN ('e01', lower('E02'))`, {}],
    [`SELECT eventName FROM ${eventsId} WHERE sharedEventID = 'e01'`, {}],
    [`SELECT eventID FROM (SELECT eventName AS eventID FROM ${eventsId}) AS e WHERE eventID = 'e01'`, {}],
    [`SELECT a.eventID FROM ${eventsId} AS a LEFT JOIN ${archiveId} AS b ON a.eventID = 'e01'`, {}],
    [
      `SELECT count(*) FROM ${eventsId} WHERE eventID = 'e01' AND eventName IN (SELECT eventName FROM ${eventsId})`,
      {},
    ],
    [`SELECT count(*) FROM ${eventsId} WHERE eventID = 'e01' UNION ALL SELECT count(*) FROM ${eventsId}`, {}],
  ])('says which events alone can be seen: %s', (sql, ids) => {
    expect(idsOf(sql)).toEqual(ids);
  });

  const [early, late] = ["TIMESTAMP '2024-05-01 00:00:00'", "TIMESTAMP '2024-05-02 00:00:00'"];
  const from = `SELECT eventName FROM ${eventsId} WHERE`;
  const after = { atLeast: [early], atMost: [] };
  const between = { atLeast: [early], atMost: [late] };
  it.each<[string, readonly object[] | undefined]>([
    [`${from} eventTime > '2024-05-01 00:00:00'`, [after]],
    [`${from} readOnly AND ('2024-05-01T00:00:00Z' <= EVENTTIME AND eventTime < ${late})`, [between]],
    [`${from} eventTime BETWEEN ${early} AND ${late}`, [between]],
    [`${from} eventTime = ${early}`, [{ atLeast: [early], atMost: [early] }]],
    [`${from} eventTime >= now() - INTERVAL '1' DAY`, [{ atLeast: [expect.any(String)], atMost: [] }]],
    [
      `${from} eventTime > date_add('day', -7, current_timestamp)`,
      [{ atLeast: [expect.any(String)], atMost: [] }],
    ],
    [
      `${from} eventTime > ${early} UNION ALL ${from} eventTime < ${late}`,
      [after, { atLeast: [], atMost: [late] }],
    ],
    [
      `${from} eventTime > ${early} AND eventID IN (${from} eventTime BETWEEN ${early} AND ${late})`,
      [after, between],
    ],
    [`${from} eventTime > ${early} OR readOnly`, undefined],
    [`${from} NOT eventTime > ${early}`, undefined],
    [`${from} eventTime <> ${early}`, undefined],
    [`${from} eventTime NOT BETWEEN ${early} AND ${late}`, undefined],
    [`${from} eventTime > eventTime`, undefined],
    [`${from} eventTime > date_add('hour', CAST(random() * 10 AS bigint), ${early})`, undefined],
    [`${from} eventTime > (SELECT min(eventTime) FROM ${archiveId})`, undefined],
    [`${from} userIdentity.sessionContext.attributes.creationDate > ${early}`, undefined],
    [`${from} eventTime > ${early} UNION ALL ${from} readOnly`, undefined],
    [`${from} readOnly AND eventID IN (${from} eventTime > ${early})`, undefined],
    [`SELECT a.eventName FROM ${eventsId} a, ${archiveId} b WHERE a.eventTime > ${early}`, undefined],
    [`SELECT max(eventName) FROM ${eventsId} HAVING max(eventTime) > ${early}`, undefined],
  ])('says the times of which alone events can be seen: %s', (sql, times) => {
    expect(timesOf(sql)).toEqual(times ? { [eventsId]: times } : {});
  });

  it.each<[string, readonly (readonly [string, number])[]]>([
    [`${from} eventID = 'e01'`, []],
    [`SELECT * FROM ${eventsId}`, []],
    [`SELECT e.* FROM ${eventsId} AS e`, []],
    [`SELECT eventJson FROM ${eventsId} WHERE eventName = 'CreateBucket'`, [[eventsId, 1]]],
    [`${from} eventName = 'CreateBucket' AND eventJson LIKE '%logs%'`, [[eventsId, 1]]],
    [`${from} eventName = 'CreateBucket' OR eventJson LIKE '%logs%'`, [[eventsId, 10]]],
    [
      `SELECT eventJson FROM ${eventsId} WHERE CAST(eventVersion AS double) > 1 AND eventName = 'CreateBucket'`,
      [[eventsId, 1]],
    ],
    [
      `SELECT eventJsonChecksum FROM ${eventsId} WHERE eventName IN (SELECT eventName FROM ${archiveId})`,
      [[eventsId, 10]],
    ],
    [
      `SELECT (SELECT max(a.eventName) FROM ${archiveId} AS a WHERE a.eventJson = e.eventJson) FROM ${eventsId} AS e WHERE eventID = 'e01'`,
      [
        [eventsId, 1],
        [archiveId, 2],
      ],
    ],
    [`SELECT a.eventJson FROM ${eventsId} AS a, ${archiveId} AS b WHERE a.eventID = 'e01'`, [[eventsId, 10]]],
    [
      `SELECT eventJson FROM ${eventsId} WHERE eventID = 'e01' UNION ALL SELECT eventJson FROM ${eventsId} WHERE eventID = 'e02' UNION ALL ${from} readOnly`,
      [[eventsId, 2]],
    ],
  ])(
    'says of which events a record can be seen, as narrowly as the view alone can tell: %s',
    async (sql, counts) => {
      const translation = engine.translate(sql);
      if (translation.kind !== 'query') throw new Error(translation.message);
      const found = [];
      for (const [store, ids] of Object.entries(translation.apart)) {
        const reader = await engine.connection.runAndReadAll(`SELECT count(DISTINCT "id") FROM (${ids})`);
        found.push([store, Number(reader.getRowsJson()[0]?.[0])]);
      }
      expect(found).toEqual(counts);
    },
  );

  it('does not take a column that an alias calls eventID for it', () => {
    const names = columns.map(({ name }) =>
      name === 'eventID' ? 'other' : name === 'eventName' ? 'eventID' : name,
    );
    const sql = `SELECT other FROM ${eventsId} AS e(${names.map((name) => `"${name}"`).join(', ')}) WHERE eventID = 'e01'`;
    expect(idsOf(sql)).toEqual({});
  });

  it('reads members that are columns as well from there, also by other letters', () => {
    const sql = `SELECT e.USERIDENTITY.username, userIdentity.sessionContext.sessionIssuer.userName FROM ${eventsId} AS e`;
    const translation = engine.translate(sql);
    expect(translation).toMatchObject({ kind: 'query', sql: expect.not.stringContaining('struct_extract') });
  });

  it('gives the place of a refusal by line and column', () => {
    expect(engine.translate('SELECT 1,\n  2,\n  nothing')).toMatchObject({
      kind: 'refused',
      line: 3,
      column: 3,
    });
  });
});
