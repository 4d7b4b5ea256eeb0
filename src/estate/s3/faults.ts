import { AwsFault } from '../../kernel/index.ts';

/** What S3 says, in S3's words ("Error responses" in the S3 API reference), with the status that goes with it. */
export const s3Fault = (
  code: string,
  status: number,
  message: string,
  members: Readonly<Record<string, unknown>> = {},
): AwsFault => new AwsFault(code, message, { status, members });

export const noSuchBucket = (bucket: string): AwsFault =>
  s3Fault('NoSuchBucket', 404, 'The specified bucket does not exist', { BucketName: bucket });

export const noSuchKey = (key: string): AwsFault =>
  s3Fault('NoSuchKey', 404, 'The specified key does not exist.', { Key: key });

export const noSuchVersion = (key: string, versionId: string): AwsFault =>
  s3Fault('NoSuchVersion', 404, 'The specified version does not exist.', { Key: key, VersionId: versionId });

export const noSuchUpload = (uploadId: string): AwsFault =>
  s3Fault(
    'NoSuchUpload',
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { UploadId: uploadId },
  );

export const invalidArgument = (message: string, name?: string, value?: string): AwsFault =>
  s3Fault('InvalidArgument', 400, message, {
    ...(name !== undefined && { ArgumentName: name }),
    ...(value !== undefined && { ArgumentValue: value }),
  });

/** A tag that S3 does not take; the value is named where it is what is wrong. */
export const invalidTag = (message: string, TagKey: string, TagValue?: string): AwsFault =>
  s3Fault('InvalidTag', 400, message, { TagKey, ...(TagValue !== undefined && { TagValue }) });

/** The id of no version that there could be, as S3 answers it. */
export const invalidVersionId = (versionId: string): AwsFault =>
  invalidArgument(
    versionId === '' ? 'Version id cannot be the empty string' : 'Invalid version id specified',
    'versionId',
    versionId,
  );

export const invalidRequest = (message: string): AwsFault => s3Fault('InvalidRequest', 400, message);

export const accessDenied = (message = 'Access Denied'): AwsFault => s3Fault('AccessDenied', 403, message);

export const notImplemented = (message: string): AwsFault => s3Fault('NotImplemented', 501, message);

export const preconditionFailed = (condition: string): AwsFault =>
  s3Fault('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  });

export const entityTooLarge = (mostBytes: number): AwsFault =>
  s3Fault('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', {
    MaxSizeAllowed: mostBytes,
  });
