import { AwsFault, limits } from '../../kernel/index.ts';
import { decodeUtf8 } from './text.ts';

/** An XML element; prefixes are taken off its name, attributes keep theirs (`xsi:type`). */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  /** The text directly inside, in one piece. */
  text: string;
}

/**
 * Parses an XML document from a client that is not trusted. Document types are refused altogether, so there are no
 * entities beyond the five of XML itself and characters by number, and nothing is ever fetched; nesting and the number
 * of elements are bounded. Throws MalformedXML (400).
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw malformedXml('it is not UTF-8');
  const input: Input = { text, at: 0, nodes: 0 };
  skipMisc(input);
  const root = element(input);
  skipMisc(input);
  if (input.at !== text.length) throw malformedXml('something follows the root element');
  return root;
}

interface Input {
  readonly text: string;
  at: number;
  /** Elements and attributes. */
  nodes: number;
}

const space = /[ \t\r\n]*/y;
const nameAt = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y;

function take(input: Input, pattern: RegExp): string | undefined {
  pattern.lastIndex = input.at;
  const found = pattern.exec(input.text)?.[0];
  if (found !== undefined) input.at += found.length;
  return found;
}

function skipMisc(input: Input): void {
  for (;;) {
    take(input, space);
    if (input.text.startsWith('<?', input.at)) skipTo(input, '?>');
    else if (input.text.startsWith('<!--', input.at)) skipTo(input, '-->');
    else return;
  }
}

/** Moves behind the next `end` and gives what stood before it. */
function skipTo(input: Input, end: string): string {
  const found = input.text.indexOf(end, input.at);
  if (found === -1) throw malformedXml(`"${end}" is missing`);
  const before = input.text.slice(input.at, found);
  input.at = found + end.length;
  return before;
}

/** Reads an element with all that is in it, without recursion. */
function element(input: Input): XmlElement {
  const open: { element: XmlElement; qualified: string }[] = [];
  for (;;) {
    const parent = open.at(-1);
    if (parent) parent.element.text += characters(input);
    if (parent && input.text.startsWith('</', input.at)) {
      closeTag(input, parent.qualified);
      open.pop();
      if (open.length === 0) return parent.element;
      continue;
    }
    const started = startTag(input);
    parent?.element.children.push(started.element);
    if (!started.empty) open.push(started);
    else if (!parent) return started.element;
    if (open.length > limits.requestDepth) throw malformedXml('it is nested too deeply');
  }
}

function startTag(input: Input): { element: XmlElement; qualified: string; empty: boolean } {
  if (input.text[input.at] !== '<') throw malformedXml('an element is missing');
  input.at += 1;
  countNode(input);
  const qualified = take(input, nameAt);
  if (qualified === undefined) {
    throw malformedXml(
      input.text.startsWith('!DOCTYPE', input.at) ? 'document types are refused' : 'a tag has no name',
    );
  }
  const attributes = new Map<string, string>();
  for (;;) {
    const gap = take(input, space);
    if (input.text.startsWith('/>', input.at) || input.text[input.at] === '>') break;
    if (gap === '') throw malformedXml('a tag is not well-formed');
    countNode(input);
    attribute(input, attributes);
  }
  const empty = input.text[input.at] === '/';
  input.at += empty ? 2 : 1;
  const name = qualified.slice(qualified.indexOf(':') + 1);
  return { element: { name, attributes, children: [], text: '' }, qualified, empty };
}

function countNode(input: Input): void {
  input.nodes += 1;
  if (input.nodes > limits.xmlElements) {
    throw malformedXml(`it has more than ${limits.xmlElements} elements and attributes`);
  }
}

function attribute(input: Input, attributes: Map<string, string>): void {
  const name = take(input, nameAt);
  if (name === undefined) throw malformedXml('an attribute has no name');
  take(input, space);
  if (input.text[input.at] !== '=') throw malformedXml('an attribute has no value');
  input.at += 1;
  take(input, space);
  const quote = input.text[input.at];
  if (quote !== '"' && quote !== "'") throw malformedXml('an attribute is not quoted');
  input.at += 1;
  const raw = skipTo(input, quote);
  if (raw.includes('<')) throw malformedXml('an attribute holds "<"');
  if (attributes.has(name)) throw malformedXml('an attribute stands twice');
  attributes.set(name, unescape(raw));
}

function closeTag(input: Input, qualified: string): void {
  input.at += 2;
  if (take(input, nameAt) !== qualified) throw malformedXml(`<${qualified}> is not closed`);
  take(input, space);
  if (input.text[input.at] !== '>') throw malformedXml('a tag is not well-formed');
  input.at += 1;
}

/** Text, CDATA sections, comments and instructions up to the next tag. */
function characters(input: Input): string {
  let text = '';
  for (;;) {
    const next = input.text.indexOf('<', input.at);
    if (next === -1) throw malformedXml('an element is not closed');
    if (next > input.at) text += unescape(input.text.slice(input.at, next).replaceAll(/\r\n?/g, '\n'));
    input.at = next;
    if (input.text.startsWith('<![CDATA[', next)) {
      input.at += 9;
      text += checked(skipTo(input, ']]>').replaceAll(/\r\n?/g, '\n'));
    } else if (input.text.startsWith('<!--', next)) skipTo(input, '-->');
    else if (input.text.startsWith('<?', next)) skipTo(input, '?>');
    else return text;
  }
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(text: string): string {
  const plain = text.includes('&')
    ? text.replaceAll(/&([^;&]{0,12});?/g, (whole, name: string) => {
        const value = whole.endsWith(';') ? entity(name) : undefined;
        if (value === undefined) throw malformedXml('an entity is not known');
        return value;
      })
    : text;
  return checked(plain);
}

function entity(name: string): string | undefined {
  const match = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))$/.exec(name);
  if (!match) return Object.hasOwn(named, name) ? named[name] : undefined;
  const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16);
  return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? undefined : String.fromCodePoint(code);
}

/** Characters that XML 1.0 does not allow, whether written plainly or by number. */
// oxlint-disable-next-line no-control-regex
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

function checked(text: string): string {
  if (forbidden.test(text)) throw malformedXml('it holds a character that XML does not allow');
  return text;
}

export function malformedXml(what: string): AwsFault {
  return new AwsFault(
    'MalformedXML',
    `The XML you provided was not well-formed or did not validate against our published schema: ${what}.`,
    { status: 400 },
  );
}
