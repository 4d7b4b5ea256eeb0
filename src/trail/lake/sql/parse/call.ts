import type { CallExpression, Expression, FrameBound, SortItem, WindowSpecification } from '../ast.ts';
import { refuse } from '../refusal.ts';
import { parseList, parseName, seesName, unexpected } from './cursor.ts';
import type { Cursor } from './cursor.ts';

type ParseExpression = (cursor: Cursor) => Expression;

/** The items behind ORDER BY; nulls come last unless NULLS FIRST says otherwise. */
export function parseSortItems(cursor: Cursor, expression: ParseExpression): SortItem[] {
  return parseList(cursor, () => {
    const item = expression(cursor);
    const descending = cursor.takes('DESC');
    if (!descending) cursor.takes('ASC');
    const nullsFirst = cursor.takes('NULLS', 'FIRST');
    if (!nullsFirst) cursor.takes('NULLS', 'LAST');
    return { expression: item, descending, nullsFirst };
  });
}

function parseFrameBound(cursor: Cursor, expression: ParseExpression): FrameBound {
  const { at } = cursor.peek();
  if (cursor.takes('UNBOUNDED', 'PRECEDING')) return { at, kind: 'unbounded preceding' };
  if (cursor.takes('UNBOUNDED', 'FOLLOWING')) return { at, kind: 'unbounded following' };
  if (cursor.takes('CURRENT', 'ROW')) return { at, kind: 'current row' };
  const offset = expression(cursor);
  if (cursor.takes('PRECEDING')) return { at, kind: 'preceding', offset };
  if (cursor.takes('FOLLOWING')) return { at, kind: 'following', offset };
  unexpected(cursor.peek(), 'PRECEDING or FOLLOWING');
}

function parseFrame(cursor: Cursor, expression: ParseExpression): Pick<WindowSpecification, 'frame'> {
  const unit = (['ROWS', 'RANGE', 'GROUPS'] as const).find((candidate) => cursor.takes(candidate));
  if (unit === undefined) return {};
  if (!cursor.takes('BETWEEN')) {
    const start = parseFrameBound(cursor, expression);
    return { frame: { unit, start, end: { at: start.at, kind: 'current row' } } };
  }
  const start = parseFrameBound(cursor, expression);
  cursor.expect('AND');
  return { frame: { unit, start, end: parseFrameBound(cursor, expression) } };
}

/** What stands between the parentheses of OVER and of WINDOW … AS. */
export function parseWindow(cursor: Cursor, expression: ParseExpression): WindowSpecification {
  const { at } = cursor.expect('(');
  if (cursor.sees('MEASURES')) refuse(cursor.peek().at, 'MEASURES in a window is not supported');
  const clause = ['PARTITION', 'ROWS', 'RANGE', 'GROUPS'].includes(cursor.peek().keyword);
  const base = seesName(cursor) && !clause ? { base: parseName(cursor, 'a window name') } : {};
  const partitionBy = cursor.takes('PARTITION', 'BY') ? parseList(cursor, () => expression(cursor)) : [];
  const orderBy = cursor.takes('ORDER', 'BY') ? parseSortItems(cursor, expression) : [];
  const frame = parseFrame(cursor, expression);
  cursor.expect(')');
  return { at, ...base, partitionBy, orderBy, ...frame };
}

function parseOver(cursor: Cursor, expression: ParseExpression): Pick<CallExpression, 'over'> {
  if (!cursor.takes('OVER')) return {};
  if (cursor.sees('(')) return { over: parseWindow(cursor, expression) };
  const base = parseName(cursor, 'a window name or (');
  return { over: { at: base.at, base, partitionBy: [], orderBy: [] } };
}

function parseTail(
  cursor: Cursor,
  expression: ParseExpression,
): Pick<CallExpression, 'filter' | 'over' | 'ignoreNulls'> {
  let filter: Pick<CallExpression, 'filter'> = {};
  if (cursor.takes('FILTER')) {
    cursor.expect('(');
    cursor.expect('WHERE');
    filter = { filter: expression(cursor) };
    cursor.expect(')');
  }
  const ignoreNulls = cursor.takes('IGNORE', 'NULLS');
  if (!ignoreNulls) cursor.takes('RESPECT', 'NULLS');
  return { ...filter, ignoreNulls, ...parseOver(cursor, expression) };
}

/** A call; the cursor stands at the parenthesis behind its name. */
export function parseCall(
  cursor: Cursor,
  name: { readonly at: number; readonly text: string },
  expression: ParseExpression,
): CallExpression {
  cursor.expect('(');
  const call = { kind: 'call', at: name.at, name: name.text.toLowerCase() } as const;
  if (cursor.takes('*')) {
    cursor.expect(')');
    const rest = parseTail(cursor, expression);
    return { ...call, parameters: [], star: true, distinct: false, orderBy: [], ...rest };
  }
  const distinct = cursor.takes('DISTINCT');
  if (!distinct) cursor.takes('ALL');
  const parameters = cursor.sees(')') ? [] : parseList(cursor, () => expression(cursor));
  let orderBy = cursor.takes('ORDER', 'BY') ? parseSortItems(cursor, expression) : [];
  if (cursor.sees('ON', 'OVERFLOW')) {
    const { at } = cursor.next();
    cursor.next();
    if (!cursor.takes('ERROR')) refuse(at, 'ON OVERFLOW TRUNCATE is not supported');
  }
  cursor.expect(')');
  if (cursor.sees('WITHIN')) {
    if (call.name !== 'listagg')
      refuse(cursor.peek().at, `WITHIN GROUP is for listagg, not for ${call.name}`);
    for (const word of ['WITHIN', 'GROUP', '(', 'ORDER', 'BY']) cursor.expect(word);
    orderBy = parseSortItems(cursor, expression);
    cursor.expect(')');
  } else if (call.name === 'listagg') {
    refuse(call.at, 'listagg needs WITHIN GROUP (ORDER BY …)');
  }
  const rest = parseTail(cursor, expression);
  return { ...call, parameters, star: false, distinct, orderBy, ...rest };
}
