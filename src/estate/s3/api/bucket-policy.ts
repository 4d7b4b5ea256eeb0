import type {
  DeleteBucketPolicyRequest,
  DeletePublicAccessBlockRequest,
  GetBucketPolicyOutput,
  GetBucketPolicyRequest,
  GetBucketPolicyStatusOutput,
  GetBucketPolicyStatusRequest,
  GetPublicAccessBlockOutput,
  GetPublicAccessBlockRequest,
  PutBucketPolicyRequest,
  PutPublicAccessBlockRequest,
} from '@aws-sdk/client-s3';
import { policyShown } from '../../../identity/index.ts';
import { AwsFault } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { bucketNeed, requireBucket } from '../bucket-access.ts';
import { bucketKey, type BucketDocument } from '../bucket-documents.ts';
import { malformedXml, nothing, notSet, type Nothing } from '../bucket-faults.ts';
import { bindBucketPolicy, checkBucketPolicy, locksOut } from '../bucket-policy.ts';
import { grantsPublic, isPublicPolicy } from '../bucket-policy-reach.ts';
import type { BucketInput } from '../needs.ts';
import type { S3Operation, S3Parts } from '../operation.ts';

/**
 * The need of an action on the policy itself. The root user of the owning account always may, "even if their bucket policy
 * explicitly denies the root user the ability to perform that action", so that nobody locks themselves out for good.
 */
async function policyNeed(
  action: string,
  input: BucketInput,
  call: Call,
  parts: S3Parts,
): Promise<readonly Need[]> {
  const [need] = await bucketNeed(action, input, call, parts);
  const isOwnersRoot = call.principal.type === 'Root' && need.resourceAccountId === call.accountId;
  if (!isOwnersRoot) return [need];
  const { resourcePolicy: _, ...without } = need;
  return [without];
}

/** As policies are managed by the owning account alone, whatever a policy allows others. */
async function requireOwn(view: StateView, input: BucketInput, call: Call): Promise<BucketDocument> {
  const bucket = await requireBucket(view, input, call);
  if (bucket.accountId === call.accountId) return bucket;
  throw new AwsFault('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    status: 405,
  });
}

function policyOf({ name, policy }: BucketDocument): string {
  if (policy !== undefined) return policy;
  throw notSet('NoSuchBucketPolicy', 'The bucket policy does not exist', name);
}

export const PutBucketPolicy: S3Operation<PutBucketPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => policyNeed('s3:PutBucketPolicy', input, call, parts),
  async handle(input, call, change) {
    const bucket = await requireOwn(change, input, call);
    const policy = checkBucketPolicy(input.Policy, bucket.name);
    const bound = await bindBucketPolicy(change, policy, input.Policy);
    if (bucket.publicAccessBlock?.BlockPublicPolicy === true && grantsPublic(policy)) {
      const text = `User: ${call.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::${bucket.name}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`;
      throw new AwsFault('AccessDenied', text, { status: 403 });
    }
    if (input.ConfirmRemoveSelfBucketAccess !== true && locksOut(policy, call, bucket.name)) {
      const text =
        'The policy would keep you from changing it again; confirm that with ConfirmRemoveSelfBucketAccess.';
      throw new AwsFault('AccessDenied', text, { status: 403 });
    }
    change.put(bucketKey(bucket.name), { ...bucket, ...bound });
    return nothing;
  },
};

export const GetBucketPolicy: S3Operation<GetBucketPolicyRequest, GetBucketPolicyOutput> = {
  access: 'read',
  needs: (input, call, parts) => policyNeed('s3:GetBucketPolicy', input, call, parts),
  async handle(input, call, change) {
    const bucket = await requireOwn(change, input, call);
    return { Policy: await policyShown(change, policyOf(bucket), bucket.policyPrincipals) };
  },
};

export const DeleteBucketPolicy: S3Operation<DeleteBucketPolicyRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => policyNeed('s3:DeleteBucketPolicy', input, call, parts),
  async handle(input, call, change) {
    const { policy: _, policyPrincipals: __, ...bucket } = await requireOwn(change, input, call);
    change.put(bucketKey(bucket.name), bucket);
    return nothing;
  },
};

export const GetBucketPolicyStatus: S3Operation<GetBucketPolicyStatusRequest, GetBucketPolicyStatusOutput> = {
  access: 'read',
  needs: (input, call, parts) => bucketNeed('s3:GetBucketPolicyStatus', input, call, parts),
  async handle(input, call, change) {
    const policy = policyOf(await requireBucket(change, input, call));
    return { PolicyStatus: { IsPublic: isPublicPolicy(policy) } };
  },
};

export const PutPublicAccessBlock: S3Operation<PutPublicAccessBlockRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutBucketPublicAccessBlock', input, call, parts),
  async handle(input, call, change) {
    const bucket = await requireBucket(change, input, call);
    const given = input.PublicAccessBlockConfiguration;
    const settings = [
      given.BlockPublicAcls,
      given.IgnorePublicAcls,
      given.BlockPublicPolicy,
      given.RestrictPublicBuckets,
    ];
    if (settings.every((setting) => setting === undefined)) {
      throw malformedXml('a public access block has at least one setting');
    }
    const publicAccessBlock: BucketDocument['publicAccessBlock'] = {
      BlockPublicAcls: given.BlockPublicAcls === true,
      IgnorePublicAcls: given.IgnorePublicAcls === true,
      BlockPublicPolicy: given.BlockPublicPolicy === true,
      RestrictPublicBuckets: given.RestrictPublicBuckets === true,
    };
    change.put(bucketKey(bucket.name), { ...bucket, publicAccessBlock });
    return nothing;
  },
};

export const GetPublicAccessBlock: S3Operation<GetPublicAccessBlockRequest, GetPublicAccessBlockOutput> = {
  access: 'read',
  needs: (input, call, parts) => bucketNeed('s3:GetBucketPublicAccessBlock', input, call, parts),
  async handle(input, call, change) {
    const { name, publicAccessBlock } = await requireBucket(change, input, call);
    if (publicAccessBlock) return { PublicAccessBlockConfiguration: publicAccessBlock };
    throw notSet(
      'NoSuchPublicAccessBlockConfiguration',
      'The public access block configuration was not found',
      name,
    );
  },
};

export const DeletePublicAccessBlock: S3Operation<DeletePublicAccessBlockRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutBucketPublicAccessBlock', input, call, parts),
  async handle(input, call, change) {
    const { publicAccessBlock: _, ...bucket } = await requireBucket(change, input, call);
    change.put(bucketKey(bucket.name), bucket);
    return nothing;
  },
};
