import { isAscii } from 'node:buffer';
import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  openBrace,
  openBracket,
  quote,
  skipSpace,
  skipText,
  skipValue,
} from './json-bytes.ts';
import type { RecordFields } from './record-fields.ts';
import {
  placeOfName,
  recordNode,
  resourceNode,
  resourceSpans,
  spanCount,
  wordSpans,
  type Member,
  type MemberNode,
} from './record-members.ts';

/*
 * Takes the indexed members out of a record's bytes in one pass that also checks the JSON. Rare shapes (a member name
 * with an escape, a member that stands twice) are left to JSON.parse, which is the measure of what they mean.
 */

/** Results of the walk beside positions. */
const invalid = -1;
const unusual = -2;

const resourcesName = Buffer.from('resources');

/** Decodes a range of bytes; Node has it on every buffer, faster than `toString` for short texts. */
interface Slices {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/** What one walk gathers. It is used again for each record, because making it anew costs as much as the walk. */
interface Gathered {
  bytes: Uint8Array;
  slices: Slices;
  end: number;
  /** The first backslash from the record's start on; Infinity where there is none. */
  backslashAt: number;
  /** For each span: where the value's text begins and ends, without the quotes. Begin -1: absent. End -1: no text. */
  readonly spans: Int32Array;
  /** Number of the naming parameter, begin and end of its text. */
  named: number[];
  /** Begin and end of name and type of each of the record's own resources; -1 where absent. */
  resources: number[];
}

function findMember(node: MemberNode, bytes: Uint8Array, from: number, to: number): Member | undefined {
  const length = to - from;
  if (length === 0) return undefined;
  let member = node.places[placeOfName(length, bytes[from] as number, bytes[to - 1] as number)];
  for (; member; member = member.next) {
    const { name } = member;
    if (name.length !== length) continue;
    let index = 0;
    while (index < length && name[index] === bytes[from + index]) index += 1;
    if (index === length) return member;
  }
  return undefined;
}

/** Reads the text or bare word of a span. */
function readSpan(gathered: Gathered, span: number, at: number): number {
  const { bytes, end, spans } = gathered;
  if ((spans[span * 2] as number) !== -1) return unusual;
  const isText = bytes[at] === quote;
  const behind = isText ? skipText(bytes, at + 1, end) : skipValue(bytes, at, end);
  if (behind < 0) return invalid;
  spans[span * 2] = isText ? at + 1 : at;
  const isWord = wordSpans.has(span) && (bytes[at] === 0x74 || bytes[at] === 0x66);
  spans[span * 2 + 1] = isText ? behind - 1 : isWord ? behind : -1;
  return behind;
}

/** Reads the elements of a list with `read`, which takes and gives positions. */
function readList(gathered: Gathered, from: number, read: (at: number) => number): number {
  const { bytes, end } = gathered;
  let at = skipSpace(bytes, from + 1, end);
  if (at < end && bytes[at] === closeBracket) return at + 1;
  for (;;) {
    at = read(at);
    if (at < 0) return at;
    at = skipSpace(bytes, at, end);
    if (at >= end) return invalid;
    if (bytes[at] === closeBracket) return at + 1;
    if (bytes[at] !== comma) return invalid;
    at = skipSpace(bytes, at + 1, end);
  }
}

function readResource(gathered: Gathered, at: number): number {
  const { bytes, end, spans } = gathered;
  if (bytes[at] !== openBrace) return skipValue(bytes, at, end);
  spans.fill(-1, resourceSpans.ARN * 2);
  const behind = readObject(gathered, resourceNode, at);
  if (behind < 0) return behind;
  const textSpan = (span: number) => (spans[span * 2 + 1] as number) > (spans[span * 2] as number);
  const name = textSpan(resourceSpans.ARN) ? resourceSpans.ARN : resourceSpans.ARNPrefix;
  if (textSpan(name) || textSpan(resourceSpans.type)) {
    for (const span of [name, resourceSpans.type]) {
      if (textSpan(span)) gathered.resources.push(spans[span * 2] as number, spans[span * 2 + 1] as number);
      else gathered.resources.push(-1, -1);
    }
  }
  return behind;
}

/** Reads the value of a naming parameter, or of an object on the way to one. Lists are passed through one level deep. */
function readNaming(gathered: Gathered, { parameter, child }: Member, at: number, inLists: boolean): number {
  const { bytes, end } = gathered;
  const byte = bytes[at];
  if (byte === quote) {
    const behind = skipText(bytes, at + 1, end);
    if (behind > at + 2 && parameter >= 0) gathered.named.push(parameter, at + 1, behind - 1);
    return behind;
  }
  if (byte === openBrace && child) return readObject(gathered, child, at);
  if (byte !== openBracket || !inLists) return skipValue(bytes, at, end);
  const element: Member = { name: resourcesName, span: -1, parameter, child, bit: 0, next: undefined };
  return readList(gathered, at, (start) => readNaming(gathered, element, start, false));
}

function readMember(gathered: Gathered, member: Member, at: number): number {
  if (member.span >= 0) return readSpan(gathered, member.span, at);
  const { bytes, end } = gathered;
  const isResources = member.child !== undefined && member.parameter < 0 && member.name.length === 9;
  if (isResources && resourcesName.equals(member.name)) {
    if (bytes[at] !== openBracket) return skipValue(bytes, at, end);
    return readList(gathered, at, (start) => readResource(gathered, start));
  }
  return readNaming(gathered, member, at, member.parameter >= 0 || (member.child?.inLists ?? false));
}

/** Whether this object has named a resource by this parameter before: the member stands twice. */
function isNamedTwice(named: readonly number[], from: number, parameter: number): boolean {
  for (let index = from; index < named.length; index += 3) if (named[index] === parameter) return true;
  return false;
}

function containsBackslash(bytes: Uint8Array, from: number, to: number): boolean {
  for (let index = from; index < to; index += 1) if (bytes[index] === backslash) return true;
  return false;
}

/** Walks an object of which some members matter; `from` stands at its brace. */
function readObject(gathered: Gathered, node: MemberNode, from: number): number {
  const { bytes, end, named } = gathered;
  const namedBefore = named.length;
  let seen = 0;
  let at = skipSpace(bytes, from + 1, end);
  if (at < end && bytes[at] === closeBrace) return at + 1;
  for (;;) {
    if (at >= end || bytes[at] !== quote) return invalid;
    const nameAt = at + 1;
    at = skipText(bytes, nameAt, end);
    if (at < 0) return invalid;
    const member = findMember(node, bytes, nameAt, at - 1);
    if (!member && gathered.backslashAt < at && containsBackslash(bytes, nameAt, at - 1)) return unusual;
    at = skipSpace(bytes, at, end);
    if (at >= end || bytes[at] !== colon) return invalid;
    at = skipSpace(bytes, at + 1, end);
    if (at >= end) return invalid;
    if (!member) at = skipValue(bytes, at, end);
    else {
      if (member.child) {
        if ((seen & member.bit) !== 0) return unusual;
        seen |= member.bit;
      }
      if (member.parameter >= 0 && isNamedTwice(named, namedBefore, member.parameter)) return unusual;
      at = readMember(gathered, member, at);
    }
    if (at < 0) return at;
    at = skipSpace(bytes, at, end);
    if (at >= end) return invalid;
    if (bytes[at] === closeBrace) return at + 1;
    if (bytes[at] !== comma) return invalid;
    at = skipSpace(bytes, at + 1, end);
  }
}

/**
 * Gives the texts of spans of the record that stands between `from` and `to`. Plain ASCII, by far the most frequent, is
 * read without decoding.
 */
function openTexts(
  { bytes, slices, backslashAt }: Gathered,
  from: number,
  to: number,
): (start: number, end: number) => string | undefined {
  const isPlain = isAscii(bytes.subarray(from, to));
  return (start, end) => {
    if (start >= end) return undefined;
    const text = isPlain ? slices.latin1Slice(start, end) : slices.utf8Slice(start, end);
    const isEscaped = backslashAt < end && text.includes('\\');
    return isEscaped ? (JSON.parse(`"${text}"`) as string).toWellFormed() : text;
  };
}

function namedInOrder(gathered: Gathered, textOf: (start: number, end: number) => string | undefined) {
  const { named } = gathered;
  const result: (readonly [number, string])[] = [];
  for (let index = 0; index < named.length; index += 3) {
    result.push([
      named[index] as number,
      textOf(named[index + 1] as number, named[index + 2] as number) ?? '',
    ]);
  }
  return result.length > 1 ? result.toSorted((one, other) => one[0] - other[0]) : result;
}

function fieldsOf(gathered: Gathered, from: number, to: number): RecordFields {
  const { spans, resources } = gathered;
  const textOf = openTexts(gathered, from, to);
  const span = (index: number) => textOf(spans[index * 2] as number, spans[index * 2 + 1] as number);
  const own: RecordFields['resources'] = [];
  for (let index = 0; index < resources.length; index += 4) {
    own.push({
      name: textOf(resources[index] as number, resources[index + 1] as number),
      type: textOf(resources[index + 2] as number, resources[index + 3] as number),
    });
  }
  return {
    eventID: span(0),
    eventTime: span(1),
    eventName: span(2),
    eventSource: span(3),
    eventCategory: span(4),
    eventType: span(5),
    errorCode: span(6),
    sourceIPAddress: span(7),
    recipientAccountId: span(8),
    awsRegion: span(9),
    readOnly: span(10),
    type: span(11),
    arn: span(12),
    userName: span(13),
    accessKeyId: span(14),
    accountId: span(15),
    principalId: span(16),
    invokedBy: span(17),
    issuerUserName: span(18),
    managementEvent: span(19),
    dataEventName: span(20),
    dataEventSource: span(21),
    dataErrorCode: span(22),
    dataSourceIPAddress: span(23),
    dataType: span(24),
    dataPrincipalId: span(25),
    resources: own,
    named: namedInOrder(gathered, textOf),
  };
}

/** An object that was walked, and where it ends. */
export interface ObjectScan {
  /** `unusual`: what it means is for JSON.parse to say. */
  readonly fields: RecordFields | 'unusual';
  /** Behind its closing brace. */
  readonly behind: number;
}

/** Used again by every scanner, because making it anew costs as much as a walk; a scan is over before the next begins. */
const sharedSpans = new Int32Array(spanCount * 2);

/**
 * Scans objects that stand in the same bytes, which must be valid UTF-8. The result takes the offset of an object's brace,
 * in ascending order from call to call; it gives undefined where no JSON object stands.
 */
export function openObjectScanner(bytes: Uint8Array): (from: number) => ObjectScan | undefined {
  const { length } = bytes;
  const gathered: Gathered = {
    bytes,
    slices: Buffer.from(bytes.buffer, bytes.byteOffset, length) as unknown as Slices,
    end: length,
    backslashAt: -1,
    spans: sharedSpans,
    named: [],
    resources: [],
  };
  return (from) => {
    if (gathered.backslashAt < from) {
      const at = bytes.indexOf(backslash, from);
      gathered.backslashAt = at < 0 ? Infinity : at;
    }
    gathered.spans.fill(-1);
    gathered.named = [];
    gathered.resources = [];
    if (from >= length || bytes[from] !== openBrace) return undefined;
    const behind = readObject(gathered, recordNode, from);
    if (behind >= 0) return { fields: fieldsOf(gathered, from, behind), behind };
    const whole = behind === unusual ? skipValue(bytes, from, length) : -1;
    return whole < 0 ? undefined : { fields: 'unusual', behind: whole };
  };
}
