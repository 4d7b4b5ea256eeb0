import { refuse } from '../refusal.ts';

/** A token of a statement. `text` of a word is as written, of a quoted name and a string without quotes. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'binary' | 'number' | 'symbol' | 'unknown' | 'end';
  readonly text: string;
  /** The word in upper case, for comparison with keywords; empty for everything else. */
  readonly keyword: string;
  readonly at: number;
  readonly end: number;
}

const symbols = [
  '<>',
  '!=',
  '<=',
  '>=',
  '||',
  '->',
  '=>',
  ...'( ) [ ] , . ; + - * / % < > = ? : |'.split(' '),
];
const word = /[A-Za-z_][A-Za-z0-9_@]*/y;
const number = /(?:\d[\d_]*(?:\.\d[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const based = /0[xX][0-9A-Fa-f_]+|0[oO][0-7_]+|0[bB][01_]+/y;
const space = /(?:\s|--[^\r\n]*)+/y;

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Skips white space and comments; Trino's comments do not nest. */
function skipSpace(text: string, start: number): number {
  let at = start;
  for (;;) {
    const blank = matchAt(space, text, at);
    if (blank !== undefined) at += blank.length;
    if (!text.startsWith('/*', at)) {
      if (blank === undefined) return at;
      continue;
    }
    const end = text.indexOf('*/', at + 2);
    if (end < 0) refuse(at, 'The comment that begins here is not closed');
    at = end + 2;
  }
}

/** Reads a quoted text whose quote is doubled inside; returns it with the offset behind the closing quote. */
function readQuoted(
  text: string,
  start: number,
  what: string,
): { readonly value: string; readonly end: number } {
  const quote = text.charAt(start);
  let value = '';
  let at = start + 1;
  for (;;) {
    const close = text.indexOf(quote, at);
    if (close < 0) refuse(start, `The ${what} that begins here is not closed`);
    value += text.slice(at, close);
    if (text.charAt(close + 1) !== quote) return { value, end: close + 1 };
    value += quote;
    at = close + 2;
  }
}

/** The text of a U&'…' string: \XXXX and \+XXXXXX stand for code points. */
function unicodeText(value: string, at: number): string {
  return value.replaceAll(/\\(\\|\+[0-9A-Fa-f]{6}|[0-9A-Fa-f]{4}|)/g, (_all, code: string) => {
    if (code === '\\') return code;
    const point = Number.parseInt(code.replace('+', ''), 16);
    if (!(point <= 0x10ffff) || (point >= 0xd800 && point <= 0xdfff))
      refuse(at, 'The Unicode escape in this string is not valid');
    return String.fromCodePoint(point);
  });
}

function token(kind: Token['kind'], text: string, at: number, end: number): Token {
  return { kind, text, keyword: kind === 'word' ? text.toUpperCase() : '', at, end };
}

function readPrefixed(text: string, at: number): Token | undefined {
  if (/^[uU]&'/.test(text.slice(at, at + 3))) {
    const { value, end } = readQuoted(text, at + 2, 'string');
    return token('string', unicodeText(value, at), at, end);
  }
  if (/^[xX]'/.test(text.slice(at, at + 2))) {
    const { value, end } = readQuoted(text, at + 1, 'binary literal');
    const hex = value.replaceAll(/\s/g, '');
    if (!/^(?:[0-9A-Fa-f]{2})*$/.test(hex)) refuse(at, 'A binary literal takes pairs of hexadecimal digits');
    return token('binary', hex, at, end);
  }
  return undefined;
}

function readToken(text: string, at: number): Token {
  const first = text.charAt(at);
  if (first === "'") {
    const { value, end } = readQuoted(text, at, 'string');
    return token('string', value, at, end);
  }
  if (first === '"') {
    const { value, end } = readQuoted(text, at, 'quoted name');
    if (value === '') refuse(at, 'A quoted name is empty');
    return token('quoted', value, at, end);
  }
  const prefixed = readPrefixed(text, at);
  if (prefixed) return prefixed;
  const name = matchAt(word, text, at);
  if (name !== undefined) return token('word', name, at, at + name.length);
  const digits = matchAt(based, text, at) ?? matchAt(number, text, at);
  if (digits !== undefined) return token('number', digits, at, at + digits.length);
  const symbol = symbols.find((candidate) => text.startsWith(candidate, at));
  if (symbol !== undefined) return token('symbol', symbol, at, at + symbol.length);
  return token('unknown', String.fromCodePoint(text.codePointAt(at) ?? 0), at, at + 1);
}

/** Reads a whole statement. What is no token of Trino becomes `unknown`, refused by whoever meets it. */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const next = readToken(text, at);
    tokens.push(next);
    at = skipSpace(text, next.end);
  }
  tokens.push(token('end', '', text.length, text.length));
  return tokens;
}
