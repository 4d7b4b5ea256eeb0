/** What the beginning of a CloudTrail record tells of the event that it would be, without parsing it. */
export interface RecordGlance {
  /** Such as `aws.iam`. */
  readonly source: string;
  /** Undefined for Insights events, which have none at their top. */
  readonly eventName: string | undefined;
  readonly region: string;
  /** Set where it is certain that rules in state ENABLED do not get it: see `isHiddenFromEnabled`. */
  readonly isHidden: boolean;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Behind the quote that ends a text; `from` stands behind the one that begins it. */
function skipText(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === quote) return at + 1;
    if (byte === backslash) at += 1;
  }
  return bytes.length;
}

/** Behind a value, which ends where a comma or a bracket of what it stands in is met. */
function skipValue(bytes: Uint8Array, from: number): number {
  let depth = 0;
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte === quote) {
      at = skipText(bytes, at + 1);
      continue;
    }
    if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return at;
      depth -= 1;
    } else if (byte === comma && depth === 0) return at;
    at += 1;
  }
  return at;
}

/** Undefined for a text that is not plain ASCII, or has escapes. */
function plainText(bytes: Buffer, from: number, to: number): string | undefined {
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (byte === backslash || byte > 0x7e) return undefined;
  }
  return bytes.toString('latin1', from, to);
}

/** The source of an event that CloudTrail sends for a service ("Events from AWS services"). */
export const sourceOf = (eventSource: string): string =>
  `aws.${eventSource.replace(/\.amazonaws\.com$/, '')}`;

/** Insights events name the service that they are about, and are of CloudTrail's own. */
export const insightSource = 'aws.cloudtrail';

const readingName = /^(?:Describe|Get|List)/;

/**
 * Whether rules in state ENABLED do not get a management event ("Receiving read-only management events from AWS services"):
 * those that only read, but for the few whose names begin otherwise, which rules got all along.
 */
export const isHiddenFromEnabled = (record: {
  readonly category: string | undefined;
  readonly readOnly: boolean;
  readonly eventName: string | undefined;
}): boolean =>
  record.category === 'Management' && record.readOnly && readingName.test(record.eventName ?? '');

/** Of the names that matter. */
const lengths = new Set(
  ['eventSource', 'eventName', 'awsRegion', 'insightDetails'].map((name) => name.length),
);
const writeMark = Buffer.from('"readOnly":false');
const dataMark = Buffer.from('"eventCategory":"Data"');

/**
 * Looks at a record that this Cairn wrote, in which no space stands between members. Undefined when the beginning does not
 * say; only parsing it does then.
 */
export function glanceAtRecord(payload: Uint8Array): RecordGlance | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  let eventSource: string | undefined;
  let eventName: string | undefined;
  let region: string | undefined;
  let isInsight = false;
  for (let at = 1; bytes[at] === quote; at += 1) {
    const nameAt = at + 1;
    const nameEnd = skipText(bytes, nameAt) - 1;
    if (bytes[nameEnd + 1] !== colon) return undefined;
    const valueAt = nameEnd + 2;
    at = skipValue(bytes, valueAt);
    const text = () => plainText(bytes, valueAt + 1, at - 1);
    // Most names are of another length, which is quickly seen.
    switch (lengths.has(nameEnd - nameAt) ? bytes.toString('latin1', nameAt, nameEnd) : '') {
      case 'eventSource':
        eventSource = text();
        break;
      case 'eventName':
        eventName = text();
        break;
      case 'awsRegion':
        region = text();
        break;
      case 'insightDetails':
        isInsight = true;
        break;
      default:
    }
    if (region === undefined) continue;
    if (isInsight) return { source: insightSource, eventName: undefined, region, isHidden: false };
    if (eventSource === undefined || eventName === undefined) continue;
    // A mark may stand in what the caller gave instead: then the parsed record decides.
    const isHidden = readingName.test(eventName) && !bytes.includes(writeMark) && !bytes.includes(dataMark);
    return { source: sourceOf(eventSource), eventName, region, isHidden };
  }
  return undefined;
}
