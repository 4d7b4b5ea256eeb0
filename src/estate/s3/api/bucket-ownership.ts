import type {
  DeleteBucketOwnershipControlsRequest,
  GetBucketAclOutput,
  GetBucketAclRequest,
  GetBucketOwnershipControlsOutput,
  GetBucketOwnershipControlsRequest,
  PutBucketAclRequest,
  PutBucketOwnershipControlsRequest,
} from '@aws-sdk/client-s3';
import { AwsFault } from '../../../kernel/index.ts';
import { bucketNeed, requireBucket } from '../bucket-access.ts';
import { bucketKey, canonicalUserId, type BucketDocument } from '../bucket-documents.ts';
import { malformedXml, nothing, notSet, type Nothing } from '../bucket-faults.ts';
import { notImplemented } from '../faults.ts';
import type { Given, S3Operation } from '../operation.ts';

export const PutBucketOwnershipControls: S3Operation<PutBucketOwnershipControlsRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutBucketOwnershipControls', input, call, parts),
  async handle(input, call, change) {
    const { ownershipDeleted: _, ...bucket } = await requireBucket(change, input, call);
    const [rule, ...more] = input.OwnershipControls.Rules ?? [];
    if (!rule?.ObjectOwnership || more.length > 0)
      throw malformedXml('ownership controls have exactly one rule');
    change.put(bucketKey(bucket.name), { ...bucket, ownership: rule.ObjectOwnership });
    return nothing;
  },
};

export const GetBucketOwnershipControls: S3Operation<
  GetBucketOwnershipControlsRequest,
  GetBucketOwnershipControlsOutput
> = {
  access: 'read',
  needs: (input, call, parts) => bucketNeed('s3:GetBucketOwnershipControls', input, call, parts),
  async handle(input, call, change) {
    const { name, ownership, ownershipDeleted } = await requireBucket(change, input, call);
    if (ownershipDeleted) {
      const text = 'The bucket ownership controls were not found';
      throw notSet('OwnershipControlsNotFoundError', text, name);
    }
    return { OwnershipControls: { Rules: [{ ObjectOwnership: ownership }] } };
  },
};

export const DeleteBucketOwnershipControls: S3Operation<DeleteBucketOwnershipControlsRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutBucketOwnershipControls', input, call, parts),
  async handle(input, call, change) {
    const bucket = await requireBucket(change, input, call);
    const without: BucketDocument = { ...bucket, ownership: 'ObjectWriter', ownershipDeleted: true };
    change.put(bucketKey(bucket.name), without);
    return nothing;
  },
};

/** The one ACL that there is: the owner has everything, and nobody else has anything. */
export const GetBucketAcl: S3Operation<GetBucketAclRequest, GetBucketAclOutput> = {
  access: 'read',
  needs: (input, call, parts) => bucketNeed('s3:GetBucketAcl', input, call, parts),
  async handle(input, call, change) {
    const { accountId } = await requireBucket(change, input, call);
    const ID = canonicalUserId(accountId);
    return {
      Owner: { ID },
      Grants: [{ Grantee: { Type: 'CanonicalUser', ID }, Permission: 'FULL_CONTROL' }],
    };
  },
};

/** Whether a request asks for nothing but what `private` means: the owner's FULL_CONTROL. */
function asksForPrivate(input: Given<PutBucketAclRequest>, ownerId: string): boolean {
  const { ACL, AccessControlPolicy } = input;
  const headers = [
    input.GrantFullControl,
    input.GrantRead,
    input.GrantReadACP,
    input.GrantWrite,
    input.GrantWriteACP,
  ];
  if (headers.some((grant) => grant !== undefined)) return false;
  if (ACL !== undefined) return ACL === 'private' && AccessControlPolicy === undefined;
  const { Owner, Grants = [] } = AccessControlPolicy ?? {};
  return (
    Owner?.ID === ownerId &&
    Grants.length > 0 &&
    Grants.every(({ Grantee, Permission }) => Grantee?.ID === ownerId && Permission === 'FULL_CONTROL')
  );
}

export const PutBucketAcl: S3Operation<PutBucketAclRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) =>
    bucketNeed('s3:PutBucketAcl', input, call, parts, {
      ...(input.ACL !== undefined && { 's3:x-amz-acl': [input.ACL] }),
    }),
  async handle(input, call, change) {
    const { accountId, ownership } = await requireBucket(change, input, call);
    if (ownership === 'BucketOwnerEnforced') {
      throw new AwsFault('AccessControlListNotSupported', 'The bucket does not allow ACLs', { status: 400 });
    }
    if (asksForPrivate(input, canonicalUserId(accountId))) return nothing;
    throw notImplemented(
      'Of the ACLs of buckets, private is the only one that exists here; use a bucket policy instead.',
    );
  },
};
