import type { ComparisonOperator, Expression, IntervalField, Name } from '../ast.ts';
import { bounds } from '../bounds.ts';
import { refuse } from '../refusal.ts';
import { parseCall } from './call.ts';
import { parseList, parseName, seesName, unexpected } from './cursor.ts';
import type { Cursor } from './cursor.ts';
import { parseSpecialCall } from './special-call.ts';

/** Whether a query begins at a parenthesis `ahead`: its keyword, or parentheses around a part of it. */
export function seesQueryInParentheses(cursor: Cursor, ahead = 0): boolean {
  let inner = ahead + 1;
  while (cursor.peek(inner).kind === 'symbol' && cursor.peek(inner).text === '(') inner += 1;
  if (!['SELECT', 'WITH', 'VALUES', 'TABLE'].includes(cursor.peek(inner).keyword)) return false;
  if (inner === ahead + 1) return true;
  const behind = cursor.behindClosing(ahead + 1);
  return ['UNION', 'INTERSECT', 'EXCEPT', 'ORDER', 'LIMIT', 'OFFSET', 'FETCH'].includes(behind.keyword);
}

const intervalFields: readonly IntervalField[] = ['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND'];

function parseInterval(cursor: Cursor): Expression {
  const { at } = cursor.expect('INTERVAL');
  const negative = cursor.takes('-');
  if (!negative) cursor.takes('+');
  const { kind, text } = cursor.next();
  if (kind !== 'string') refuse(at, "An interval is written INTERVAL '3' DAY");
  const field = (): IntervalField => {
    const token = cursor.next();
    const found = intervalFields.find((name) => name === token.keyword);
    return found ?? unexpected(token, 'YEAR, MONTH, DAY, HOUR, MINUTE or SECOND');
  };
  const from = field();
  const to = cursor.takes('TO') ? { to: field() } : {};
  return { kind: 'interval', at, negative, text, from, ...to };
}

function isLambda(cursor: Cursor): boolean {
  if (cursor.sees('('))
    return cursor.behindClosing(0).text === '->' && cursor.behindClosing(0).kind === 'symbol';
  return seesName(cursor) && cursor.peek(1).kind === 'symbol' && cursor.peek(1).text === '->';
}

function parseLambda(cursor: Cursor): Expression {
  const { at } = cursor.peek();
  let parameters: Name[] = [];
  if (cursor.takes('(')) {
    if (!cursor.sees(')'))
      parameters = parseList(cursor, () => parseName(cursor, 'a parameter of the lambda'));
    cursor.expect(')');
  } else {
    parameters = [parseName(cursor, 'a parameter of the lambda')];
  }
  cursor.expect('->');
  return { kind: 'lambda', at, parameters, body: parseExpression(cursor) };
}

function parseParenthesised(cursor: Cursor): Expression {
  const { at } = cursor.peek();
  if (seesQueryInParentheses(cursor)) {
    cursor.expect('(');
    const query = cursor.parseQuery();
    cursor.expect(')');
    return { kind: 'subquery', at, query };
  }
  cursor.expect('(');
  const items = parseList(cursor, () => parseExpression(cursor));
  cursor.expect(')');
  return items.length === 1 ? (items[0] as Expression) : { kind: 'row', at, items };
}

function parseLiteral(cursor: Cursor): Expression | undefined {
  const token = cursor.peek();
  const { at, text, keyword } = token;
  if (token.kind === 'number') return { kind: 'number', at, text: cursor.next().text };
  if (token.kind === 'string') return { kind: 'string', at, value: cursor.next().text };
  if (token.kind === 'binary') return { kind: 'binary', at, hex: cursor.next().text };
  if (keyword === 'NULL' || keyword === 'TRUE' || keyword === 'FALSE') {
    cursor.next();
    return keyword === 'NULL' ? { kind: 'null', at } : { kind: 'boolean', at, value: keyword === 'TRUE' };
  }
  const behind = cursor.peek(1);
  if (keyword === 'INTERVAL' && (behind.kind === 'string' || ['+', '-'].includes(behind.text)))
    return parseInterval(cursor);
  if (token.kind === 'word' && seesName(cursor) && behind.kind === 'string') {
    cursor.next();
    return { kind: 'typed', at, type: text.toLowerCase(), text: cursor.next().text };
  }
  return undefined;
}

function parseConstructor(cursor: Cursor): Expression | undefined {
  const { at } = cursor.peek();
  if (cursor.takes('ARRAY', '[')) {
    const items = cursor.sees(']') ? [] : parseList(cursor, () => parseExpression(cursor));
    cursor.expect(']');
    return { kind: 'array', at, items };
  }
  if (cursor.takes('ROW', '(')) {
    const items = parseList(cursor, () => parseExpression(cursor));
    cursor.expect(')');
    return { kind: 'row', at, items };
  }
  if (cursor.takes('EXISTS', '(')) {
    const query = cursor.parseQuery();
    cursor.expect(')');
    return { kind: 'exists', at, query };
  }
  return undefined;
}

function parsePrimary(cursor: Cursor): Expression {
  if (isLambda(cursor)) return parseLambda(cursor);
  const token = cursor.peek();
  if (cursor.sees('(')) return parseParenthesised(cursor);
  if (cursor.sees('?')) refuse(token.at, 'Parameters (?) are not supported; write the value');
  const known =
    parseLiteral(cursor) ??
    parseConstructor(cursor) ??
    parseSpecialCall(cursor, parseExpression, parseOperand);
  if (known) return known;
  const callable = ['GROUPING', 'LISTAGG'].includes(token.keyword) || seesName(cursor);
  if (!callable) unexpected(token, 'an expression');
  cursor.next();
  if (cursor.sees('(')) return parseCall(cursor, token, parseExpression);
  if (token.keyword === 'GROUPING' || token.keyword === 'LISTAGG') cursor.expect('(');
  return { kind: 'name', at: token.at, name: { at: token.at, text: token.text } };
}

function parsePostfix(cursor: Cursor): Expression {
  let expression = parsePrimary(cursor);
  for (let steps = 0; ; steps += 1) {
    const { at } = cursor.peek();
    if (steps > bounds.nesting) refuse(at, `More than ${bounds.nesting} fields or subscripts in a row`);
    if (cursor.sees('.') && cursor.peek(1).text !== '*') {
      cursor.next();
      const name = parseName(cursor, 'a field name');
      if (cursor.sees('(')) refuse(at, 'Functions of catalogs and schemas are not supported');
      expression = { kind: 'field', at, base: expression, name };
    } else if (cursor.takes('[')) {
      const index = parseOperand(cursor);
      cursor.expect(']');
      expression = { kind: 'subscript', at, base: expression, index };
    } else return expression;
  }
}

function parseZoned(cursor: Cursor): Expression {
  let expression = parsePostfix(cursor);
  for (let steps = 0; cursor.sees('AT', 'TIME', 'ZONE'); steps += 1) {
    const { at } = cursor.peek();
    if (steps > bounds.nesting) refuse(at, `More than ${bounds.nesting} AT TIME ZONE in a row`);
    cursor.takes('AT', 'TIME', 'ZONE');
    const token = cursor.peek();
    const zone = parseLiteral(cursor);
    if (zone?.kind !== 'string' && zone?.kind !== 'interval')
      refuse(token.at, "AT TIME ZONE takes a literal, such as 'America/New_York'");
    expression = { kind: 'at-time-zone', at, operand: expression, zone };
  }
  return expression;
}

function parseSigned(cursor: Cursor): Expression {
  const { at } = cursor.peek();
  const negative = cursor.takes('-');
  if (!negative && !cursor.takes('+')) return parseZoned(cursor);
  const operand = cursor.deeper(() => parseSigned(cursor));
  return { kind: 'sign', at, negative, operand };
}

type Operator = '+' | '-' | '*' | '/' | '%' | '||';

function parseChain(
  cursor: Cursor,
  operators: readonly Operator[],
  rule: (cursor: Cursor) => Expression,
): Expression {
  let left = rule(cursor);
  for (let count = 1; ; count += 1) {
    const { at } = cursor.peek();
    const operator = operators.find((candidate) => cursor.takes(candidate));
    if (operator === undefined) return left;
    if (count > bounds.operatorsInARow) refuse(at, `More than ${bounds.operatorsInARow} operators in a row`);
    left = { kind: 'arithmetic', at, operator, left, right: rule(cursor) };
  }
}

/** What stands beside a comparison: everything that binds tighter than AND, OR, NOT and the predicates. */
function parseOperand(cursor: Cursor): Expression {
  return cursor.deeper(() =>
    parseChain(cursor, ['||'], (inner) =>
      parseChain(inner, ['+', '-'], (innermost) => parseChain(innermost, ['*', '/', '%'], parseSigned)),
    ),
  );
}

const comparisons: Readonly<Record<string, ComparisonOperator>> = {
  '=': '=',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

/**
 * A comparison operator. The CloudTrail user guide has "< =" in one of its queries ("CloudTrail Lake queries"), so
 * a space inside "<=" and ">=" is taken as nothing else could be meant.
 */
function takeComparison(cursor: Cursor): ComparisonOperator | undefined {
  const token = cursor.peek();
  const operator = token.kind === 'symbol' ? comparisons[token.text] : undefined;
  if (operator === undefined) return undefined;
  cursor.next();
  if ((operator === '<' || operator === '>') && cursor.takes('=')) return `${operator}=`;
  return operator;
}

function parseIn(cursor: Cursor, operand: Expression, at: number, negated: boolean): Expression {
  if (cursor.sees('(') && seesQueryInParentheses(cursor)) {
    cursor.expect('(');
    const query = cursor.parseQuery();
    cursor.expect(')');
    return { kind: 'in-query', at, negated, operand, query };
  }
  cursor.expect('(');
  const items = parseList(cursor, () => parseExpression(cursor));
  cursor.expect(')');
  return { kind: 'in-list', at, negated, operand, items };
}

function parseWordPredicate(cursor: Cursor, operand: Expression): Expression | undefined {
  const { at } = cursor.peek();
  if (cursor.takes('IS')) {
    const negated = cursor.takes('NOT');
    if (cursor.takes('NULL')) return { kind: 'is-null', at, negated, operand };
    if (!cursor.takes('DISTINCT', 'FROM')) unexpected(cursor.peek(), 'NULL or DISTINCT FROM');
    return { kind: 'distinct-from', at, negated, left: operand, right: parseOperand(cursor) };
  }
  const negated = cursor.takes('NOT');
  if (cursor.takes('IN')) return parseIn(cursor, operand, at, negated);
  if (cursor.takes('BETWEEN')) {
    const low = parseOperand(cursor);
    cursor.expect('AND');
    return { kind: 'between', at, negated, operand, low, high: parseOperand(cursor) };
  }
  if (cursor.takes('LIKE')) {
    const pattern = parseOperand(cursor);
    const escape = cursor.takes('ESCAPE') ? { escape: parseOperand(cursor) } : {};
    return { kind: 'like', at, negated, operand, pattern, ...escape };
  }
  if (negated) unexpected(cursor.peek(), 'IN, BETWEEN or LIKE');
  return undefined;
}

function parsePredicate(cursor: Cursor): Expression {
  const left = parseOperand(cursor);
  const { at } = cursor.peek();
  const operator = takeComparison(cursor);
  if (operator === undefined) return parseWordPredicate(cursor, left) ?? left;
  const word = cursor.peek().keyword;
  const quantifier = word === 'ALL' ? 'ALL' : word === 'ANY' || word === 'SOME' ? 'ANY' : undefined;
  const behind = cursor.peek(1);
  if (quantifier !== undefined && behind.text === '(' && seesQueryInParentheses(cursor, 1)) {
    cursor.next();
    cursor.expect('(');
    const query = cursor.parseQuery();
    cursor.expect(')');
    return { kind: 'quantified', at, operator, quantifier, left, query };
  }
  return { kind: 'comparison', at, operator, left, right: parseOperand(cursor) };
}

function parseNot(cursor: Cursor): Expression {
  const { at } = cursor.peek();
  if (!cursor.takes('NOT')) return parsePredicate(cursor);
  return { kind: 'not', at, operand: cursor.deeper(() => parseNot(cursor)) };
}

function parseLogical(
  cursor: Cursor,
  operator: 'AND' | 'OR',
  rule: (cursor: Cursor) => Expression,
): Expression {
  const { at } = cursor.peek();
  const operands = [rule(cursor)];
  while (cursor.takes(operator)) operands.push(rule(cursor));
  return operands.length === 1 ? (operands[0] as Expression) : { kind: 'logical', at, operator, operands };
}

/** An expression of any kind. */
export function parseExpression(cursor: Cursor): Expression {
  return cursor.deeper(() => parseLogical(cursor, 'OR', (inner) => parseLogical(inner, 'AND', parseNot)));
}
