import type { Name, Query } from '../ast.ts';
import { bounds } from '../bounds.ts';
import { refuse } from '../refusal.ts';
import { readTokens } from './lexer.ts';
import type { Token } from './lexer.ts';

/** Where the parser is in a statement. */
export interface Cursor {
  readonly text: string;
  peek(ahead?: number): Token;
  next(): Token;
  /** Whether the next tokens are these keywords or symbols. */
  sees(...texts: readonly string[]): boolean;
  /** Takes them if they are next. */
  takes(...texts: readonly string[]): boolean;
  /** Takes one, or refuses the statement. */
  expect(text: string): Token;
  /** Jumps behind the tokens that end at or before an offset of the text. */
  skipTo(end: number): void;
  /** The token behind the parenthesis that closes the one at `ahead`. */
  behindClosing(ahead: number): Token;
  /** Runs a rule one level deeper; too many levels refuse the statement. */
  deeper<T>(rule: () => T): T;
  /** Set by the statement's parser, since expressions hold queries and queries expressions. */
  parseQuery: () => Query;
}

function describe(token: Token): string {
  if (token.kind === 'end') return 'the end of the statement';
  if (token.kind === 'string') return 'a string';
  const shown = token.text.length > 40 ? `${token.text.slice(0, 40)}…` : token.text;
  return `"${shown}"`;
}

/** Refuses what stands here, saying what would be understood. */
export function unexpected(token: Token, wanted: string): never {
  refuse(token.at, `${describe(token)} is not understood here; expected ${wanted}`);
}

function closingParentheses(tokens: readonly Token[]): Map<number, number> {
  const closing = new Map<number, number>();
  const open: number[] = [];
  tokens.forEach((token, index) => {
    if (token.kind !== 'symbol') return;
    if (token.text === '(') open.push(index);
    if (token.text !== ')') return;
    const start = open.pop();
    if (start !== undefined) closing.set(start, index);
  });
  return closing;
}

export function openCursor(text: string): Cursor {
  const tokens = readTokens(text);
  const closing = closingParentheses(tokens);
  const end = tokens.at(-1) as Token;
  let index = 0;
  let depth = 0;

  const peek = (ahead = 0): Token => tokens[index + ahead] ?? end;
  const sees = (...texts: readonly string[]): boolean =>
    texts.every((wanted, ahead) => {
      const token = peek(ahead);
      return token.kind === 'word'
        ? token.keyword === wanted
        : token.kind === 'symbol' && token.text === wanted;
    });
  const next = (): Token => {
    const token = peek();
    index += 1;
    return token;
  };

  return {
    text,
    peek,
    next,
    sees,
    takes(...texts) {
      if (!sees(...texts)) return false;
      index += texts.length;
      return true;
    },
    expect(wanted) {
      if (!sees(wanted)) unexpected(peek(), wanted);
      return next();
    },
    skipTo(offset) {
      while (peek().kind !== 'end' && peek().at < offset) index += 1;
    },
    behindClosing: (ahead) => tokens[(closing.get(index + ahead) ?? tokens.length) + 1] ?? end,
    deeper(rule) {
      depth += 1;
      if (depth > bounds.nesting)
        refuse(peek().at, `The statement is nested more than ${bounds.nesting} levels deep here`);
      const result = rule();
      depth -= 1;
      return result;
    },
    parseQuery: () => unexpected(peek(), 'an expression'),
  };
}

/** Words that cannot be names unless they are quoted, as in Trino. */
const reserved = new Set(
  (
    'ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_CATALOG CURRENT_DATE CURRENT_PATH CURRENT_ROLE ' +
    'CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE DISTINCT DROP ELSE END ESCAPE ' +
    'EXCEPT EXECUTE EXISTS EXTRACT FALSE FOR FROM FULL GROUP GROUPING HAVING IN INNER INSERT INTERSECT INTO IS JOIN ' +
    'JSON_ARRAY JSON_EXISTS JSON_OBJECT JSON_QUERY JSON_TABLE JSON_VALUE LEFT LIKE LISTAGG LOCALTIME LOCALTIMESTAMP ' +
    'NATURAL NORMALIZE NOT NULL ON OR ORDER PREPARE RECURSIVE RIGHT ROLLUP SELECT SKIP TABLE THEN TRIM TRUE UESCAPE ' +
    'UNION UNNEST USING VALUES WHEN WHERE WITH'
  ).split(' '),
);

/** Words that begin the next clause, so that they are no alias unless AS stands before them. */
const clauseWords = new Set(
  'LIMIT OFFSET FETCH WINDOW TABLESAMPLE MATCH_RECOGNIZE FILTER OVER WITHIN RESPECT IGNORE'.split(' '),
);

/** Whether the next token can be a name. */
export function seesName(cursor: Cursor, ahead = 0): boolean {
  const token = cursor.peek(ahead);
  return token.kind === 'quoted' || (token.kind === 'word' && !reserved.has(token.keyword));
}

/** Whether the next token can be an alias without AS. */
export function seesBareAlias(cursor: Cursor): boolean {
  return seesName(cursor) && !clauseWords.has(cursor.peek().keyword);
}

/** Takes a name. */
export function parseName(cursor: Cursor, wanted: string): Name {
  if (!seesName(cursor)) unexpected(cursor.peek(), wanted);
  const token = cursor.next();
  return { at: token.at, text: token.text };
}

/** One or more of something, with commas between. */
export function parseList<T>(cursor: Cursor, rule: () => T): T[] {
  const items = [rule()];
  while (cursor.takes(',')) items.push(rule());
  return items;
}

/** Names in parentheses, with commas between. */
export function parseNames(cursor: Cursor): Name[] {
  cursor.expect('(');
  const names = parseList(cursor, () => parseName(cursor, 'a column name'));
  cursor.expect(')');
  return names;
}
