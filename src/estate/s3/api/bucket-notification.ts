import type {
  GetBucketNotificationConfigurationRequest,
  NotificationConfiguration,
  PutBucketNotificationConfigurationRequest,
} from '@aws-sdk/client-s3';
import { bucketNeed, requireBucket } from '../bucket-access.ts';
import { bucketKey } from '../bucket-documents.ts';
import { nothing, type Nothing } from '../bucket-faults.ts';
import { invalidArgument, notImplemented } from '../faults.ts';
import type { S3Operation } from '../operation.ts';

/**
 * A destination that does not exist is refused as S3 refuses one: it validates them when they are put. So is EventBridge while
 * there is no event bus: "If enabled, all events will be sent", which nobody may be told who is sent none.
 */
function refuseDestinations(configuration: NotificationConfiguration): void {
  const destinations = [
    ...(configuration.TopicConfigurations ?? []).map(({ TopicArn }) => TopicArn),
    ...(configuration.QueueConfigurations ?? []).map(({ QueueArn }) => QueueArn),
    ...(configuration.LambdaFunctionConfigurations ?? []).map(({ LambdaFunctionArn }) => LambdaFunctionArn),
  ];
  const [first] = destinations;
  if (configuration.EventBridgeConfiguration !== undefined) {
    throw notImplemented('Notifications to EventBridge are not sent yet: the event bus is absent.');
  }
  if (destinations.length === 0) return;
  throw invalidArgument(
    'Unable to validate the following destination configurations: topics, queues and functions do not exist here as destinations of a bucket yet',
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
    refuseDestinations(input.NotificationConfiguration);
    change.put(bucketKey(bucket.name), bucket);
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
    // Versions of before kept a configuration of EventBridge; the next one that is put replaces it.
    return notification ?? {};
  },
};
