import type {
  GetObjectLegalHoldOutput,
  GetObjectLegalHoldRequest,
  GetObjectRetentionOutput,
  GetObjectRetentionRequest,
  PutObjectLegalHoldOutput,
  PutObjectLegalHoldRequest,
  PutObjectRetentionOutput,
  PutObjectRetentionRequest,
} from '@aws-sdk/client-s3';
import type { StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { s3Fault } from '../faults.ts';
import { malformedXml } from '../bucket-faults.ts';
import { calledBucket } from '../needs.ts';
import { requireObject } from '../object-answers.ts';
import { missingLock, retentionOf } from '../object-facts.ts';
import { checkRetentionChange, legalHoldStatus } from '../object-lock.ts';
import { onExistingObject, retentionConditions, type ObjectInput } from '../object-needs.ts';
import type { S3Operation, S3Parts } from '../operation.ts';
import { rewriteVersion } from '../version-chain.ts';

/** The version whose protection is read or changed. Throws InvalidRequest in a bucket without object lock. */
async function lockable(input: ObjectInput, view: StateView, method: 'GET' | 'PUT') {
  const bucket = await calledBucket(input, view);
  if (!bucket.objectLock) throw missingLock();
  return requireObject(view, bucket, input, input.VersionId === undefined ? undefined : method);
}

/** Object lock has no actions of its own for versions: what an object needs, a version needs too. */
async function onLock(
  actions: readonly string[],
  input: ObjectInput,
  call: Call,
  parts: S3Parts,
): Promise<readonly Need[]> {
  const needs = await onExistingObject(actions, input, call, parts);
  return needs.map((need) => ({
    ...need,
    action: need.action.replace(/^(s3:(?:Get|Put)Object)Version/, '$1'),
  }));
}

const noLock = () =>
  s3Fault(
    'NoSuchObjectLockConfiguration',
    404,
    'The specified object does not have a ObjectLock configuration',
  );

export const PutObjectRetention: S3Operation<PutObjectRetentionRequest, PutObjectRetentionOutput> = {
  access: 'write',
  category: 'data',
  async needs(input, call, parts) {
    const bypass = input.BypassGovernanceRetention ? ['s3:BypassGovernanceRetention'] : [];
    const needs = await onLock(['s3:PutObjectRetention', ...bypass], input, call, parts);
    const { Mode, RetainUntilDate } = input.Retention ?? {};
    const conditions = retentionConditions(Mode, RetainUntilDate, call.time);
    return needs.map((need) => ({ ...need, conditions: { ...need.conditions, ...conditions } }));
  },
  async handle(input, _call, change, parts) {
    const { retention: now, ...version } = await lockable(input, change, 'PUT');
    const nowMs = parts.clock.now();
    const { Mode, RetainUntilDate } = input.Retention ?? {};
    if ((Mode === undefined) !== (RetainUntilDate === undefined)) {
      throw malformedXml('a retention has both a mode and a date, or neither');
    }
    const next =
      Mode === undefined && RetainUntilDate === undefined
        ? undefined
        : retentionOf(Mode, RetainUntilDate, nowMs);
    checkRetentionChange(now, next, nowMs, input.BypassGovernanceRetention === true);
    const kept = { ...version, ...(next && { retention: next }) };
    await rewriteVersion(change, input.Bucket, input.Key, kept);
    return {};
  },
};

export const GetObjectRetention: S3Operation<GetObjectRetentionRequest, GetObjectRetentionOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => onLock(['s3:GetObjectRetention'], input, call, parts),
  async handle(input, _call, _change, parts) {
    const { retention } = await lockable(input, parts.state, 'GET');
    if (!retention) throw noLock();
    return { Retention: { Mode: retention.mode, RetainUntilDate: new Date(retention.until) } };
  },
};

export const PutObjectLegalHold: S3Operation<PutObjectLegalHoldRequest, PutObjectLegalHoldOutput> = {
  access: 'write',
  category: 'data',
  async needs(input, call, parts) {
    const needs = await onLock(['s3:PutObjectLegalHold'], input, call, parts);
    const status = input.LegalHold?.Status;
    if (status === undefined) return needs;
    const conditions = { 's3:object-lock-legal-hold': [status] };
    return needs.map((need) => ({ ...need, conditions: { ...need.conditions, ...conditions } }));
  },
  async handle(input, _call, change) {
    const version = await lockable(input, change, 'PUT');
    const status = input.LegalHold?.Status;
    if (status !== 'ON' && status !== 'OFF') {
      throw s3Fault(
        'MalformedXML',
        400,
        'The XML you provided was not well-formed or did not validate against our published schema',
      );
    }
    const kept = { ...version, legalHold: status === 'ON' };
    await rewriteVersion(change, input.Bucket, input.Key, kept);
    return {};
  },
};

export const GetObjectLegalHold: S3Operation<GetObjectLegalHoldRequest, GetObjectLegalHoldOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => onLock(['s3:GetObjectLegalHold'], input, call, parts),
  async handle(input, _call, _change, parts) {
    const { legalHold } = await lockable(input, parts.state, 'GET');
    if (legalHold === undefined) throw noLock();
    return { LegalHold: { Status: legalHoldStatus(legalHold) } };
  },
};
