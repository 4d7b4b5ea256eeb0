import type { DigestLink } from './digest-format.ts';
import type { TrailDocument } from '../trails/trail-documents.ts';

/** A digest in its bucket, and the times (epoch milliseconds) that it covers. */
export interface DeliveredDigest extends DigestLink {
  readonly startTime: number;
  readonly endTime: number;
}

/**
 * A digest that is about to be put, and everything that determines its bytes: the log files are those that were known
 * when the plan was committed, which is when their documents have a lower version than the plan's.
 */
export interface PlannedDigest extends DeliveredDigest {
  readonly kind: 'regular' | 'backfill';
  /** Lists the files with `filesFrom` <= deliveredAt < `filesBefore`. */
  readonly filesFrom: number;
  readonly filesBefore: number;
  readonly fingerprint: string;
  /** Epoch milliseconds. */
  readonly generatedAt: number;
  readonly previous?: DigestLink;
  /** Logging has been stopped: the next digest, if there is one, starts a new chain. */
  readonly isFinal: boolean;
}

/** What digests are delivered with; a copy, so that a change of the trail leaves what is planned as it is. */
export type ChainTrail = Pick<
  TrailDocument,
  'arn' | 'incarnation' | 'name' | 'accountId' | 'homeRegion' | 'bucket' | 'prefix' | 'kmsKeyArn'
>;

/** The digests of one trail in one region, under `trail/digest-chains/TRAIL-ID/REGION`. */
export interface ChainDocument {
  readonly trail: ChainTrail;
  readonly region: string;
  /** The trail's `startedAt` when the chain was begun, so that a restart is seen. */
  readonly loggingSince: number;
  /** Where the next digest begins, epoch milliseconds, whole seconds. */
  readonly nextStart: number;
  /** The newest digest; absent before the first of a chain. */
  readonly head?: DeliveredDigest;
  /** The newest backfill digest; these are a chain of their own. */
  readonly backfillHead?: DeliveredDigest & { readonly generatedAt: number };
  /** Of a chain that was begun after the trail's deletion: where its only digest ends. */
  readonly endsAt?: number;
  /** The final digest of the chain has been delivered. */
  readonly isClosed?: true;
  readonly pending?: PlannedDigest;
}

/** A key pair, under `trail/digest-keys/REGION/FINGERPRINT`. Times are epoch milliseconds. */
export interface DigestKeyDocument {
  readonly region: string;
  readonly fingerprint: string;
  /** PKCS#1 RSAPublicKey in DER, base 64. */
  readonly publicKey: string;
  /** PKCS#8 in DER, sealed, base 64; taken away when the key signs no more. */
  readonly privateKey?: string;
  /** Digests that end in this time are signed with the key: `validFrom` <= digestEndTime < `validTo`. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** For GetTrailStatus, under `trail/status/TRAIL-ID/digest`. */
export interface DigestStatusDocument {
  /** Epoch milliseconds. */
  readonly latestAt?: number;
  readonly latestError?: string;
}

export const chainsPrefix = 'trail/digest-chains/';
export const chainKey = (id: string, region: string): string => `${chainsPrefix}${id}/${region}`;
export const digestKeysPrefix = (region: string): string => `trail/digest-keys/${region}/`;
export const digestStatusKey = (id: string): string => `trail/status/${id}/digest`;
