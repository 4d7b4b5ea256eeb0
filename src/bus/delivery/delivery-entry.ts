import { decodeHeaded, encodeHeaded, type NewEntry } from '../../journal/index.ts';

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

/** The entry of a delivery: its head, then what is sent. */
export const encodeDelivery = (head: DeliveryHead, body: string): NewEntry => encodeHeaded(head, body);

/** Throws a SyntaxError for a payload that is none. */
export const decodeDelivery = (payload: Uint8Array) => decodeHeaded<DeliveryHead>(payload, 1, 'a delivery');
