const beforeS3 = /^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.s3[.-][a-z0-9.-]+$/;
const beforeLocalhost = /^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.localhost$/;

/**
 * The bucket that a virtual-host-style request names in its host ("Virtual hosting of general purpose buckets" in the
 * S3 user guide): what stands before `.s3.`, `.s3-REGION.` or `.localhost`. Undefined for path style.
 */
export function bucketOfHost(host: string): string | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  // `.s3.` first: of `logs.s3.localhost` the bucket is `logs`, and `s3.localhost` the endpoint.
  const bucket = (beforeS3.exec(name) ?? beforeLocalhost.exec(name))?.[1];
  // `s3.localhost` is the endpoint itself, and not a bucket named s3.
  return bucket === 's3' || bucket?.startsWith('s3.') || bucket?.startsWith('s3-') ? undefined : bucket;
}
