/**
 * S3: buckets and objects. In flow calls of S3, with bodies that stream, and the puts and deletes of services and
 * lifecycles; out flow changes of control state, bytes that stream back, and blobs that hold nothing in the clear. FORMAT.md
 * describes the documents and the blobs.
 */
export { openOutsideBuckets } from './outside-buckets.ts';
export { readOutsideSettings } from './outside-settings.ts';
export { openServiceBuckets, type ServiceBuckets } from './service-buckets.ts';
export { openS3, type S3, type S3Options } from './open-s3.ts';
export { verifyContents, type ContentFindings } from './verify-contents.ts';
