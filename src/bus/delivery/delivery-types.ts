import type { DeliveryHead } from './delivery-entry.ts';

/** What came of one attempt. */
export type Outcome =
  | { readonly kind: 'delivered' }
  | {
      readonly kind: 'failed';
      /** For the log: without anything secret. */
      readonly reason: string;
      /** Whether it is worth trying again. */
      readonly isFinal: boolean;
      /** How long the target wants to be left alone. */
      readonly retryAfterMs?: number;
    };

/** Invokes targets. */
export interface Invoker {
  /** How many attempts a second the target may get; undefined where there is no bound. */
  ratePerSecond(target: string): Promise<number | undefined>;
  /** One attempt. Rejects only for what the program did wrong, or when it is aborted. */
  invoke(head: DeliveryHead, body: Uint8Array, signal: AbortSignal): Promise<Outcome>;
}
