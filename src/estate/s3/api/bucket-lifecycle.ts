import type {
  DeleteBucketLifecycleRequest,
  GetBucketLifecycleConfigurationOutput,
  GetBucketLifecycleConfigurationRequest,
  PutBucketLifecycleConfigurationOutput,
  PutBucketLifecycleConfigurationRequest,
} from '@aws-sdk/client-s3';
import { bucketNeed, requireBucket } from '../bucket-access.ts';
import { bucketKey } from '../bucket-documents.ts';
import { nothing, notSet, type Nothing } from '../bucket-faults.ts';
import { checkLifecycleRules, shownRules } from '../lifecycle-rules.ts';
import type { S3Operation } from '../operation.ts';

/** It concerns transitions, which do not exist here; it is kept and shown as S3 does. */
const usualMinimumSize = 'all_storage_classes_128K';

export const PutBucketLifecycleConfiguration: S3Operation<
  PutBucketLifecycleConfigurationRequest,
  PutBucketLifecycleConfigurationOutput
> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutLifecycleConfiguration', input, call, parts),
  async handle(input, call, change, { random }) {
    const bucket = await requireBucket(change, input, call);
    const lifecycle = checkLifecycleRules(input.LifecycleConfiguration?.Rules ?? [], random);
    const minimum = input.TransitionDefaultMinimumObjectSize ?? usualMinimumSize;
    change.put(bucketKey(bucket.name), {
      ...bucket,
      lifecycle,
      transitionDefaultMinimumObjectSize: minimum,
    });
    return { TransitionDefaultMinimumObjectSize: minimum };
  },
};

export const GetBucketLifecycleConfiguration: S3Operation<
  GetBucketLifecycleConfigurationRequest,
  GetBucketLifecycleConfigurationOutput
> = {
  access: 'read',
  needs: (input, call, parts) => bucketNeed('s3:GetLifecycleConfiguration', input, call, parts),
  async handle(input, call, change) {
    const { name, lifecycle, transitionDefaultMinimumObjectSize } = await requireBucket(change, input, call);
    if (!lifecycle) {
      throw notSet('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist', name);
    }
    return {
      Rules: shownRules(lifecycle),
      TransitionDefaultMinimumObjectSize: transitionDefaultMinimumObjectSize ?? usualMinimumSize,
    };
  },
};

export const DeleteBucketLifecycle: S3Operation<DeleteBucketLifecycleRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutLifecycleConfiguration', input, call, parts),
  async handle(input, call, change) {
    const {
      lifecycle: _,
      transitionDefaultMinimumObjectSize: __,
      ...bucket
    } = await requireBucket(change, input, call);
    change.put(bucketKey(bucket.name), bucket);
    return nothing;
  },
};
