import type {
  CommonTable,
  Expression,
  GroupingElement,
  Query,
  QueryBody,
  SelectItem,
  SelectQuery,
} from '../ast.ts';
import { bounds } from '../bounds.ts';
import { refuse } from '../refusal.ts';
import { parseSortItems, parseWindow } from './call.ts';
import { openCursor, parseList, parseName, parseNames, seesBareAlias, unexpected } from './cursor.ts';
import type { Cursor } from './cursor.ts';
import { parseExpression } from './expression.ts';
import { parseRelations, parseTableName } from './relation.ts';

function parseWith(cursor: Cursor): CommonTable[] {
  if (!cursor.takes('WITH')) return [];
  if (cursor.sees('RECURSIVE')) refuse(cursor.peek().at, 'WITH RECURSIVE is not supported');
  return parseList(cursor, () => {
    const name = parseName(cursor, 'a name');
    const columns = cursor.sees('(') ? { columns: parseNames(cursor) } : {};
    cursor.expect('AS');
    cursor.expect('(');
    const query = parseQuery(cursor);
    cursor.expect(')');
    return { name, ...columns, query };
  });
}

/** `prefix.*`: undefined if this item is no such thing. */
function parsePrefixedAll(cursor: Cursor, expression: Expression): SelectItem | undefined {
  const { at } = cursor.peek();
  if (!cursor.takes('.', '*')) return undefined;
  const aliases = cursor.takes('AS') ? { aliases: parseNames(cursor) } : {};
  return { kind: 'all', at, of: expression, ...aliases };
}

function parseSelectItem(cursor: Cursor): SelectItem {
  const { at } = cursor.peek();
  if (cursor.takes('*')) return { kind: 'all', at };
  const expression = parseExpression(cursor);
  const all = parsePrefixedAll(cursor, expression);
  if (all) return all;
  if (cursor.takes('AS')) return { kind: 'expression', at, expression, alias: parseName(cursor, 'an alias') };
  if (!seesBareAlias(cursor)) return { kind: 'expression', at, expression };
  return { kind: 'expression', at, expression, alias: parseName(cursor, 'an alias') };
}

/** One grouping set: an expression, or any number of them in parentheses. */
function parseGroupingSet(cursor: Cursor): Expression[] {
  if (cursor.takes('(', ')')) return [];
  const expression = parseExpression(cursor);
  return expression.kind === 'row' ? [...expression.items] : [expression];
}

function parseGroupingElement(cursor: Cursor): GroupingElement {
  const { at } = cursor.peek();
  const several = cursor.takes('ROLLUP')
    ? 'rollup'
    : cursor.takes('CUBE')
      ? 'cube'
      : cursor.takes('GROUPING', 'SETS')
        ? 'sets'
        : undefined;
  if (several === undefined) return { kind: 'simple', at, expressions: parseGroupingSet(cursor) };
  cursor.expect('(');
  const sets = cursor.sees(')') ? [] : parseList(cursor, () => parseGroupingSet(cursor));
  cursor.expect(')');
  return { kind: several, at, sets };
}

function parseGroupBy(cursor: Cursor): Pick<SelectQuery, 'groupBy' | 'groupByDistinct'> {
  if (!cursor.takes('GROUP', 'BY')) return { groupByDistinct: false };
  const groupByDistinct = cursor.takes('DISTINCT');
  if (!groupByDistinct && cursor.sees('ALL') && cursor.peek(1).kind !== 'end') cursor.takes('ALL');
  return { groupBy: parseList(cursor, () => parseGroupingElement(cursor)), groupByDistinct };
}

function parseNamedWindows(cursor: Cursor): SelectQuery['windows'] {
  if (!cursor.takes('WINDOW')) return [];
  return parseList(cursor, () => {
    const name = parseName(cursor, 'a window name');
    cursor.expect('AS');
    return { name, window: parseWindow(cursor, parseExpression) };
  });
}

function parseSelect(cursor: Cursor): SelectQuery {
  const { at } = cursor.expect('SELECT');
  const distinct = cursor.takes('DISTINCT');
  if (!distinct) cursor.takes('ALL');
  const items = parseList(cursor, () => parseSelectItem(cursor));
  if (cursor.sees('INTO')) refuse(cursor.peek().at, 'SELECT INTO is not supported');
  const from = cursor.takes('FROM') ? { from: parseRelations(cursor) } : {};
  const where = cursor.takes('WHERE') ? { where: parseExpression(cursor) } : {};
  const groupBy = parseGroupBy(cursor);
  const having = cursor.takes('HAVING') ? { having: parseExpression(cursor) } : {};
  const windows = parseNamedWindows(cursor);
  return { kind: 'select', at, distinct, items, ...from, ...where, ...groupBy, ...having, windows };
}

function parseQueryPrimary(cursor: Cursor): QueryBody {
  const { at } = cursor.peek();
  if (cursor.sees('SELECT')) return parseSelect(cursor);
  if (cursor.takes('VALUES'))
    return { kind: 'values', at, rows: parseList(cursor, () => parseExpression(cursor)) };
  if (cursor.takes('TABLE')) return { kind: 'table', at, name: parseTableName(cursor) };
  if (!cursor.takes('(')) unexpected(cursor.peek(), 'SELECT, VALUES or a query in parentheses');
  const query = parseQuery(cursor);
  cursor.expect(')');
  return { kind: 'nested', at, query };
}

function parseSets(
  cursor: Cursor,
  operators: readonly ('UNION' | 'INTERSECT' | 'EXCEPT')[],
  rule: (cursor: Cursor) => QueryBody,
): QueryBody {
  let left = rule(cursor);
  for (let count = 1; ; count += 1) {
    const { at } = cursor.peek();
    const operator = operators.find((candidate) => cursor.takes(candidate));
    if (operator === undefined) return left;
    if (count > bounds.operatorsInARow) refuse(at, `More than ${bounds.operatorsInARow} queries in a row`);
    const all = cursor.takes('ALL');
    if (!all) cursor.takes('DISTINCT');
    if (cursor.sees('CORRESPONDING')) refuse(cursor.peek().at, 'CORRESPONDING is not supported');
    left = { kind: 'set', at, operator, all, left, right: rule(cursor) };
  }
}

function parseCount(cursor: Cursor, what: string): bigint {
  const token = cursor.next();
  if (token.kind !== 'number' || !/^\d{1,18}$/.test(token.text))
    unexpected(token, `a whole number for ${what}`);
  return BigInt(token.text);
}

function parseRowBounds(cursor: Cursor): Pick<Query, 'offset' | 'limit' | 'withTies'> {
  let offset: Pick<Query, 'offset'> = {};
  if (cursor.takes('OFFSET')) {
    offset = { offset: parseCount(cursor, 'OFFSET') };
    if (!cursor.takes('ROWS')) cursor.takes('ROW');
  }
  if (cursor.takes('LIMIT')) {
    if (cursor.takes('ALL')) return { ...offset, withTies: false };
    return { ...offset, limit: parseCount(cursor, 'LIMIT'), withTies: false };
  }
  if (!cursor.takes('FETCH')) return { ...offset, withTies: false };
  if (!cursor.takes('FIRST')) cursor.expect('NEXT');
  const limit = cursor.peek().kind === 'number' ? parseCount(cursor, 'FETCH') : 1n;
  if (!cursor.takes('ROWS')) cursor.expect('ROW');
  const { at } = cursor.peek();
  if (limit === 0n) refuse(at, 'FETCH FIRST takes at least one row');
  if (cursor.takes('WITH', 'TIES')) return { ...offset, limit, withTies: true };
  cursor.expect('ONLY');
  return { ...offset, limit, withTies: false };
}

function parseQuery(cursor: Cursor): Query {
  return cursor.deeper(() => {
    const { at } = cursor.peek();
    const common = parseWith(cursor);
    const body = parseSets(cursor, ['UNION', 'EXCEPT'], (inner) =>
      parseSets(inner, ['INTERSECT'], parseQueryPrimary),
    );
    const orderBy = cursor.takes('ORDER', 'BY') ? parseSortItems(cursor, parseExpression) : [];
    return { at, with: common, body, orderBy, ...parseRowBounds(cursor) };
  });
}

function refuseOtherStatement(cursor: Cursor): void {
  const token = cursor.peek();
  if (token.kind === 'end') refuse(token.at, 'The statement is empty');
  if (['SELECT', 'WITH', 'VALUES', 'TABLE', '('].includes(token.keyword || token.text)) return;
  if (token.kind === 'word')
    refuse(token.at, `Only SELECT statements are supported, not ${token.keyword.slice(0, 40)}`);
  unexpected(token, 'SELECT');
}

/** Parses one statement, with or without a semicolon at its end. */
export function parseStatement(text: string): Query {
  const cursor = openCursor(text);
  cursor.parseQuery = () => parseQuery(cursor);
  refuseOtherStatement(cursor);
  const query = parseQuery(cursor);
  const semicolon = cursor.takes(';');
  const token = cursor.peek();
  if (token.kind === 'end') return query;
  if (semicolon) refuse(token.at, 'Only one statement is taken at a time');
  unexpected(token, 'the end of the statement');
}
