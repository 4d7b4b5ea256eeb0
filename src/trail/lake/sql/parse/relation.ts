import type { Alias, Name, Relation } from '../ast.ts';
import { bounds } from '../bounds.ts';
import { refuse } from '../refusal.ts';
import { parseList, parseName, parseNames, seesBareAlias } from './cursor.ts';
import type { Cursor } from './cursor.ts';
import { parseExpression, seesQueryInParentheses } from './expression.ts';

const storeId = /[0-9A-Za-z]+(?:-[0-9A-Za-z]+)+/y;

/**
 * The name behind FROM. CloudTrail Lake takes the id of an event data store without quotes, which Trino would
 * read as numbers and minus signs, so here the text itself is looked at.
 */
export function parseTableName(cursor: Cursor): Name {
  const { at, kind } = cursor.peek();
  storeId.lastIndex = at;
  const id = kind === 'word' || kind === 'number' ? storeId.exec(cursor.text)?.[0] : undefined;
  if (id !== undefined) {
    cursor.skipTo(at + id.length);
    return { at, text: id };
  }
  if (kind === 'number') {
    const digits = /[0-9A-Za-z]+/y;
    digits.lastIndex = at;
    const text = digits.exec(cursor.text)?.[0] ?? '';
    cursor.skipTo(at + text.length);
    return { at, text };
  }
  const name = parseName(cursor, 'the id of an event data store');
  if (cursor.sees('.'))
    refuse(at, 'Catalogs and schemas in names are not supported; FROM takes the id of an event data store');
  if (cursor.sees('(')) refuse(at, `Table functions such as ${name.text.slice(0, 40)} are not supported`);
  return name;
}

function parseAlias(cursor: Cursor): { readonly alias?: Alias } {
  if (!cursor.takes('AS') && !seesBareAlias(cursor)) return {};
  const name = parseName(cursor, 'an alias');
  return { alias: { name, ...(cursor.sees('(') ? { columns: parseNames(cursor) } : {}) } };
}

function parsePrimary(cursor: Cursor): Relation {
  const { at } = cursor.peek();
  if (cursor.takes('LATERAL')) {
    cursor.expect('(');
    const query = cursor.parseQuery();
    cursor.expect(')');
    return { kind: 'derived', at, lateral: true, query, ...parseAlias(cursor) };
  }
  if (cursor.takes('UNNEST')) {
    cursor.expect('(');
    const expressions = parseList(cursor, () => parseExpression(cursor));
    cursor.expect(')');
    const ordinality = cursor.takes('WITH', 'ORDINALITY');
    return { kind: 'unnest', at, expressions, ordinality, ...parseAlias(cursor) };
  }
  if (cursor.sees('TABLE', '(')) refuse(at, 'Table functions are not supported');
  if (cursor.sees('JSON_TABLE')) refuse(at, 'JSON_TABLE is not supported');
  if (!cursor.sees('(')) return { kind: 'named', at, name: parseTableName(cursor), ...parseAlias(cursor) };
  if (seesQueryInParentheses(cursor)) {
    cursor.expect('(');
    const query = cursor.parseQuery();
    cursor.expect(')');
    return { kind: 'derived', at, lateral: false, query, ...parseAlias(cursor) };
  }
  cursor.expect('(');
  const relation = parseRelation(cursor);
  cursor.expect(')');
  const { alias } = parseAlias(cursor);
  return alias ? { kind: 'aliased', at, relation, alias } : relation;
}

function parseSampled(cursor: Cursor): Relation {
  const relation = cursor.deeper(() => parsePrimary(cursor));
  const { at, keyword } = cursor.peek();
  if (keyword === 'TABLESAMPLE') refuse(at, 'TABLESAMPLE is not supported');
  if (keyword === 'MATCH_RECOGNIZE') refuse(at, 'MATCH_RECOGNIZE is not supported');
  if (cursor.sees('FOR')) refuse(at, 'FOR VERSION and FOR TIMESTAMP are not supported');
  return relation;
}

type JoinType = 'INNER' | 'LEFT' | 'RIGHT' | 'FULL';

function takeJoin(cursor: Cursor): JoinType | undefined {
  if (cursor.takes('JOIN') || cursor.takes('INNER', 'JOIN')) return 'INNER';
  for (const side of ['LEFT', 'RIGHT', 'FULL'] as const) {
    if (cursor.takes(side, 'JOIN') || cursor.takes(side, 'OUTER', 'JOIN')) return side;
  }
  return undefined;
}

/** What follows ON or USING; the right side of a join may itself be a join, whose condition comes first. */
function parseJoin(cursor: Cursor, left: Relation, type: JoinType, at: number): Relation {
  const right = cursor.deeper(() => parseRelation(cursor));
  if (cursor.takes('USING')) return { kind: 'join', at, type, left, right, using: parseNames(cursor) };
  cursor.expect('ON');
  return { kind: 'join', at, type, left, right, on: parseExpression(cursor) };
}

function parseRelation(cursor: Cursor): Relation {
  let left = parseSampled(cursor);
  for (let count = 1; ; count += 1) {
    const { at } = cursor.peek();
    if (count > bounds.nesting) refuse(at, `More than ${bounds.nesting} joins in a row`);
    if (cursor.sees('NATURAL')) refuse(at, 'NATURAL JOIN is not supported; name the columns with USING');
    if (cursor.takes('CROSS', 'JOIN')) {
      left = { kind: 'join', at, type: 'CROSS', left, right: parseSampled(cursor) };
      continue;
    }
    const type = takeJoin(cursor);
    if (type === undefined) return left;
    left = parseJoin(cursor, left, type, at);
  }
}

/** What stands behind FROM: relations with commas between, which are cross joins. */
export function parseRelations(cursor: Cursor): Relation {
  let left = parseRelation(cursor);
  for (let count = 1; cursor.sees(','); count += 1) {
    const { at } = cursor.next();
    if (count > bounds.nesting) refuse(at, `More than ${bounds.nesting} relations in FROM`);
    left = { kind: 'join', at, type: 'CROSS', left, right: parseRelation(cursor) };
  }
  return left;
}
