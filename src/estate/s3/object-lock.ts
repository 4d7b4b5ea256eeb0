import type { BucketDocument } from './bucket-documents.ts';
import { accessDenied } from './faults.ts';
import type { ObjectVersion, Retention } from './object-documents.ts';

const dayMs = 86_400_000;

/** The retention that a new object of the bucket gets when its request gives none. */
export function defaultRetention(bucket: BucketDocument, nowMs: number): Retention | undefined {
  const given = bucket.objectLock?.defaultRetention;
  if (!given) return undefined;
  const { mode, days = 0, years = 0 } = given;
  return { mode, until: nowMs + (days + years * 365) * dayMs };
}

/** Whether a version is protected from being deleted at this moment ("How S3 Object Lock works"). */
export function isLocked(
  version: Pick<ObjectVersion, 'retention' | 'legalHold'>,
  nowMs: number,
  bypassGovernance: boolean,
): boolean {
  if (version.legalHold) return true;
  const { retention } = version;
  if (!retention || retention.until <= nowMs) return false;
  return retention.mode === 'COMPLIANCE' || !bypassGovernance;
}

/** A legal hold as S3 writes it. */
export const legalHoldStatus = (isOn: boolean) => (isOn ? ('ON' as const) : ('OFF' as const));

export const lockedFault = () => accessDenied('Access Denied because object protected by object lock.');

/**
 * Throws unless `next` may replace `now`: protection may always be longer; compliance neither shrinks nor changes, and
 * governance shrinks, or turns to compliance, only for whoever may bypass it ("users can't … alter its lock settings unless
 * they have special permissions").
 */
export function checkRetentionChange(
  now: Retention | undefined,
  next: Retention | undefined,
  nowMs: number,
  bypassGovernance: boolean,
): void {
  if (!now || now.until <= nowMs) return;
  const grows = next !== undefined && next.until >= now.until && next.mode === now.mode;
  if (grows) return;
  if (now.mode === 'COMPLIANCE' || !bypassGovernance) throw lockedFault();
}
