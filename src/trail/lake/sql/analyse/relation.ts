import type { Alias, Expression, Name, Relation } from '../ast.ts';
import { readColumnType } from '../column-type.ts';
import { RefusedError, refuse } from '../refusal.ts';
import { bigint, quoteName, typeText, varchar } from '../types.ts';
import type { SqlType } from '../types.ts';
import { analyseCondition, compare } from './predicates.ts';
import { notInLambda, readField } from './typed.ts';
import type { CommonTables, Place, Scope, ScopeColumn, Session } from './typed.ts';

/** A relation of FROM as SQL, with the columns that it gives. */
export interface AnalysedRelation {
  readonly sql: string;
  readonly columns: readonly ScopeColumn[];
  /** Set for an event data store alone: its id, and the SQL of the columns that tell its events apart and when they were. */
  readonly store?: {
    readonly id: string;
    /** Which of the readings of the store it is. */
    readonly reading: number;
    readonly idColumn: string | undefined;
    readonly timeColumn: string | undefined;
    /** Columns that its view has only for who names them. */
    readonly apart: readonly string[];
  };
}

interface Surroundings {
  readonly session: Session;
  readonly common: CommonTables;
  readonly outer: Scope | undefined;
}

function placeIn(around: Surroundings, columns: readonly ScopeColumn[], clause: string): Place {
  const scope: Scope = { columns, parent: around.outer };
  return {
    session: around.session,
    scope,
    common: around.common,
    clause,
    aggregates: false,
    windows: false,
    trying: false,
    lambdaDepth: 0,
    namedWindows: new Map(),
  };
}

/** Gives the columns of a relation the names of its alias; where it names them, there are no others. */
function renamed(all: readonly ScopeColumn[], alias: Alias | undefined): ScopeColumn[] {
  if (!alias) return [...all];
  const columns = alias.columns ? all.filter(({ apart }) => !apart) : all;
  if (alias.columns && alias.columns.length !== columns.length)
    refuse(
      alias.name.at,
      `The alias ${alias.name.text} has ${alias.columns.length} columns, the relation ${columns.length}`,
    );
  return columns.map((column, index) => ({
    ...column,
    relation: alias.name.text,
    ...(alias.columns ? { name: alias.columns[index]?.text ?? '' } : {}),
  }));
}

function flatOf(paths: readonly string[], column: string, read: (name: string) => string) {
  const own = paths.filter((path) => path.startsWith(`${column}.`));
  if (own.length === 0) return {};
  return { flat: Object.fromEntries(own.map((path) => [path.slice(column.length + 1), read(path)])) };
}

function named(relation: Extract<Relation, { kind: 'named' }>, around: Surroundings): AnalysedRelation {
  const { name, alias } = relation;
  const engineAlias = around.session.unique('r');
  const common = around.common.get(name.text.toLowerCase());
  if (common) {
    const columns = common.columns.map((column) => ({
      ...(column.name === undefined ? {} : { name: column.name }),
      relation: name.text,
      sql: `"${engineAlias}".${quoteName(column.physical)}`,
      type: column.type,
    }));
    return { sql: `${quoteName(common.physical)} AS "${engineAlias}"`, columns: renamed(columns, alias) };
  }
  const id = name.text.slice(name.text.lastIndexOf('/') + 1);
  const table = around.session.tables(id);
  if (!table) throw new RefusedError(name.at, `There is no event data store ${name.text.slice(0, 120)}`, id);
  const before = around.session.stores.get(id) ?? [];
  const read = (column: string): string => `"${engineAlias}".${quoteName(column)}`;
  const sql = `${quoteName(table.view)} AS "${engineAlias}"`;
  const idColumn = table.idColumn === undefined ? undefined : read(table.idColumn);
  const events = { from: sql, id: idColumn ?? 'NULL', where: () => [] };
  around.session.stores.set(id, [...before, { events }]);
  const columns = table.columns.map((column) => ({
    name: column.name,
    relation: name.text,
    sql: read(column.name),
    type: readColumnType(column.type),
    ...flatOf(table.flat ?? [], column.name, read),
  }));
  const { apart = [] } = table;
  const hidden = apart.map((column) => ({
    name: column,
    relation: name.text,
    sql: read(column),
    type: varchar,
    apart: { store: id, reading: before.length },
  }));
  return {
    sql,
    columns: renamed([...columns, ...hidden], alias),
    store: {
      id,
      reading: before.length,
      idColumn,
      timeColumn: table.timeColumn === undefined ? undefined : read(table.timeColumn),
      apart: apart.map(read),
    },
  };
}

function derived(
  relation: Extract<Relation, { kind: 'derived' }>,
  around: Surroundings,
  left: readonly ScopeColumn[],
): AnalysedRelation {
  const outer: Scope | undefined = relation.lateral ? { columns: left, parent: around.outer } : around.outer;
  const result = around.session.analyseQuery(relation.query, around.common, outer);
  const alias = around.session.unique('r');
  const columns = result.columns.map((column) => ({
    ...(column.name === undefined ? {} : { name: column.name }),
    sql: `"${alias}".${quoteName(column.physical)}`,
    type: column.type,
  }));
  return {
    sql: `${relation.lateral ? 'LATERAL ' : ''}(${result.sql}) AS "${alias}"`,
    columns: renamed(columns, relation.alias),
  };
}

interface Unnested {
  readonly list: string;
  readonly elements: readonly { readonly type: SqlType; readonly read: (element: string) => string }[];
}

function unnested(expression: Expression, place: Place): Unnested {
  const { sql, type } = place.session.analyse(expression, place);
  if (type.kind === 'map')
    return {
      list: `map_entries(${sql})`,
      elements: [
        { type: type.key, read: (element) => `struct_extract(${element}, 'key')` },
        { type: type.value, read: (element) => `struct_extract(${element}, 'value')` },
      ],
    };
  if (type.kind !== 'array')
    refuse(expression.at, `UNNEST takes arrays and maps, not ${typeText(type).slice(0, 100)}`);
  if (type.element.kind === 'row')
    return {
      list: sql,
      elements: type.element.fields.map((field) => ({
        type: field.type,
        read: (element) => readField(element, field),
      })),
    };
  return { list: sql, elements: [{ type: type.element, read: (element) => element }] };
}

/** UNNEST: several lists side by side, the shorter ones filled with NULL; maps and rows become several columns. */
function unnest(
  relation: Extract<Relation, { kind: 'unnest' }>,
  around: Surroundings,
  left: AnalysedRelation | undefined,
): AnalysedRelation {
  const before: Scope = {
    columns: left?.columns ?? [],
    parent: around.outer,
  };
  const place = placeIn({ ...around, outer: before }, [], 'UNNEST');
  const lists = relation.expressions.map((expression) => unnested(expression, place));
  const [inner, outer] = [around.session.unique('u'), around.session.unique('r')];
  const longest = `greatest(${lists.map(({ list }) => `len(${list})`).join(', ')}, 0)`;
  const rows = [
    ...lists.map(({ list }, index) => `unnest(${list}) AS "u${index}"`),
    `unnest(generate_series(1, ${longest})) AS "n"`,
  ];
  const parts = lists.flatMap(({ elements }, index) =>
    elements.map(({ type, read }) => ({ type, sql: read(`"${inner}"."u${index}"`) })),
  );
  if (relation.ordinality) parts.push({ type: bigint, sql: `CAST("${inner}"."n" AS BIGINT)` });
  const selected = parts.map(({ sql }, index) => `${sql} AS "c${index + 1}"`).join(', ');
  const columns = parts.map(({ type }, index) => ({ sql: `"${outer}"."c${index + 1}"`, type }));
  return {
    sql: `LATERAL (SELECT ${selected} FROM (SELECT ${rows.join(', ')}) AS "${inner}") AS "${outer}"`,
    columns: renamed(columns, relation.alias),
  };
}

type Join = Extract<Relation, { kind: 'join' }>;

function usingColumn(name: Name, columns: readonly ScopeColumn[], side: string): ScopeColumn {
  const found = columns.filter(
    (column) => !column.apart && column.name?.toLowerCase() === name.text.toLowerCase(),
  );
  const [column, ...more] = found;
  if (!column) refuse(name.at, `There is no column ${name.text} on the ${side} of this join`);
  if (more.length > 0) refuse(name.at, `The column ${name.text} is ambiguous on the ${side} of this join`);
  return column;
}

/** USING: the named columns come first and once, then the others of both sides. */
function joinUsing(
  join: Join,
  names: readonly Name[],
  left: AnalysedRelation,
  right: AnalysedRelation,
): { readonly condition: string; readonly columns: ScopeColumn[] } {
  const pairs = names.map((name) => ({
    name,
    one: usingColumn(name, left.columns, 'left'),
    two: usingColumn(name, right.columns, 'right'),
  }));
  const conditions = pairs.map(({ name, one, two }) => compare('=', one, two, name.at).sql);
  const merged = pairs.map(({ name, one, two }): ScopeColumn => {
    const sql =
      join.type === 'FULL' ? `coalesce(${one.sql}, ${two.sql})` : join.type === 'RIGHT' ? two.sql : one.sql;
    return { name: name.text, sql, type: one.type };
  });
  const used = new Set(pairs.flatMap(({ one, two }) => [one, two]));
  const rest = [...left.columns, ...right.columns].filter((column) => !used.has(column));
  return { condition: conditions.join(' AND '), columns: [...merged, ...rest] };
}

function isLateral(relation: Relation): boolean {
  return relation.kind === 'unnest' || (relation.kind === 'derived' && relation.lateral);
}

function isTrue(expression: Expression | undefined): boolean {
  return expression?.kind === 'boolean' && expression.value;
}

function join(relation: Join, around: Surroundings, before: AnalysedRelation | undefined): AnalysedRelation {
  const left = analyseRelation(relation.left, around, before);
  const seen: AnalysedRelation = {
    sql: '',
    columns: [...(before?.columns ?? []), ...left.columns],
  };
  const right = analyseRelation(relation.right, around, seen);
  const columns = [...left.columns, ...right.columns];
  const lateral = isLateral(relation.right);
  if (lateral && (relation.type === 'RIGHT' || relation.type === 'FULL'))
    refuse(relation.at, `${relation.type} JOIN with UNNEST or LATERAL is not supported`);
  if (lateral && relation.type === 'LEFT' && !isTrue(relation.on))
    refuse(relation.at, 'LEFT JOIN with UNNEST or LATERAL takes ON TRUE alone');
  const rightSql = relation.right.kind === 'join' ? `(${right.sql})` : right.sql;
  if (relation.type === 'CROSS') return { sql: `${left.sql} CROSS JOIN ${rightSql}`, columns };
  if (relation.using) {
    const using = joinUsing(relation, relation.using, left, right);
    return {
      sql: `${left.sql} ${relation.type} JOIN ${rightSql} ON ${using.condition}`,
      columns: using.columns,
    };
  }
  const place = placeIn(around, columns, 'ON');
  const condition = relation.on ? analyseCondition(relation.on, place).sql : 'TRUE';
  if (relation.type !== 'INNER' && condition.includes(notInLambda))
    refuse(relation.at, `A subquery in ON of a ${relation.type} JOIN is not supported`);
  return { sql: `${left.sql} ${relation.type} JOIN ${rightSql} ON ${condition}`, columns };
}

function analyseRelation(
  relation: Relation,
  around: Surroundings,
  left: AnalysedRelation | undefined,
): AnalysedRelation {
  switch (relation.kind) {
    case 'named':
      return named(relation, around);
    case 'derived':
      return derived(relation, around, left?.columns ?? []);
    case 'unnest':
      return unnest(relation, around, left);
    case 'aliased': {
      const inner = analyseRelation(relation.relation, around, left);
      return { ...inner, sql: `(${inner.sql})`, columns: renamed(inner.columns, relation.alias) };
    }
    case 'join':
      return join(relation, around, left);
  }
}

/** What stands behind FROM. */
export function analyseFrom(
  relation: Relation,
  session: Session,
  common: CommonTables,
  outer: Scope | undefined,
): AnalysedRelation {
  return analyseRelation(relation, { session, common, outer }, undefined);
}
