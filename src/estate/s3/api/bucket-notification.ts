import type {
  GetBucketNotificationConfigurationRequest,
  NotificationConfiguration,
  PutBucketNotificationConfigurationRequest,
} from '@aws-sdk/client-s3';
import { bucketNeed, requireBucket } from '../bucket-access.ts';
import { bucketKey } from '../bucket-documents.ts';
import { nothing, type Nothing } from '../bucket-faults.ts';
import { invalidArgument } from '../faults.ts';
import type { S3Operation } from '../operation.ts';

/** A destination that does not exist is refused as S3 refuses one: it validates them when they are put. */
function refuseDestinations(configuration: NotificationConfiguration): void {
  const destinations = [
    ...(configuration.TopicConfigurations ?? []).map(({ TopicArn }) => TopicArn),
    ...(configuration.QueueConfigurations ?? []).map(({ QueueArn }) => QueueArn),
    ...(configuration.LambdaFunctionConfigurations ?? []).map(({ LambdaFunctionArn }) => LambdaFunctionArn),
  ];
  const [first] = destinations;
  if (destinations.length === 0) return;
  throw invalidArgument(
    'Unable to validate the following destination configurations: topics, queues and functions do not exist here as destinations of a bucket yet; EventBridge does',
    first,
    'The destination does not exist',
  );
}

export const PutBucketNotificationConfiguration: S3Operation<
  PutBucketNotificationConfigurationRequest,
  Nothing
> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutBucketNotification', input, call, parts),
  async handle(input, call, change) {
    const { notification: _, ...bucket } = await requireBucket(change, input, call);
    const configuration = input.NotificationConfiguration;
    refuseDestinations(configuration);
    const sends = configuration.EventBridgeConfiguration !== undefined;
    change.put(bucketKey(bucket.name), {
      ...bucket,
      ...(sends && { notification: { EventBridgeConfiguration: {} } }),
    });
    return nothing;
  },
};

export const GetBucketNotificationConfiguration: S3Operation<
  GetBucketNotificationConfigurationRequest,
  NotificationConfiguration
> = {
  access: 'read',
  needs: (input, call, parts) => bucketNeed('s3:GetBucketNotification', input, call, parts),
  async handle(input, call, change) {
    const { notification } = await requireBucket(change, input, call);
    return notification ?? {};
  },
};
