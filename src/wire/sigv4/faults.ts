import { AwsFault } from '../../kernel/index.ts';

/**
 * How a service words its refusals: S3 has words, and for some cases codes, of its own. All others share the codes of
 * "Common Errors", which the protocol turns into the form that it has for them.
 */
export type Dialect = 's3' | 'aws';

/** The dialect of the service that a signature is for. */
export function dialectOf(signingName: string | undefined): Dialect {
  return signingName === 's3' ? 's3' : 'aws';
}

/** The request carries no signature. */
export function missingToken(dialect: Dialect): AwsFault {
  return new AwsFault(
    'MissingAuthenticationToken',
    dialect === 's3' ? 'Access Denied' : 'Request is missing Authentication Token',
  );
}

/** The Authorization header cannot be understood. `detail` never quotes the header. */
export function incompleteSignature(dialect: Dialect, detail: string): AwsFault {
  const lead = dialect === 's3' ? 'The authorization header is malformed; ' : '';
  return new AwsFault('IncompleteSignature', lead + detail);
}

/** The signature is not the one that the secret gives. */
export function signatureMismatch(dialect: Dialect): AwsFault {
  return new AwsFault(
    'SignatureDoesNotMatch',
    dialect === 's3'
      ? 'The request signature we calculated does not match the signature you provided. Check your key and signing method.'
      : 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}

/** The scope, the time or the set of signed headers is not what it must be. S3 calls that malformed. */
export function badScope(dialect: Dialect, message: string): AwsFault {
  return dialect === 's3'
    ? incompleteSignature(dialect, message)
    : new AwsFault('SignatureDoesNotMatch', message);
}

/** A fault of `findCredential` in the words of the service that was called. */
export function credentialFault(dialect: Dialect, found: AwsFault): AwsFault {
  switch (found.code) {
    case 'InvalidClientTokenId':
      return new AwsFault(
        found.code,
        dialect === 's3'
          ? 'The AWS Access Key Id you provided does not exist in our records.'
          : 'The security token included in the request is invalid.',
      );
    case 'ExpiredToken':
      return new AwsFault(
        found.code,
        dialect === 's3'
          ? 'The provided token has expired.'
          : 'The security token included in the request is expired',
      );
    default:
      return found;
  }
}

/** S3's refusals of what is said about the body, and of presigned URLs, by their own codes. */
export function s3Fault(
  code: string,
  status: number,
  message: string,
  members: Readonly<Record<string, unknown>> = {},
): AwsFault {
  return new AwsFault(code, message, { status, members });
}
