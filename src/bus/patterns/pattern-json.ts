import { limits } from '../../kernel/index.ts';
import { refuse } from './invalid-pattern.ts';

/**
 * A reader of the JSON of event patterns that keeps what `JSON.parse` throws away: numbers as they are written, and
 * every member of an object, the same name twice included, because each is a condition.
 */
export type PatternJson =
  | { readonly kind: 'object'; readonly members: readonly PatternMember[] }
  | { readonly kind: 'array'; readonly items: readonly PatternJson[] }
  | { readonly kind: 'string'; readonly text: string }
  /** `text` as it is written. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'word'; readonly value: boolean | null };

export interface PatternMember {
  readonly name: string;
  readonly value: PatternJson;
}

interface Reader {
  readonly text: string;
  at: number;
  depth: number;
}

const whiteSpace = /[ \t\r\n]*/y;
// A string's backslashes are checked by JSON.parse, which reads it.
const stringForm = /"(?:[^"\\]|\\.)*"/sy;
const numberForm = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const wordForm = /(?:true|false|null)(?![\w$])/y;

function broken(reader: Reader, what: string): never {
  refuse(`Invalid JSON: ${what} at character ${reader.at + 1}`);
}

function take(reader: Reader, form: RegExp): string | undefined {
  form.lastIndex = reader.at;
  const found = form.exec(reader.text)?.[0];
  if (found !== undefined) reader.at += found.length;
  return found;
}

/** The next character that is no white space; '' at the end. */
function peek(reader: Reader): string {
  take(reader, whiteSpace);
  return reader.text[reader.at] ?? '';
}

function expect(reader: Reader, character: string): void {
  if (peek(reader) !== character) broken(reader, `was expecting '${character}'`);
  reader.at += 1;
}

function readString(reader: Reader): string {
  const start = reader.at;
  const written = take(reader, stringForm);
  if (written === undefined) broken(reader, 'was expecting closing quote for a string value');
  try {
    return JSON.parse(written) as string;
  } catch {
    reader.at = start;
    return broken(reader, 'a string with a character or an escape that JSON does not allow');
  }
}

/** Reads what stands between `open` and `close`, separated by commas. */
function readList<Item>(reader: Reader, close: string, readItem: () => Item): Item[] {
  const items: Item[] = [];
  reader.depth += 1;
  if (reader.depth > limits.eventDepth) broken(reader, `nested deeper than ${limits.eventDepth}`);
  reader.at += 1;
  if (peek(reader) !== close) {
    items.push(readItem());
    while (peek(reader) === ',') {
      reader.at += 1;
      items.push(readItem());
    }
  }
  if (peek(reader) !== close) broken(reader, `was expecting a comma or '${close}'`);
  reader.at += 1;
  reader.depth -= 1;
  return items;
}

function readMember(reader: Reader): PatternMember {
  if (peek(reader) !== '"') broken(reader, 'was expecting double-quote to start field name');
  const name = readString(reader);
  expect(reader, ':');
  return { name, value: readValue(reader) };
}

function readValue(reader: Reader): PatternJson {
  const first = peek(reader);
  if (first === '{') return { kind: 'object', members: readList(reader, '}', () => readMember(reader)) };
  if (first === '[') return { kind: 'array', items: readList(reader, ']', () => readValue(reader)) };
  if (first === '"') return { kind: 'string', text: readString(reader) };
  const word = take(reader, wordForm);
  if (word !== undefined) return { kind: 'word', value: word === 'null' ? null : word === 'true' };
  const text = take(reader, numberForm);
  if (text !== undefined) return { kind: 'number', text };
  return broken(reader, first === '' ? 'Unexpected end-of-input' : `Unrecognized token '${first}'`);
}

/** Throws an InvalidEventPatternError. */
export function readPatternJson(text: string): PatternJson {
  const reader = { text, at: 0, depth: 0 };
  const value = readValue(reader);
  if (peek(reader) !== '') broken(reader, `Unexpected character '${peek(reader)}' behind the pattern`);
  return value;
}
