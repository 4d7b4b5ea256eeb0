import type { Expression, GroupingElement, Name, SelectItem, SelectQuery, SortItem } from '../ast.ts';
import { isAggregate } from '../functions/call.ts';
import { refuse } from '../refusal.ts';
import { engineType, isComparable, isOrderable, quoteName, typeText } from '../types.ts';
import type { SqlType } from '../types.ts';
import { columnsOfRelation } from './names.ts';
import { analyseCondition } from './predicates.ts';
import { analyseFrom } from './relation.ts';
import { noteSeen } from './seen-events.ts';
import { readField } from './typed.ts';
import type {
  CommonTables,
  Place,
  Result,
  ResultColumn,
  Scope,
  ScopeColumn,
  Session,
  Typed,
  WindowParts,
} from './typed.ts';
import { analyseWindow, sortKey, sortSuffix } from './window.ts';

/** A column of a SELECT, before it is written. */
interface Selected {
  readonly name?: string;
  readonly value: Typed;
  readonly at: number;
}

/** Whether an expression holds an aggregate of its own query. */
function holdsAggregate(expression: unknown): boolean {
  if (typeof expression !== 'object' || expression === null) return false;
  if (Array.isArray(expression)) return expression.some(holdsAggregate);
  if ('body' in expression && 'with' in expression) return false;
  const node = expression as Expression;
  if (node.kind === 'call' && isAggregate(node)) return true;
  return Object.values(expression).some(holdsAggregate);
}

function nameOf(expression: Expression): { readonly name?: string } {
  if (expression.kind === 'name' || expression.kind === 'field') return { name: expression.name.text };
  return {};
}

function aliased(
  columns: readonly ScopeColumn[],
  aliases: readonly Name[] | undefined,
  at: number,
): ScopeColumn[] {
  if (aliases && aliases.length !== columns.length)
    refuse(at, `There are ${aliases.length} aliases for ${columns.length} columns`);
  return columns.map((column, index) => (aliases ? { ...column, name: aliases[index]?.text ?? '' } : column));
}

function allOf(item: Extract<SelectItem, { kind: 'all' }>, place: Place): ScopeColumn[] {
  if (!item.of) {
    if (place.scope.columns.length === 0) refuse(item.at, 'SELECT * needs FROM');
    return place.scope.columns.filter((column) => !column.apart);
  }
  const relation = columnsOfRelation(item.of, place.scope);
  if (relation) return aliased(relation, item.aliases, item.at);
  const { sql, type } = place.session.analyse(item.of, place);
  if (type.kind !== 'row')
    refuse(item.at, `.* takes a relation or a row, not ${typeText(type).slice(0, 100)}`);
  const fields = type.fields.map((field) => ({
    ...(field.name === undefined ? {} : { name: field.name }),
    sql: readField(sql, field),
    type: field.type,
  }));
  return aliased(fields, item.aliases, item.at);
}

function selectItems(items: readonly SelectItem[], place: Place): Selected[] {
  return items.flatMap((item): Selected[] => {
    if (item.kind === 'all') {
      return allOf(item, place).map((column) => {
        const loose = { name: column.name ?? 'that * stands for', at: item.at };
        const grouped = place.scope.groups?.has(column.sql) === true;
        const value = grouped
          ? { sql: column.sql, type: column.type }
          : { sql: column.sql, type: column.type, loose };
        return { ...(column.name === undefined ? {} : { name: column.name }), value, at: item.at };
      });
    }
    const value = place.session.analyse(item.expression, place);
    return [{ ...(item.alias ? { name: item.alias.text } : nameOf(item.expression)), value, at: item.at }];
  });
}

interface Grouping {
  readonly sql: string;
  readonly keys: ReadonlySet<string>;
}

/** An item of GROUP BY: an expression, or the number of a column of SELECT. */
function groupingKey(expression: Expression, query: SelectQuery, place: Place): string {
  let target = expression;
  if (expression.kind === 'number' && /^\d+$/.test(expression.text)) {
    const item = query.items[Number(expression.text) - 1];
    if (query.items.some(({ kind }) => kind === 'all'))
      refuse(expression.at, 'GROUP BY with a number and SELECT * is not supported; name the columns');
    if (item?.kind !== 'expression')
      refuse(expression.at, `GROUP BY ${expression.text.slice(0, 20)} is not a column of SELECT`);
    if (holdsAggregate(item.expression)) refuse(expression.at, 'GROUP BY cannot hold an aggregate');
    target = item.expression;
  }
  const { sql, type } = place.session.analyse(target, place);
  if (!isComparable(type)) refuse(expression.at, `GROUP BY is not supported for ${typeText(type)}`);
  return type.kind === 'unknown' ? `CAST(NULL AS ${engineType(type)})` : sql;
}

function groupingElement(
  element: GroupingElement,
  query: SelectQuery,
  place: Place,
  keys: Set<string>,
): string {
  const key = (expression: Expression): string => {
    const sql = groupingKey(expression, query, place);
    keys.add(sql);
    return sql;
  };
  if (element.kind === 'simple') {
    const written = element.expressions.map(key);
    return written.length === 1 ? (written[0] ?? '') : `(${written.join(', ')})`;
  }
  const columns = new Set(element.sets.flat()).size;
  if (element.kind === 'cube' && columns > 12) refuse(element.at, 'CUBE takes at most 12 columns');
  const sets = element.sets.map((set) => {
    const written = set.map(key);
    return written.length === 1 ? (written[0] ?? '') : `(${written.join(', ')})`;
  });
  return `${element.kind === 'sets' ? 'GROUPING SETS' : element.kind.toUpperCase()} (${sets.join(', ')})`;
}

function analyseGrouping(query: SelectQuery, place: Place): Grouping | undefined {
  const aggregated =
    query.having !== undefined ||
    query.items.some((item) => item.kind === 'expression' && holdsAggregate(item.expression));
  if (!query.groupBy) return aggregated ? { sql: ' GROUP BY ()', keys: new Set() } : undefined;
  if (query.groupByDistinct) refuse(query.at, 'GROUP BY DISTINCT is not supported');
  const keys = new Set<string>();
  const elements = query.groupBy.map((element) =>
    groupingElement(element, query, { ...place, clause: 'GROUP BY' }, keys),
  );
  const written = elements.filter((element) => element !== '()');
  // One group over everything is written out, since nothing of an aggregate may be left in what is written.
  return { sql: written.length === 0 ? ' GROUP BY ()' : ` GROUP BY ${written.join(', ')}`, keys };
}

function checkGrouped(value: Typed): void {
  if (value.loose)
    refuse(value.loose.at, `The column ${value.loose.name} must be an aggregate or appear in GROUP BY`);
}

/** An item of ORDER BY: the number of a column of SELECT, its alias, or an expression. */
function sortItem(
  item: SortItem,
  selected: readonly Selected[],
  place: Place,
  query: SelectQuery,
  grouped: boolean,
): string {
  const { expression } = item;
  let position: number | undefined;
  let type: SqlType | undefined;
  if (expression.kind === 'number' && /^\d+$/.test(expression.text)) {
    position = Number(expression.text);
    type = selected[position - 1]?.value.type;
    if (!type) refuse(expression.at, `ORDER BY ${expression.text.slice(0, 20)} is not a column of SELECT`);
  } else {
    const value = place.session.analyse(expression, place);
    if (grouped) checkGrouped(value);
    type = value.type;
    const index = selected.findIndex((candidate) => candidate.value.sql === value.sql);
    position = index < 0 ? undefined : index + 1;
    if (position === undefined && query.distinct)
      refuse(expression.at, 'With SELECT DISTINCT, ORDER BY takes columns of SELECT alone');
    if (position === undefined) {
      if (!isOrderable(type))
        refuse(expression.at, `ORDER BY is not supported for ${typeText(type).slice(0, 100)}`);
      return `${sortKey(value)}${sortSuffix(item)}`;
    }
  }
  if (!isOrderable(type))
    refuse(expression.at, `ORDER BY is not supported for ${typeText(type).slice(0, 100)}`);
  return `${position}${sortSuffix(item)}`;
}

function aliasesOf(selected: readonly Selected[]): Map<string, Typed> {
  const names = new Map<string, Typed>();
  for (const { name, value } of selected) {
    if (name !== undefined && !names.has(name.toLowerCase())) names.set(name.toLowerCase(), value);
  }
  return names;
}

function namedWindows(query: SelectQuery, place: Place): ReadonlyMap<string, WindowParts> {
  const windows = new Map<string, WindowParts>();
  for (const { name, window } of query.windows) {
    if (windows.has(name.text.toLowerCase())) refuse(name.at, `There are two windows ${name.text}`);
    windows.set(name.text.toLowerCase(), analyseWindow(window, { ...place, namedWindows: windows }));
  }
  return windows;
}

/** Analyses SELECT … with the ORDER BY behind it, which sees the columns of FROM as well as the aliases. */
export function analyseSelect(
  query: SelectQuery,
  orderBy: readonly SortItem[],
  session: Session,
  common: CommonTables,
  outer: Scope | undefined,
): Result {
  const from = query.from ? analyseFrom(query.from, session, common, outer) : undefined;
  const scope: Scope = {
    columns: from?.columns ?? [],
    parent: outer,
  };
  const base: Place = {
    session,
    scope,
    common,
    clause: 'WHERE',
    aggregates: false,
    windows: false,
    trying: false,
    lambdaDepth: 0,
    namedWindows: new Map(),
  };
  const where = query.where ? ` WHERE ${analyseCondition(query.where, base).sql}` : '';
  if (from?.store) noteSeen(from.store, query.where, base);
  const grouping = analyseGrouping(query, base);
  if (!grouping && orderBy.some(({ expression }) => holdsAggregate(expression)))
    refuse(
      orderBy[0]?.expression.at ?? query.at,
      'An aggregate in ORDER BY needs GROUP BY or an aggregate in SELECT',
    );
  if (grouping) scope.groups = grouping.keys;
  const inSelect: Place = { ...base, clause: 'SELECT', aggregates: grouping !== undefined, windows: true };
  const windowed: Place = { ...inSelect, namedWindows: namedWindows(query, inSelect) };
  const selected = selectItems(query.items, windowed);
  const having =
    query.having && analyseCondition(query.having, { ...inSelect, clause: 'HAVING', windows: false });
  if (grouping)
    for (const value of [...selected.map((item) => item.value), ...(having ? [having] : [])])
      checkGrouped(value);
  if (query.distinct) {
    for (const { value, at } of selected)
      if (!isComparable(value.type))
        refuse(at, `SELECT DISTINCT is not supported for ${typeText(value.type)}`);
  }
  const sortScope: Scope = { ...scope, names: aliasesOf(selected) };
  if (scope.groups) sortScope.groups = scope.groups;
  const sortPlace: Place = { ...windowed, scope: sortScope, clause: 'ORDER BY' };
  const sorted = orderBy.map((item) => sortItem(item, selected, sortPlace, query, grouping !== undefined));
  const columns = selected.map(({ value, name }, index): ResultColumn => {
    const physical = `c${index + 1}`;
    return name === undefined ? { physical, type: value.type } : { name, physical, type: value.type };
  });
  const written = selected.map(({ value }, index) => {
    const sql = value.type.kind === 'unknown' ? `CAST(${value.sql} AS ${engineType(value.type)})` : value.sql;
    return `${sql} AS ${quoteName(`c${index + 1}`)}`;
  });
  const order = sorted.length === 0 ? '' : ` ORDER BY ${sorted.join(', ')}`;
  const source = from ? ` FROM ${from.sql}` : '';
  const condition = having ? ` HAVING ${having.sql}` : '';
  const sql = `SELECT ${query.distinct ? 'DISTINCT ' : ''}${written.join(', ')}${source}${where}${grouping?.sql ?? ''}${condition}${order}`;
  return { sql, columns };
}
