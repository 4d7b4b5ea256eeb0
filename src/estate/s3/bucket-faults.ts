import { AwsFault } from '../../kernel/index.ts';

/** What S3 says of buckets, in S3's words ("Error responses" in the S3 API Reference). */

export const noSuchBucket = (name: string): AwsFault =>
  new AwsFault('NoSuchBucket', 'The specified bucket does not exist', {
    status: 404,
    members: { BucketName: name },
  });

/** A setting that the bucket does not have. */
export const notSet = (code: string, message: string, bucket: string): AwsFault =>
  new AwsFault(code, message, { status: 404, members: { BucketName: bucket } });

export const invalidArgument = (message: string, name?: string, value?: string): AwsFault =>
  new AwsFault('InvalidArgument', message, {
    status: 400,
    members: {
      ...(name !== undefined && { ArgumentName: name }),
      ...(value !== undefined && { ArgumentValue: value }),
    },
  });

export const invalidRequest = (message: string): AwsFault =>
  new AwsFault('InvalidRequest', message, { status: 400 });

export const malformedXml = (why: string): AwsFault =>
  new AwsFault(
    'MalformedXML',
    `The XML you provided was not well-formed or did not validate against our published schema: ${why}`,
    { status: 400 },
  );

/** What S3 has and this S3 has not: refused by its name, never taken and forgotten. */
export const notHere = (what: string): AwsFault => new AwsFault('NotImplemented', what, { status: 501 });

/** The answer of an operation that has nothing to say. */
export type Nothing = Readonly<Record<string, never>>;
export const nothing: Nothing = {};
