import type { Expression, Name, Query, QueryBody, SortItem } from '../ast.ts';
import { refuse } from '../refusal.ts';
import { commonType, engineType, isComparable, isOrderable, quoteName, typeText, unknown } from '../types.ts';
import type { SqlType } from '../types.ts';
import { coerce, unify } from './coerce.ts';
import { analyseSelect } from './select.ts';
import { sortKey, sortSuffix } from './window.ts';
import type { CommonTables, Place, Result, ResultColumn, Scope, Session, Typed } from './typed.ts';

interface Surroundings {
  readonly session: Session;
  readonly common: CommonTables;
  readonly outer: Scope | undefined;
}

function placeOutside({ session, common, outer }: Surroundings, clause: string): Place {
  const scope: Scope = { columns: [], parent: outer };
  return {
    session,
    scope,
    common,
    clause,
    aggregates: false,
    windows: false,
    trying: false,
    lambdaDepth: 0,
    namedWindows: new Map(),
  };
}

/** VALUES: every row has the same number of columns, each of one type. */
function analyseValues(rows: readonly Expression[], around: Surroundings): Result {
  const place = placeOutside(around, 'VALUES');
  const analysed = rows.map((row) =>
    (row.kind === 'row' ? row.items : [row]).map((item) => ({
      at: item.at,
      value: around.session.analyse(item, place),
    })),
  );
  const width = analysed[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (_none, index) => {
    const cells = analysed.map((row, position) => {
      if (row.length !== width)
        refuse(
          rows[position]?.at ?? 0,
          `This row of VALUES has ${row.length} columns, the first has ${width}`,
        );
      return row[index] as { at: number; value: Typed };
    });
    return unify(
      cells.map(({ value }) => value),
      cells[0]?.at ?? 0,
      'A column of VALUES',
    );
  });
  const alias = around.session.unique('v');
  const names = columns.map((_column, index) => quoteName(`c${index + 1}`));
  const written = analysed.map(
    (_row, position) => `(${columns.map((column) => column.values[position]?.sql).join(', ')})`,
  );
  const selected = columns.map(({ type }, index) =>
    type.kind === 'unknown'
      ? `CAST("${alias}".${names[index]} AS ${engineType(type)}) AS ${names[index]}`
      : `"${alias}".${names[index]} AS ${names[index]}`,
  );
  const from = `(VALUES ${written.join(', ')}) AS "${alias}"(${names.join(', ')})`;
  return {
    sql: `SELECT ${selected.join(', ')} FROM ${from}`,
    columns: columns.map(({ type }, index) => ({ physical: `c${index + 1}`, type })),
  };
}

/** A result whose columns have the types that a set operation gives them. */
function retyped(result: Result, types: readonly SqlType[], session: Session, at: number): string {
  const alias = session.unique('q');
  const columns = result.columns.map((column, index) => {
    const value = coerce(
      { sql: `"${alias}".${quoteName(column.physical)}`, type: column.type },
      types[index] ?? unknown,
      at,
      'A set operation',
    );
    return `${value.sql} AS ${quoteName(`c${index + 1}`)}`;
  });
  return `SELECT ${columns.join(', ')} FROM (${result.sql}) AS "${alias}"`;
}

function analyseSet(body: Extract<QueryBody, { kind: 'set' }>, around: Surroundings): Result {
  const { at, operator, all } = body;
  const left = analyseBody(body.left, [], around);
  const right = analyseBody(body.right, [], around);
  if (left.columns.length !== right.columns.length)
    refuse(at, `${operator} joins queries of ${left.columns.length} and ${right.columns.length} columns`);
  const types = left.columns.map((column, index) => {
    const other = right.columns[index]?.type as SqlType;
    const type = commonType(column.type, other);
    if (!type || (type.kind === 'timestamptz' && type.zone === 'mixed'))
      refuse(
        at,
        `Column ${index + 1} of ${operator} is both ${typeText(column.type).slice(0, 100)} and ${typeText(other).slice(0, 100)}`,
      );
    if (!(all && operator === 'UNION') && !isComparable(type))
      refuse(at, `${operator} is not supported for ${typeText(type)}`);
    return type;
  });
  const sides = [left, right].map((side) => `(${retyped(side, types, around.session, at)})`);
  return {
    sql: sides.join(` ${operator}${all ? ' ALL' : ''} `),
    columns: left.columns.map(({ name }, index): ResultColumn => {
      const column = { physical: `c${index + 1}`, type: types[index] as SqlType };
      return name === undefined ? column : { name, ...column };
    }),
  };
}

function analyseBody(body: QueryBody, orderBy: readonly SortItem[], around: Surroundings): Result {
  const { session, common, outer } = around;
  switch (body.kind) {
    case 'select':
      return analyseSelect(body, orderBy, session, common, outer);
    case 'values':
      return sortedOutside(analyseValues(body.rows, around), orderBy, around);
    case 'table': {
      const from = { kind: 'named', at: body.at, name: body.name } as const;
      const items = [{ kind: 'all', at: body.at }] as const;
      const select = {
        kind: 'select',
        at: body.at,
        distinct: false,
        items,
        from,
        groupByDistinct: false,
        windows: [],
      } as const;
      return analyseSelect(select, orderBy, session, common, outer);
    }
    case 'nested':
      return sortedOutside(session.analyseQuery(body.query, common, outer), orderBy, around);
    case 'set':
      return sortedOutside(analyseSet(body, around), orderBy, around);
  }
}

/** ORDER BY behind what is no SELECT: it sees the columns of the result alone. */
function sortedOutside(result: Result, orderBy: readonly SortItem[], around: Surroundings): Result {
  if (orderBy.length === 0) return result;
  const alias = around.session.unique('q');
  const read = (column: ResultColumn): string => `"${alias}".${quoteName(column.physical)}`;
  const columns = result.columns.map((column) => ({
    ...(column.name === undefined ? {} : { name: column.name }),
    sql: read(column),
    type: column.type,
  }));
  const place = { ...placeOutside(around, 'ORDER BY'), scope: { columns, parent: around.outer } };
  const sorted = orderBy.map((item) => {
    const { expression } = item;
    const isPosition = expression.kind === 'number' && /^\d+$/.test(expression.text);
    const column = isPosition
      ? columns[Number(expression.text) - 1]
      : around.session.analyse(expression, place);
    if (!column) refuse(expression.at, 'ORDER BY has the number of a column that there is not');
    if (!isOrderable(column.type))
      refuse(expression.at, `ORDER BY is not supported for ${typeText(column.type).slice(0, 100)}`);
    return `${sortKey(column)}${sortSuffix(item)}`;
  });
  const selected = result.columns.map((column) => `${read(column)} AS ${quoteName(column.physical)}`);
  return {
    ...result,
    sql: `SELECT ${selected.join(', ')} FROM (${result.sql}) AS "${alias}" ORDER BY ${sorted.join(', ')}`,
  };
}

function renamed(
  columns: readonly ResultColumn[],
  names: readonly Name[] | undefined,
  name: Name,
): ResultColumn[] {
  if (names && names.length !== columns.length)
    refuse(
      name.at,
      `The common table ${name.text} names ${names.length} columns, its query has ${columns.length}`,
    );
  return columns.map((column, index) => (names ? { ...column, name: names[index]?.text ?? '' } : column));
}

/** FETCH FIRST … WITH TIES: every row as good as the last of them. */
function withTies(query: Query, around: Surroundings): Result {
  if (query.orderBy.length === 0) refuse(query.at, 'FETCH FIRST … WITH TIES needs ORDER BY');
  if (query.body.kind !== 'select' || query.body.distinct)
    refuse(query.at, 'WITH TIES is supported behind SELECT without DISTINCT alone');
  const at = query.at;
  const call = {
    kind: 'call',
    at,
    name: 'rank',
    parameters: [],
    star: false,
    distinct: false,
    orderBy: [],
    ignoreNulls: false,
  } as const;
  const over = { at, partitionBy: [], orderBy: query.orderBy };
  for (const { expression } of query.orderBy)
    if (expression.kind === 'number')
      refuse(expression.at, 'Numbers in ORDER BY with WITH TIES are not supported; name the columns');
  const items = [...query.body.items, { kind: 'expression', at, expression: { ...call, over } } as const];
  const result = analyseBody({ ...query.body, items }, query.orderBy, around);
  const rank = result.columns.at(-1) as ResultColumn;
  const alias = around.session.unique('q');
  const columns = result.columns.slice(0, -1);
  const first = (query.offset ?? 0n) + (query.limit ?? 1n);
  if (query.offset !== undefined) refuse(at, 'OFFSET with WITH TIES is not supported');
  const selected = columns.map((column) => `"${alias}".${quoteName(column.physical)}`).join(', ');
  return {
    sql: `SELECT ${selected} FROM (${result.sql}) AS "${alias}" WHERE "${alias}".${quoteName(rank.physical)} <= ${first} ORDER BY "${alias}".${quoteName(rank.physical)}`,
    columns,
  };
}

/** A whole query: common tables, its body, ORDER BY, OFFSET and LIMIT. */
export function analyseQuery(
  query: Query,
  session: Session,
  outside: CommonTables,
  outer: Scope | undefined,
): Result {
  const common = new Map(outside);
  const tables: string[] = [];
  for (const { name, columns, query: inner } of query.with) {
    if (query.with.filter((other) => other.name.text.toLowerCase() === name.text.toLowerCase()).length > 1)
      refuse(name.at, `There are two common tables ${name.text}`);
    const result = session.analyseQuery(inner, common, undefined);
    const physical = session.unique('w');
    common.set(name.text.toLowerCase(), { physical, columns: renamed(result.columns, columns, name) });
    tables.push(`${quoteName(physical)} AS (${result.sql})`);
  }
  const around: Surroundings = { session, common, outer };
  const result = query.withTies ? withTies(query, around) : analyseBody(query.body, query.orderBy, around);
  const limit = query.limit === undefined || query.withTies ? '' : ` LIMIT ${query.limit}`;
  const offset = query.offset === undefined ? '' : ` OFFSET ${query.offset}`;
  const head = tables.length === 0 ? '' : `WITH ${tables.join(', ')} `;
  return { ...result, sql: `${head}${result.sql}${limit}${offset}` };
}
