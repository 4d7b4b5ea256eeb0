import { crc32 } from 'node:zlib';
import { AwsFault } from '../../kernel/index.ts';

/**
 * The place of an event in the one fixed order of the history: newest first by eventTime; among events of the same time
 * by a hash of the eventID, then by the eventID and the account. It depends on the event alone, so it is the same
 * wherever the event is stored.
 */
export interface EventPosition {
  /** Epoch milliseconds. */
  readonly eventTime: number;
  readonly eventId: string;
  readonly accountId: string;
}

/** 32 bits of a text, spread evenly (FNV-1a over UTF-16 units, then the finaliser of MurmurHash3). */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Negative when `one` comes first. */
export function comparePositions(one: EventPosition, other: EventPosition): number {
  return (
    other.eventTime - one.eventTime ||
    hash32(one.eventId) - hash32(other.eventId) ||
    compareText(one.eventId, other.eventId) ||
    compareText(one.accountId, other.accountId)
  );
}

/** Writes a position as an opaque token, safe in URLs. */
export function writeToken(position: EventPosition): string {
  const body = Buffer.from(JSON.stringify([position.eventTime, position.eventId, position.accountId]));
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(body));
  return Buffer.concat([sum, body]).toString('base64url');
}

/** Reads a token back. Throws `InvalidNextTokenException` for anything that `writeToken` did not write. */
export function readToken(token: string): EventPosition {
  const bytes = Buffer.from(token, 'base64url');
  const body = bytes.subarray(4);
  const isWhole =
    bytes.length > 4 && bytes.readUInt32LE(0) === crc32(body) && bytes.toString('base64url') === token;
  if (!isWhole) {
    throw new AwsFault(
      'InvalidNextTokenException',
      'The next token is not one that a previous page returned.',
    );
  }
  const [eventTime, eventId, accountId] = JSON.parse(body.toString()) as [number, string, string];
  return { eventTime, eventId, accountId };
}
