import { isIPv4 } from 'node:net';

const reservedBeginnings = ['xn--', 'sthree-', 'amzn-s3-demo-'];
const reservedEnds = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3', '-an'];

/**
 * Why a text cannot be the name of a new bucket, or undefined where it can ("General purpose bucket naming rules"). The
 * beginning and ends that S3 keeps for itself are refused too, so that what is made here could also be made there.
 */
export function bucketNameProblem(name: string): string | undefined {
  if (name.length < 3 || name.length > 63) return 'a bucket name has 3 to 63 characters';
  if (!/^[a-z0-9.-]+$/.test(name))
    return 'a bucket name has lowercase letters, digits, dots and hyphens alone';
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name)) return 'a bucket name begins and ends with a letter or a digit';
  if (name.includes('..')) return 'a bucket name has no two dots side by side';
  if (isIPv4(name)) return 'a bucket name has not the form of an IP address';
  const beginning = reservedBeginnings.find((text) => name.startsWith(text));
  if (beginning !== undefined) return `names that begin with ${beginning} are kept for S3 itself`;
  const end = reservedEnds.find((text) => name.endsWith(text));
  return end === undefined ? undefined : `names that end with ${end} are kept for S3 itself`;
}
