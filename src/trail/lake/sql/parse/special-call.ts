import type { CallExpression, Expression } from '../ast.ts';
import { refuse } from '../refusal.ts';
import { parseName } from './cursor.ts';
import type { Cursor } from './cursor.ts';
import { parseTypeName } from './type-name.ts';

type ParseExpression = (cursor: Cursor) => Expression;

/** A plain call, as if it had been written name(parameters). */
function plainCall(at: number, name: string, parameters: readonly Expression[]): CallExpression {
  const rest = { star: false, distinct: false, orderBy: [], ignoreNulls: false } as const;
  return { kind: 'call', at, name, parameters, ...rest };
}

function parseTrim(cursor: Cursor, at: number, expression: ParseExpression): Expression {
  cursor.expect('(');
  const side = (['LEADING', 'TRAILING', 'BOTH'] as const).find((candidate) => cursor.takes(candidate));
  const name = side === 'LEADING' ? 'ltrim' : side === 'TRAILING' ? 'rtrim' : 'trim';
  if (side !== undefined && cursor.takes('FROM')) {
    const source = expression(cursor);
    cursor.expect(')');
    return plainCall(at, name, [source]);
  }
  const first = expression(cursor);
  let parameters = [first];
  if (cursor.takes('FROM')) parameters = [expression(cursor), first];
  else if (cursor.takes(',')) parameters = [first, expression(cursor)];
  cursor.expect(')');
  return plainCall(at, name, parameters);
}

function parseSubstring(cursor: Cursor, at: number, expression: ParseExpression): Expression {
  cursor.expect('(');
  const parameters = [expression(cursor)];
  if (cursor.takes('FROM')) {
    parameters.push(expression(cursor));
    if (cursor.takes('FOR')) parameters.push(expression(cursor));
  } else {
    while (cursor.takes(',')) parameters.push(expression(cursor));
  }
  cursor.expect(')');
  return plainCall(at, 'substring', parameters);
}

const extractable: Readonly<Record<string, string>> = {
  year: 'year',
  quarter: 'quarter',
  month: 'month',
  week: 'week',
  day: 'day',
  day_of_month: 'day',
  day_of_week: 'day_of_week',
  dow: 'day_of_week',
  day_of_year: 'day_of_year',
  doy: 'day_of_year',
  year_of_week: 'year_of_week',
  yow: 'year_of_week',
  hour: 'hour',
  minute: 'minute',
  second: 'second',
  timezone_hour: 'timezone_hour',
  timezone_minute: 'timezone_minute',
};

function parseExtract(cursor: Cursor, at: number, expression: ParseExpression): Expression {
  cursor.expect('(');
  const field = parseName(cursor, 'a field such as YEAR');
  const wanted = field.text.toLowerCase();
  const name = Object.hasOwn(extractable, wanted) ? extractable[wanted] : undefined;
  if (name === undefined) refuse(field.at, `EXTRACT knows no field ${field.text}`);
  cursor.expect('FROM');
  const source = expression(cursor);
  cursor.expect(')');
  return plainCall(at, name, [source]);
}

function parseCast(cursor: Cursor, at: number, lenient: boolean, expression: ParseExpression): Expression {
  cursor.expect('(');
  const operand = expression(cursor);
  cursor.expect('AS');
  const type = parseTypeName(cursor);
  cursor.expect(')');
  return { kind: 'cast', at, lenient, operand, type };
}

function parseCase(cursor: Cursor, at: number, expression: ParseExpression): Expression {
  const operand = cursor.sees('WHEN') ? {} : { operand: expression(cursor) };
  const branches = [];
  while (cursor.takes('WHEN')) {
    const when = expression(cursor);
    cursor.expect('THEN');
    branches.push({ when, result: expression(cursor) });
  }
  if (branches.length === 0) cursor.expect('WHEN');
  const otherwise = cursor.takes('ELSE') ? { otherwise: expression(cursor) } : {};
  cursor.expect('END');
  return { kind: 'case', at, ...operand, branches, ...otherwise };
}

/** position(needle IN text): the needle ends before IN, so it is parsed as an operand. */
function parsePosition(cursor: Cursor, at: number, operand: ParseExpression): Expression {
  cursor.expect('(');
  const needle = operand(cursor);
  cursor.expect('IN');
  const text = operand(cursor);
  cursor.expect(')');
  return plainCall(at, 'strpos', [text, needle]);
}

const unsupportedWords: Readonly<Record<string, string>> = {
  JSON_EXISTS: 'JSON_EXISTS is not supported; use json_extract or json_extract_scalar',
  JSON_VALUE: 'JSON_VALUE is not supported; use json_extract_scalar',
  JSON_QUERY: 'JSON_QUERY is not supported; use json_extract',
  JSON_OBJECT: 'JSON_OBJECT is not supported',
  JSON_ARRAY: 'JSON_ARRAY is not supported',
  NORMALIZE: 'NORMALIZE is not supported',
  CURRENT_TIME: 'CURRENT_TIME is not supported; use LOCALTIME or CURRENT_TIMESTAMP',
  CURRENT_USER: 'CURRENT_USER is not supported',
  CURRENT_CATALOG: 'CURRENT_CATALOG is not supported',
  CURRENT_SCHEMA: 'CURRENT_SCHEMA is not supported',
  CURRENT_PATH: 'CURRENT_PATH is not supported',
  CURRENT_ROLE: 'CURRENT_ROLE is not supported',
};

/** The calls and constants that have a syntax of their own; undefined if the next token begins none of them. */
export function parseSpecialCall(
  cursor: Cursor,
  expression: ParseExpression,
  operand: ParseExpression,
): Expression | undefined {
  const token = cursor.peek();
  const behind = cursor.peek(1);
  const opens = behind.kind === 'symbol' && behind.text === '(';
  const unsupported = unsupportedWords[token.keyword];
  if (unsupported !== undefined) refuse(token.at, unsupported);
  switch (token.keyword) {
    case 'CASE':
      cursor.next();
      return parseCase(cursor, token.at, expression);
    case 'CURRENT_DATE':
    case 'CURRENT_TIMESTAMP':
    case 'LOCALTIME':
    case 'LOCALTIMESTAMP': {
      cursor.next();
      const parameters: Expression[] = [];
      if (token.keyword !== 'CURRENT_DATE' && cursor.takes('(')) {
        parameters.push(expression(cursor));
        cursor.expect(')');
      }
      return plainCall(token.at, token.keyword.toLowerCase(), parameters);
    }
    case 'CAST':
    case 'TRY_CAST':
      if (!opens) return undefined;
      cursor.next();
      return parseCast(cursor, token.at, token.keyword === 'TRY_CAST', expression);
    case 'EXTRACT':
    case 'TRIM':
    case 'SUBSTRING':
    case 'POSITION':
      if (!opens) return undefined;
      cursor.next();
      if (token.keyword === 'EXTRACT') return parseExtract(cursor, token.at, expression);
      if (token.keyword === 'TRIM') return parseTrim(cursor, token.at, expression);
      if (token.keyword === 'POSITION') return parsePosition(cursor, token.at, operand);
      return parseSubstring(cursor, token.at, expression);
    default:
      return undefined;
  }
}
