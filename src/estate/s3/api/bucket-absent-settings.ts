import type {
  GetBucketAccelerateConfigurationOutput,
  GetBucketAccelerateConfigurationRequest,
  GetBucketCorsOutput,
  GetBucketCorsRequest,
  GetBucketLoggingOutput,
  GetBucketLoggingRequest,
  GetBucketReplicationOutput,
  GetBucketReplicationRequest,
  GetBucketRequestPaymentOutput,
  GetBucketRequestPaymentRequest,
  GetBucketWebsiteOutput,
  GetBucketWebsiteRequest,
} from '@aws-sdk/client-s3';
import { bucketNeed, requireBucket } from '../bucket-access.ts';
import { notSet } from '../bucket-faults.ts';
import type { S3Operation } from '../operation.ts';

/**
 * What no bucket here has, answered truthfully: clients such as Terraform ask for all of it before they know what a bucket
 * is. To set any of it is absent, and says so.
 */
const neverSet = <
  Input extends { readonly Bucket: string | undefined; readonly ExpectedBucketOwner?: string | undefined },
  Output,
>(
  action: string,
  answer: (bucket: string) => Output,
): S3Operation<Input, Output> => ({
  access: 'read',
  needs: (input, call, parts) => bucketNeed(action, input, call, parts),
  async handle(input, call, change) {
    const { name } = await requireBucket(change, input, call);
    return answer(name);
  },
});

/** "returns an empty response if the transfer acceleration state is not set". */
export const GetBucketAccelerateConfiguration = neverSet<
  GetBucketAccelerateConfigurationRequest,
  GetBucketAccelerateConfigurationOutput
>('s3:GetAccelerateConfiguration', () => ({}));

export const GetBucketRequestPayment = neverSet<
  GetBucketRequestPaymentRequest,
  GetBucketRequestPaymentOutput
>('s3:GetBucketRequestPayment', () => ({ Payer: 'BucketOwner' }));

export const GetBucketLogging = neverSet<GetBucketLoggingRequest, GetBucketLoggingOutput>(
  's3:GetBucketLogging',
  () => ({}),
);

export const GetBucketWebsite = neverSet<GetBucketWebsiteRequest, GetBucketWebsiteOutput>(
  's3:GetBucketWebsite',
  (name) => {
    const text = 'The specified bucket does not have a website configuration';
    throw notSet('NoSuchWebsiteConfiguration', text, name);
  },
);

export const GetBucketCors = neverSet<GetBucketCorsRequest, GetBucketCorsOutput>(
  's3:GetBucketCORS',
  (name) => {
    throw notSet('NoSuchCORSConfiguration', 'The CORS configuration does not exist', name);
  },
);

export const GetBucketReplication = neverSet<GetBucketReplicationRequest, GetBucketReplicationOutput>(
  's3:GetReplicationConfiguration',
  (name) => {
    const text = 'The replication configuration was not found';
    throw notSet('ReplicationConfigurationNotFoundError', text, name);
  },
);
