import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import { defaultSelectors } from './selectors/compile-basic.ts';
import type { TrailDocument } from './trail-documents.ts';

/** What CreateTrail and UpdateTrail answer. */
export function trailAnswer(trail: TrailDocument): CloudTrail.CreateTrailResponse {
  return {
    Name: trail.name,
    S3BucketName: trail.bucket,
    ...(trail.prefix !== undefined && { S3KeyPrefix: trail.prefix }),
    ...(trail.snsTopicArn !== undefined && {
      SnsTopicName: trail.snsTopicArn,
      SnsTopicARN: trail.snsTopicArn,
    }),
    IncludeGlobalServiceEvents: trail.includeGlobalServiceEvents,
    IsMultiRegionTrail: trail.isMultiRegion,
    TrailARN: trail.arn,
    LogFileValidationEnabled: trail.logFileValidation,
    ...(trail.logGroupArn !== undefined && { CloudWatchLogsLogGroupArn: trail.logGroupArn }),
    ...(trail.logGroupRoleArn !== undefined && { CloudWatchLogsRoleArn: trail.logGroupRoleArn }),
    ...(trail.kmsKeyArn !== undefined && { KmsKeyId: trail.kmsKeyArn }),
    IsOrganizationTrail: false,
    RecursiveLogging: false,
  };
}

function hasCustomSelectors(trail: TrailDocument): boolean {
  if (trail.advancedEventSelectors) return true;
  const { eventSelectors } = trail;
  return eventSelectors !== undefined && JSON.stringify(eventSelectors) !== JSON.stringify(defaultSelectors);
}

/** A trail as GetTrail and DescribeTrails show it. */
export function trailShown(trail: TrailDocument): CloudTrail.Trail {
  return {
    ...trailAnswer(trail),
    HomeRegion: trail.homeRegion,
    HasCustomEventSelectors: hasCustomSelectors(trail),
    HasInsightSelectors: (trail.insightSelectors?.length ?? 0) > 0,
  };
}
