import { bounds } from './bounds.ts';

/** A regular expression of Java, as RE2 reads it. */
export interface ReadRegexp {
  readonly kind: 'regexp';
  readonly pattern: string;
  /** Whether each group, from 1, takes part in every match. */
  readonly groupsAlwaysMatch: readonly boolean[];
  readonly names: ReadonlyMap<string, number>;
  /** Whether it can match the empty text. */
  readonly matchesEmpty: boolean;
}

interface State {
  readonly text: string;
  at: number;
  out: string;
  depth: number;
  /** How large the groups read so far become once their repetitions are written out. */
  size: number;
  /** The greatest product of repetitions inside one another in the groups read so far. */
  nestedRepetition: number;
  readonly groups: { always: boolean }[];
  readonly names: Map<string, number>;
}

class UnsupportedRegexp extends Error {}

function unsupported(what: string): never {
  throw new UnsupportedRegexp(what);
}

const classEscapes = 'dDwWsS';

/** An escape that means the same to both, as RE2 writes it. */
function readEscape(state: State, inClass: boolean): string {
  const character = state.text.charAt(state.at + 1);
  state.at += 2;
  if (character === '') unsupported('a backslash at the end');
  if (classEscapes.includes(character) || 'tnrfa'.includes(character)) return `\\${character}`;
  if (!inClass && 'bBAz'.includes(character)) return `\\${character}`;
  if (character === 'x') {
    const hex = /^(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]{1,6}\})/.exec(state.text.slice(state.at))?.[0];
    if (hex === undefined) unsupported(String.raw`\x without two hexadecimal digits`);
    state.at += hex.length;
    return `\\x${hex}`;
  }
  if (character === 'p' || character === 'P') {
    const name = /^\{(?:L|Lu|Ll|N|Nd|P|S|Z)\}/.exec(state.text.slice(state.at))?.[0];
    if (name === undefined)
      unsupported(`the class \\${character}${state.text.slice(state.at, state.at + 8)}`);
    state.at += name.length;
    return `\\${character}${name}`;
  }
  if (/[1-9]/.test(character)) unsupported(`the back-reference \\${character}`);
  if (character === 'k') unsupported(String.raw`the back-reference \k`);
  if (/[A-Za-z0]/.test(character)) unsupported(`the escape \\${character}`);
  return /[\w\s]/.test(character) || character > '~' ? character : `\\${character}`;
}

function readClass(state: State): string {
  let out = '[';
  state.at += 1;
  if (state.text.charAt(state.at) === '^') {
    out += '^';
    state.at += 1;
  }
  let items = 0;
  for (; ; items += 1) {
    const character = state.text.charAt(state.at);
    if (character === '') unsupported('a [ without its ]');
    if (character === ']' && items > 0) break;
    if (character === ']' || character === '[')
      unsupported('a bracket inside a character class that has no backslash before it');
    if (character === '&' && state.text.charAt(state.at + 1) === '&')
      unsupported('the intersection && of character classes');
    if (character === '\\') out += readEscape(state, true);
    else {
      out += character;
      state.at += 1;
    }
  }
  state.at += 1;
  return `${out}]`;
}

/** What follows an atom of a size, that repeats as often inside: its repetition. Gives the least number of times. */
function readQuantifier(state: State, size: number, inside: number): number {
  const found = /^(?:[*+?]|\{(\d{1,6})(?:,(\d{0,6}))?\})/.exec(state.text.slice(state.at));
  const most = found?.[2] === undefined || found[2] === '' ? found?.[1] : found[2];
  const times = Math.max(1, Number(most ?? 1));
  state.size += size * times;
  state.nestedRepetition = Math.max(state.nestedRepetition, inside * times);
  if (state.nestedRepetition > bounds.regexpRepetition)
    unsupported(`a repetition of more than ${bounds.regexpRepetition} times`);
  if (state.size > bounds.regexpSize)
    unsupported(`more than ${bounds.regexpSize} parts when its repetitions are written out`);
  if (!found) return 1;
  state.at += found[0].length;
  state.out += found[0];
  const behind = state.text.charAt(state.at);
  if (behind === '+') unsupported('a possessive quantifier');
  if (behind === '?') {
    state.out += '?';
    state.at += 1;
  }
  if (/^[*+?{]/.test(state.text.slice(state.at))) unsupported('a quantifier behind a quantifier');
  return found[1] === undefined ? (found[0] === '+' ? 1 : 0) : Number(found[1]);
}

function readGroup(state: State): boolean {
  const start = state.groups.length;
  const rest = state.text.slice(state.at);
  const flags = /^\(\?([ims]+)(:|\))/.exec(rest);
  const named = /^\(\?<([A-Za-z][A-Za-z0-9]*)>/.exec(rest);
  let opening = '(';
  if (flags) {
    opening = `(?${flags[1]}${flags[2]}`;
    state.at += flags[0].length;
    state.out += opening;
    if (flags[2] === ')') return true;
  } else if (rest.startsWith('(?:')) {
    state.at += 3;
    state.out += '(?:';
  } else if (named || !rest.startsWith('(?')) {
    state.groups.push({ always: true });
    if (named) state.names.set(named[1] ?? '', state.groups.length);
    state.at += named ? named[0].length : 1;
    state.out += opening;
  } else {
    const kinds: Readonly<Record<string, string>> = {
      '=': 'a look-ahead',
      '!': 'a look-ahead',
      '>': 'an atomic group',
      '<': 'a look-behind',
    };
    unsupported(kinds[rest.charAt(2)] ?? `the group ${rest.slice(0, 4)}`);
  }
  const outside = { size: state.size, nestedRepetition: state.nestedRepetition };
  Object.assign(state, { size: 0, nestedRepetition: 1 });
  state.depth += 1;
  if (state.depth > bounds.nesting) unsupported(`more than ${bounds.nesting} groups inside one another`);
  const empty = readAlternatives(state);
  state.depth -= 1;
  if (state.text.charAt(state.at) !== ')') unsupported('a ( without its )');
  state.at += 1;
  state.out += ')';
  const before = state.at;
  const { size, nestedRepetition } = state;
  Object.assign(state, outside);
  const least = readQuantifier(state, size + 1, nestedRepetition);
  if (least === 0 && state.at > before) for (const group of state.groups.slice(start)) group.always = false;
  return empty || least === 0;
}

function readAtom(state: State): boolean {
  const character = state.text.charAt(state.at);
  if (character === '(') return readGroup(state);
  if ('*+?{'.includes(character)) unsupported(`a ${character} with nothing before it`);
  let empty = false;
  if (character === '[') state.out += readClass(state);
  else if (character === '\\') {
    empty = 'bBAz'.includes(state.text.charAt(state.at + 1));
    state.out += readEscape(state, false);
  } else {
    empty = character === '^' || character === '$';
    const point = String.fromCodePoint(state.text.codePointAt(state.at) ?? 0);
    state.out += character === '}' || character === ']' ? `\\${character}` : point;
    state.at += point.length;
  }
  return readQuantifier(state, 1, 1) === 0 || empty;
}

/** Reads alternatives up to a closing parenthesis or the end; says whether they can match the empty text. */
function readAlternatives(state: State): boolean {
  const start = state.groups.length;
  let branches = 1;
  let anyEmpty = false;
  let empty = true;
  while (state.at < state.text.length && state.text.charAt(state.at) !== ')') {
    if (state.text.charAt(state.at) === '|') {
      state.at += 1;
      state.out += '|';
      branches += 1;
      anyEmpty ||= empty;
      empty = true;
      continue;
    }
    const atom = readAtom(state);
    empty &&= atom;
  }
  if (branches > 1) for (const group of state.groups.slice(start)) group.always = false;
  return anyEmpty || empty;
}

/** Reads a regular expression of Java; what RE2 lacks or means otherwise is named. */
export function readRegexp(
  text: string,
): ReadRegexp | { readonly kind: 'unsupported'; readonly what: string } {
  const state: State = {
    text,
    at: 0,
    out: '',
    depth: 0,
    size: 0,
    nestedRepetition: 1,
    groups: [],
    names: new Map(),
  };
  try {
    const matchesEmpty = readAlternatives(state);
    if (state.at < text.length) unsupported('a ) without its (');
    return {
      kind: 'regexp',
      pattern: state.out,
      groupsAlwaysMatch: state.groups.map((group) => group.always),
      names: state.names,
      matchesEmpty,
    };
  } catch (error) {
    if (error instanceof UnsupportedRegexp) return { kind: 'unsupported', what: error.message };
    throw error;
  }
}
