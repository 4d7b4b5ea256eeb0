import { assert, formatArn } from '../kernel/index.ts';
import type { NewEntry } from './journal-types.ts';

/** An event as EventBridge's user guide shows them (page "Event structure"), before its detail. */
export interface BusEvent {
  /** A UUID. */
  readonly id: string;
  readonly detailType: string;
  readonly source: string;
  /** Whose event it is; 12 digits. */
  readonly account: string;
  readonly region: string;
  /** Epoch milliseconds; events have whole seconds. */
  readonly time: number;
  readonly resources: readonly string[];
  /** JSON text of an object. It stands in the event as it is. */
  readonly detail: string;
}

/** The JSON text of an event, in the order of members in which EventBridge sends them. */
export function busEventText(event: BusEvent): string {
  const time = `${new Date(event.time).toISOString().slice(0, 19)}Z`;
  const head = {
    version: '0',
    id: event.id,
    'detail-type': event.detailType,
    source: event.source,
    account: event.account,
    time,
    region: event.region,
    resources: event.resources,
  };
  return `${JSON.stringify(head).slice(0, -1)},"detail":${event.detail}}`;
}

/** ARN of the bus that services send their events to ("Events from AWS services"). */
export const defaultBusArn = (account: string, region: string): string =>
  formatArn('events', region, account, 'event-bus/default');

/** Where an event of the journal goes. */
export interface BusEventHead {
  readonly version: 1;
  /** ARN of the event bus that it was put on. */
  readonly bus: string;
}

const lineFeed = 0x0a;

/** An entry of kind `event`: a head in a line of JSON, then a body, byte for byte. */
export function encodeHeaded(head: { readonly version: number }, body: string): NewEntry {
  return { kind: 'event', payload: Buffer.from(`${JSON.stringify(head)}\n${body}`) };
}

/** Head and body of such an entry. Throws a SyntaxError for a payload that is none; `what` names it where its version is unknown. */
export function decodeHeaded<Head extends { readonly version: number }>(
  payload: Uint8Array,
  known: Head['version'],
  what: string,
): { readonly head: Head; readonly body: Uint8Array } {
  const end = payload.indexOf(lineFeed);
  const line = Buffer.from(payload.buffer, payload.byteOffset, Math.max(0, end)).toString();
  const head = JSON.parse(line) as Head;
  assert(head.version === known, `${what} of version ${head.version}, which this program does not know`);
  return { head, body: payload.subarray(end + 1) };
}

/** The entry of an event for a bus, which `bus` names by its ARN. */
export function encodeBusEvent(bus: string, text: string): NewEntry {
  const head: BusEventHead = { version: 1, bus };
  return encodeHeaded(head, text);
}

/** The bus that an event is for, and its text. Throws a SyntaxError for a payload that is none. */
export function decodeBusEvent(payload: Uint8Array): {
  readonly head: BusEventHead;
  readonly raw: Uint8Array;
} {
  const { head, body } = decodeHeaded<BusEventHead>(payload, 1, 'an event');
  return { head, raw: body };
}
