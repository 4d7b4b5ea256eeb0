import { limits } from '../../kernel/index.ts';

/**
 * A reader of JSON text that keeps what `JSON.parse` throws away and a policy needs: where things stand, the same member
 * twice in one object, and numbers as they were written. It refuses what is nested deeper than any policy can be.
 */
export type JsonNode = JsonPlace &
  (
    | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonNode> }
    | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
    | { readonly kind: 'string'; readonly text: string }
    /** `text` as it was written. */
    | { readonly kind: 'number'; readonly text: string }
    | { readonly kind: 'boolean'; readonly text: 'true' | 'false' }
    | { readonly kind: 'null' }
  );

/** Offsets into the text: of the first character, and behind the last. */
interface JsonPlace {
  readonly start: number;
  readonly end: number;
}

export type JsonObject = Extract<JsonNode, { kind: 'object' }>;

export type ReadJson =
  | { readonly kind: 'json'; readonly node: JsonNode }
  | { readonly kind: 'broken'; readonly reason: string };

interface Reader {
  readonly text: string;
  at: number;
}

class BrokenJson extends Error {}

const whiteSpace = /[ \t\r\n]*/y;
const numberForm = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const wordForm = /true|false|null/y;

function broken(reader: Reader, what: string): BrokenJson {
  return new BrokenJson(`${what} at character ${reader.at + 1}`);
}

function skipWhiteSpace(reader: Reader): void {
  whiteSpace.lastIndex = reader.at;
  whiteSpace.test(reader.text);
  reader.at = whiteSpace.lastIndex;
}

/** Reads `form` (a sticky pattern) at the reader's place; undefined when it is not there. */
function take(reader: Reader, form: RegExp): string | undefined {
  form.lastIndex = reader.at;
  const found = form.exec(reader.text)?.[0];
  if (found !== undefined) reader.at += found.length;
  return found;
}

function readString(reader: Reader): string {
  const start = reader.at;
  for (let at = start + 1; at < reader.text.length; at += 1) {
    const code = reader.text.charCodeAt(at);
    if (code === 0x5c) at += 1;
    else if (code === 0x22) {
      reader.at = at + 1;
      try {
        return JSON.parse(reader.text.slice(start, at + 1)) as string;
      } catch {
        throw new BrokenJson(`a string with a wrong escape or a control character at character ${start + 1}`);
      }
    }
  }
  throw broken(reader, 'a string that does not end');
}

function readObject(reader: Reader, depth: number): JsonNode {
  const start = reader.at;
  const members = new Map<string, JsonNode>();
  reader.at += 1;
  skipWhiteSpace(reader);
  if (reader.text[reader.at] !== '}') {
    for (;;) {
      skipWhiteSpace(reader);
      if (reader.text[reader.at] !== '"') throw broken(reader, 'a member without a name');
      const name = readString(reader);
      if (members.has(name)) throw broken(reader, `the member "${name}" twice in one object`);
      skipWhiteSpace(reader);
      if (reader.text[reader.at] !== ':') throw broken(reader, 'a missing colon');
      reader.at += 1;
      members.set(name, readValue(reader, depth));
      if (reader.text[reader.at] !== ',') break;
      reader.at += 1;
    }
    if (reader.text[reader.at] !== '}') throw broken(reader, 'an object that does not end');
  }
  reader.at += 1;
  return { kind: 'object', members, start, end: reader.at };
}

function readArray(reader: Reader, depth: number): JsonNode {
  const start = reader.at;
  const items: JsonNode[] = [];
  reader.at += 1;
  skipWhiteSpace(reader);
  if (reader.text[reader.at] !== ']') {
    for (;;) {
      items.push(readValue(reader, depth));
      if (reader.text[reader.at] !== ',') break;
      reader.at += 1;
    }
    if (reader.text[reader.at] !== ']') throw broken(reader, 'an array that does not end');
  }
  reader.at += 1;
  return { kind: 'array', items, start, end: reader.at };
}

function readScalar(reader: Reader): JsonNode {
  const start = reader.at;
  if (reader.text[start] === '"') {
    const text = readString(reader);
    return { kind: 'string', text, start, end: reader.at };
  }
  const word = take(reader, wordForm);
  if (word === 'null') return { kind: 'null', start, end: reader.at };
  if (word === 'true' || word === 'false') return { kind: 'boolean', text: word, start, end: reader.at };
  const number = take(reader, numberForm);
  if (number !== undefined) return { kind: 'number', text: number, start, end: reader.at };
  throw broken(reader, 'something that is not JSON');
}

/** Reads one value and the white space around it. */
function readValue(reader: Reader, depth: number): JsonNode {
  skipWhiteSpace(reader);
  const first = reader.text[reader.at];
  const nested = first === '{' || first === '[';
  if (nested && depth >= limits.policyNesting) throw broken(reader, 'nesting that is too deep');
  const node =
    first === '{'
      ? readObject(reader, depth + 1)
      : first === '['
        ? readArray(reader, depth + 1)
        : readScalar(reader);
  skipWhiteSpace(reader);
  return node;
}

/** Reads a JSON text (RFC 8259, no member twice in an object). */
export function readJson(text: string): ReadJson {
  const reader: Reader = { text, at: 0 };
  try {
    const node = readValue(reader, 0);
    if (reader.at < text.length) throw broken(reader, 'something behind the end');
    return { kind: 'json', node };
  } catch (error) {
    if (error instanceof BrokenJson) return { kind: 'broken', reason: error.message };
    throw error;
  }
}
