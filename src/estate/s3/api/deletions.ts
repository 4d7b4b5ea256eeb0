import type {
  DeleteObjectOutput,
  DeleteObjectRequest,
  DeleteObjectsOutput,
  DeleteObjectsRequest,
  ObjectIdentifier,
} from '@aws-sdk/client-s3';
import { AwsFault } from '../../../kernel/index.ts';
import type { Change } from '../../../state/index.ts';
import type { Call } from '../../../wire/index.ts';
import type { BucketDocument } from '../bucket-documents.ts';
import { checkIfMatch } from '../conditions.ts';
import { invalidArgument, invalidVersionId, noSuchVersion, s3Fault } from '../faults.ts';
import { calledBucket } from '../needs.ts';
import { readCurrent } from '../object-documents.ts';
import { checkKey } from '../object-facts.ts';
import { onDeletedObject } from '../object-needs.ts';
import type { Removed } from '../object-store.ts';
import type { Given, S3Operation, S3Parts } from '../operation.ts';
import { note, recordedDeletions, type Deletion } from '../recorded-call.ts';
import { isVersionId } from '../version-chain.ts';

/** "DeleteObjects": up to 1,000 keys in one request. */
const mostKeys = 1000;

interface ConditionalDelete {
  readonly IfMatchLastModifiedTime?: Date | undefined;
  readonly IfMatchSize?: number | undefined;
}

/** Conditions that only directory buckets know are refused by name: passed over, they would delete too much. */
function refuseDirectoryConditions(input: ConditionalDelete): void {
  if (input.IfMatchLastModifiedTime !== undefined || input.IfMatchSize !== undefined) {
    throw s3Fault(
      'NotImplemented',
      501,
      'Conditions on the time and size of what is deleted are for directory buckets; use If-Match.',
    );
  }
}

/** Whatever its value, the header has no meaning in a bucket without Object Lock. */
function refuseIdleBypass(
  { BypassGovernanceRetention: given }: { readonly BypassGovernanceRetention?: boolean | undefined },
  bucket: BucketDocument,
): void {
  if (given === undefined || bucket.objectLock) return;
  throw invalidArgument(
    'x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.',
    'x-amz-bypass-governance-retention',
  );
}

const deleteAnswer = (removed: Removed) => ({
  ...(removed.deleteMarker && { DeleteMarker: true }),
  ...(removed.versionId !== undefined && { VersionId: removed.versionId }),
});

export const DeleteObject: S3Operation<DeleteObjectRequest, DeleteObjectOutput> = {
  access: 'write',
  category: 'data',
  async needs(input, call, parts) {
    return onDeletedObject(input, await calledBucket(input, parts.state), call);
  },
  async handle(input, call, change, parts) {
    const bucket = await calledBucket(input, change);
    checkKey(bucket.name, input.Key);
    refuseDirectoryConditions(input);
    refuseIdleBypass(input, bucket);
    const { VersionId } = input;
    if (VersionId !== undefined && !isVersionId(VersionId)) throw invalidVersionId(VersionId);
    if (input.IfMatch !== undefined) {
      checkIfMatch(input.IfMatch, input.Key, await readCurrent(change, bucket.name, input.Key));
    }
    const removed = await parts.objects.remove(change, bucket, input.Key, {
      ...(VersionId !== undefined && { versionId: VersionId }),
      bypassGovernance: input.BypassGovernanceRetention === true,
      cause: { kind: 'call', call },
    });
    return deleteAnswer(removed);
  },
};

type BatchInput = Given<DeleteObjectsRequest>;

async function deleteOne(
  one: ObjectIdentifier,
  input: BatchInput,
  at: {
    readonly bucket: BucketDocument;
    readonly call: Call;
    readonly change: Change;
    readonly parts: S3Parts;
  },
): Promise<Removed> {
  const { bucket, call, change, parts } = at;
  const { Key = '', VersionId, ETag } = one;
  const bypass = input.BypassGovernanceRetention;
  const asked = { Bucket: bucket.name, Key, VersionId, BypassGovernanceRetention: bypass, IfMatch: ETag };
  checkKey(bucket.name, Key);
  refuseDirectoryConditions({ IfMatchLastModifiedTime: one.LastModifiedTime, IfMatchSize: one.Size });
  await parts.authorise(call, onDeletedObject(asked, bucket, call));
  // Not InvalidArgument, as DeleteObject answers.
  if (VersionId !== undefined && !isVersionId(VersionId)) throw noSuchVersion(Key, VersionId);
  if (ETag !== undefined) {
    checkIfMatch(ETag, Key, await readCurrent(change, bucket.name, Key));
  }
  return parts.objects.remove(change, bucket, Key, {
    ...(VersionId !== undefined && { versionId: VersionId }),
    bypassGovernance: bypass === true,
    cause: { kind: 'call', call },
  });
}

const shownDeletion = ({ Key, VersionId }: ObjectIdentifier, removed: Removed) => ({
  Key,
  ...(VersionId !== undefined && { VersionId }),
  ...(removed.deleteMarker && { DeleteMarker: true, DeleteMarkerVersionId: removed.versionId }),
});

/** Permission is asked for each key on its own: what one may not be deleted, the others are. */
export const DeleteObjects: S3Operation<DeleteObjectsRequest, DeleteObjectsOutput> = {
  access: 'write',
  category: 'data',
  async needs(input, _call, parts) {
    await calledBucket(input, parts.state);
    return [];
  },
  async handle(input, call, change, parts) {
    const bucket = await calledBucket(input, change);
    refuseIdleBypass(input, bucket);
    const asked = input.Delete.Objects ?? [];
    if (asked.length === 0 || asked.length > mostKeys) {
      throw s3Fault(
        'MalformedXML',
        400,
        'The XML you provided was not well-formed or did not validate against our published schema',
      );
    }
    const deleted: NonNullable<DeleteObjectsOutput['Deleted']> = [];
    const errors: NonNullable<DeleteObjectsOutput['Errors']> = [];
    const deletions: Deletion[] = [];
    for (const one of asked) {
      const of = { key: one.Key ?? '', versionId: one.VersionId };
      try {
        const removed = await deleteOne(one, input, { bucket, call, change, parts });
        deleted.push(shownDeletion(one, removed));
        deletions.push({ ...of, output: deleteAnswer(removed) });
      } catch (error) {
        if (!(error instanceof AwsFault)) throw error;
        const { code, message } = error;
        errors.push({ Key: one.Key, VersionId: one.VersionId, Code: code, Message: message });
        deletions.push({ ...of, error: { code, message } });
      }
    }
    note(input, { deletions });
    return {
      ...(!input.Delete.Quiet && { Deleted: deleted }),
      ...(errors.length > 0 && { Errors: errors }),
    };
  },
  recordedParts: recordedDeletions,
};
