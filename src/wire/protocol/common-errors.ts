import type { ProtocolName } from '../service.ts';

/** The form that an error common to all services takes in one family of protocols. */
export interface CommonError {
  readonly code: string;
  readonly status: number;
}

type Family = 'query' | 'json' | 'rest' | 's3';

/**
 * Errors that every service has and no model lists, by the name that handlers and the pipeline give them, in the words
 * of each family ("Common Errors" in the IAM, CloudTrail, Lambda and S3 API References). JSON services answer clients'
 * mistakes with 400, REST services and the query APIs with 403 where access is the matter.
 */
const commonErrors: Readonly<Record<string, Readonly<Record<Family, CommonError>>>> = {
  AccessDenied: {
    query: { code: 'AccessDenied', status: 403 },
    json: { code: 'AccessDeniedException', status: 400 },
    rest: { code: 'AccessDeniedException', status: 403 },
    s3: { code: 'AccessDenied', status: 403 },
  },
  InvalidClientTokenId: {
    query: { code: 'InvalidClientTokenId', status: 403 },
    json: { code: 'UnrecognizedClientException', status: 400 },
    rest: { code: 'UnrecognizedClientException', status: 403 },
    s3: { code: 'InvalidAccessKeyId', status: 403 },
  },
  ExpiredToken: {
    query: { code: 'ExpiredToken', status: 403 },
    json: { code: 'ExpiredTokenException', status: 400 },
    rest: { code: 'ExpiredTokenException', status: 403 },
    s3: { code: 'ExpiredToken', status: 400 },
  },
  SignatureDoesNotMatch: {
    query: { code: 'SignatureDoesNotMatch', status: 403 },
    json: { code: 'InvalidSignatureException', status: 400 },
    rest: { code: 'InvalidSignatureException', status: 403 },
    s3: { code: 'SignatureDoesNotMatch', status: 403 },
  },
  RequestTimeTooSkewed: {
    query: { code: 'SignatureDoesNotMatch', status: 403 },
    json: { code: 'InvalidSignatureException', status: 400 },
    rest: { code: 'InvalidSignatureException', status: 403 },
    s3: { code: 'RequestTimeTooSkewed', status: 403 },
  },
  RequestExpired: {
    query: { code: 'RequestExpired', status: 400 },
    json: { code: 'RequestExpired', status: 400 },
    rest: { code: 'RequestExpired', status: 400 },
    s3: { code: 'AccessDenied', status: 403 },
  },
  IncompleteSignature: {
    query: { code: 'IncompleteSignature', status: 400 },
    json: { code: 'IncompleteSignatureException', status: 400 },
    rest: { code: 'IncompleteSignatureException', status: 400 },
    s3: { code: 'AuthorizationHeaderMalformed', status: 400 },
  },
  MissingAuthenticationToken: {
    query: { code: 'MissingAuthenticationToken', status: 403 },
    json: { code: 'MissingAuthenticationTokenException', status: 400 },
    rest: { code: 'MissingAuthenticationTokenException', status: 403 },
    s3: { code: 'AccessDenied', status: 403 },
  },
  Throttling: {
    query: { code: 'Throttling', status: 400 },
    json: { code: 'ThrottlingException', status: 400 },
    rest: { code: 'ThrottlingException', status: 429 },
    s3: { code: 'SlowDown', status: 503 },
  },
  ServiceUnavailable: {
    query: { code: 'ServiceUnavailable', status: 503 },
    json: { code: 'ServiceUnavailableException', status: 503 },
    rest: { code: 'ServiceUnavailableException', status: 503 },
    s3: { code: 'ServiceUnavailable', status: 503 },
  },
  InternalFailure: {
    query: { code: 'InternalFailure', status: 500 },
    json: { code: 'InternalFailure', status: 500 },
    rest: { code: 'InternalFailure', status: 500 },
    s3: { code: 'InternalError', status: 500 },
  },
  RequestEntityTooLarge: {
    query: { code: 'RequestEntityTooLarge', status: 413 },
    json: { code: 'RequestEntityTooLargeException', status: 413 },
    rest: { code: 'RequestEntityTooLargeException', status: 413 },
    s3: { code: 'EntityTooLarge', status: 400 },
  },
  RequestTimeout: {
    query: { code: 'RequestTimeout', status: 408 },
    json: { code: 'RequestTimeoutException', status: 408 },
    rest: { code: 'RequestTimeoutException', status: 408 },
    s3: { code: 'RequestTimeout', status: 400 },
  },
  // S3 documents 501, and the SDKs do not repeat a call for it, as they do for 500, 502, 503 and 504.
  NotImplemented: {
    query: { code: 'NotImplemented', status: 501 },
    json: { code: 'NotImplementedException', status: 501 },
    rest: { code: 'NotImplementedException', status: 501 },
    s3: { code: 'NotImplemented', status: 501 },
  },
};

/** The form of a common error in a protocol; undefined for a code that is not one of them. */
export function commonError(code: string, protocol: ProtocolName): CommonError | undefined {
  return Object.hasOwn(commonErrors, code) ? commonErrors[code]?.[familyOf(protocol)] : undefined;
}

function familyOf(protocol: ProtocolName): Family {
  switch (protocol) {
    case 'awsQuery':
      return 'query';
    case 'awsJson1_0':
    case 'awsJson1_1':
    case 'rpcv2Cbor':
      return 'json';
    case 'restJson1':
      return 'rest';
    case 'restXml':
      return 's3';
  }
}
