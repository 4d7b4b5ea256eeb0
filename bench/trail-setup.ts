import { CloudTrailClient, CreateTrailCommand, StartLoggingCommand } from '@aws-sdk/client-cloudtrail';
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import type { ServerProcess } from './server-process.ts';

const bucket = 'bench-trail';

/** A bucket that CloudTrail may write to, and a trail over every region with digests, which logs from now on. */
export async function startTrail({ endpoint, credentials }: ServerProcess): Promise<void> {
  const client = { endpoint, credentials, region: 'us-east-1' };
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const cloudTrail = new CloudTrailClient(client);
  const Principal = { Service: 'cloudtrail.amazonaws.com' };
  const Statement = [
    { Effect: 'Allow', Principal, Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${bucket}` },
    {
      Effect: 'Allow',
      Principal,
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${bucket}/AWSLogs/*`,
      Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
    },
  ];
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await s3.send(
    new PutBucketPolicyCommand({
      Bucket: bucket,
      Policy: JSON.stringify({ Version: '2012-10-17', Statement }),
    }),
  );
  const trail = { S3BucketName: bucket, IsMultiRegionTrail: true, EnableLogFileValidation: true };
  await cloudTrail.send(new CreateTrailCommand({ Name: 'bench', ...trail }));
  await cloudTrail.send(new StartLoggingCommand({ Name: 'bench' }));
}
