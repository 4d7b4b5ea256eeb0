import type {
  GetObjectLockConfigurationOutput,
  GetObjectLockConfigurationRequest,
  ObjectLockConfiguration,
  PutObjectLockConfigurationRequest,
} from '@aws-sdk/client-s3';
import { AwsFault } from '../../../kernel/index.ts';
import { bucketNeed, requireBucket } from '../bucket-access.ts';
import { bucketKey, type BucketDocument, type DefaultRetention } from '../bucket-documents.ts';
import { malformedXml, nothing, notSet, type Nothing } from '../bucket-faults.ts';
import { invalidArgument, notImplemented } from '../faults.ts';
import type { S3Operation } from '../operation.ts';

/** "Object Lock considerations": the longest default retention. */
const mostDays = 36_500;
const mostYears = 100;

function retentionOf({ Rule }: ObjectLockConfiguration): DefaultRetention | undefined {
  if (!Rule) return undefined;
  const { Mode, Days, Years, DefaultEventHold } = Rule.DefaultRetention ?? {};
  if (DefaultEventHold !== undefined) throw notImplemented('Event holds do not exist here.');
  if (Mode === undefined || (Days === undefined) === (Years === undefined)) {
    throw malformedXml('a default retention has a Mode and either Days or Years');
  }
  const [period, most] = Days === undefined ? [Years ?? 0, mostYears] : [Days, mostDays];
  if (!Number.isInteger(period) || period < 1) {
    throw invalidArgument('Default retention period must be a positive integer value.');
  }
  if (period > most) {
    throw new AwsFault(
      'InvalidRetentionPeriod',
      `The retention period is too large; it is at most ${mostDays} days or ${mostYears} years.`,
      { status: 400 },
    );
  }
  return { mode: Mode, ...(Days === undefined ? { years: period } : { days: period }) };
}

export const PutObjectLockConfiguration: S3Operation<PutObjectLockConfigurationRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:PutBucketObjectLockConfiguration', input, call, parts),
  async handle(input, call, change) {
    const bucket = await requireBucket(change, input, call);
    const configuration = input.ObjectLockConfiguration;
    if (configuration?.ObjectLockEnabled !== 'Enabled') {
      throw malformedXml('an object lock configuration has ObjectLockEnabled with the value Enabled');
    }
    if (bucket.versioning !== 'Enabled') {
      throw new AwsFault(
        'InvalidBucketState',
        "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
        { status: 409 },
      );
    }
    const defaultRetention = retentionOf(configuration);
    const objectLock: BucketDocument['objectLock'] = defaultRetention ? { defaultRetention } : {};
    change.put(bucketKey(bucket.name), { ...bucket, objectLock });
    return nothing;
  },
};

export const GetObjectLockConfiguration: S3Operation<
  GetObjectLockConfigurationRequest,
  GetObjectLockConfigurationOutput
> = {
  access: 'read',
  needs: (input, call, parts) => bucketNeed('s3:GetBucketObjectLockConfiguration', input, call, parts),
  async handle(input, call, change) {
    const { name, objectLock } = await requireBucket(change, input, call);
    if (!objectLock) {
      const text = 'Object Lock configuration does not exist for this bucket';
      throw notSet('ObjectLockConfigurationNotFoundError', text, name);
    }
    const { defaultRetention } = objectLock;
    return {
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        ...(defaultRetention && {
          Rule: {
            DefaultRetention: {
              Mode: defaultRetention.mode,
              ...(defaultRetention.days !== undefined && { Days: defaultRetention.days }),
              ...(defaultRetention.years !== undefined && { Years: defaultRetention.years }),
            },
          },
        }),
      },
    };
  },
};
