import type {
  GetBucketNotificationConfigurationRequest,
  NotificationConfiguration,
  PutBucketNotificationConfigurationRequest,
} from '@aws-sdk/client-s3';
import { bucketNeed, requireBucket } from '../bucket-access.ts';
import { bucketKey } from '../bucket-documents.ts';
import { nothing, type Nothing } from '../bucket-faults.ts';
import { invalidArgument, notImplemented } from '../faults.ts';
import { sendsEvents } from '../object-events.ts';
import type { S3Operation } from '../operation.ts';

/** All that a bucket can be set to: "If enabled, all events will be sent". */
const toEventBridge: NotificationConfiguration = { EventBridgeConfiguration: {} };

/**
 * A destination that does not exist is refused as S3 refuses one: it validates them when they are put. Where that is to be
 * skipped ("Skips validation of Amazon SQS, Amazon SNS, and AWS Lambda destinations"), they are refused for what they are.
 */
function refuseDestinations(configuration: NotificationConfiguration, skipsValidation: boolean): void {
  const destinations = [
    ...(configuration.TopicConfigurations ?? []).map(({ TopicArn }) => TopicArn),
    ...(configuration.QueueConfigurations ?? []).map(({ QueueArn }) => QueueArn),
    ...(configuration.LambdaFunctionConfigurations ?? []).map(({ LambdaFunctionArn }) => LambdaFunctionArn),
  ];
  const [first] = destinations;
  if (destinations.length === 0) return;
  if (skipsValidation) {
    throw notImplemented(
      'Topics, queues and functions are not notified by a bucket yet; EventBridge is, by EventBridgeConfiguration.',
    );
  }
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
    const { NotificationConfiguration: configuration, SkipDestinationValidation: skips } = input;
    refuseDestinations(configuration, skips === true);
    const sends = configuration.EventBridgeConfiguration !== undefined;
    change.put(bucketKey(bucket.name), { ...bucket, ...(sends && { notification: toEventBridge }) });
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
    return sendsEvents(await requireBucket(change, input, call)) ? toEventBridge : {};
  },
};
