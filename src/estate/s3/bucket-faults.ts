import type { AwsFault } from '../../kernel/index.ts';
import { s3Fault } from './faults.ts';

/** A setting that the bucket does not have. */
export const notSet = (code: string, message: string, bucket: string): AwsFault =>
  s3Fault(code, 404, message, { BucketName: bucket });

export const malformedXml = (why: string): AwsFault =>
  s3Fault(
    'MalformedXML',
    400,
    `The XML you provided was not well-formed or did not validate against our published schema: ${why}`,
  );

/** The answer of an operation that has nothing to say. */
export type Nothing = Readonly<Record<string, never>>;
export const nothing: Nothing = {};
