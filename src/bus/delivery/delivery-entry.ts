import { assert } from '../../kernel/index.ts';
import type { NewEntry } from '../../journal/index.ts';

/** Values of HTTP parameters, as they are sent. */
export interface DeliveryHttp {
  /** For the `*` of the endpoint's path, in order. */
  readonly path: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

/** What a delivery of the journal's stream `bus` says before what it sends. FORMAT.md describes it. */
export interface DeliveryHead {
  readonly version: 1;
  /** Sequence in the stream `audit` of the entry that it comes from. */
  readonly from: number;
  /** Set on the last one of that entry: all of them are there. */
  readonly isLast?: true;
  /** ARN of the rule that matched. */
  readonly rule: string;
  /** Id of the rule's target. */
  readonly id: string;
  /** ARN of what is invoked. */
  readonly target: string;
  /** ARN of the role with which it is invoked. */
  readonly role: string;
  /** Of the target's RetryPolicy. */
  readonly retries: number;
  readonly ageSeconds: number;
  /** The event's own id. */
  readonly event: string;
  readonly http?: DeliveryHttp;
}

const lineFeed = 0x0a;

/** The entry of a delivery: its head in a line of JSON, then what is sent. */
export function encodeDelivery(head: DeliveryHead, body: string): NewEntry {
  return { kind: 'event', payload: Buffer.from(`${JSON.stringify(head)}\n${body}`) };
}

/** Throws a SyntaxError for a payload that is none. */
export function decodeDelivery(payload: Uint8Array): {
  readonly head: DeliveryHead;
  readonly body: Uint8Array;
} {
  const end = payload.indexOf(lineFeed);
  const line = Buffer.from(payload.buffer, payload.byteOffset, Math.max(0, end)).toString();
  const head = JSON.parse(line) as DeliveryHead;
  assert(
    head.version === 1,
    `a delivery of version ${String(head.version)}, which this program does not know`,
  );
  return { head, body: payload.subarray(end + 1) };
}
