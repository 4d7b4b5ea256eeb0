import { AwsFault } from '../../kernel/index.ts';

/**
 * How a family of services words its refusals: S3 has codes of its own, services of the query protocol use the codes of
 * "Common errors" in their API references, services of JSON (and CBOR) the same with `Exception` and status 400, and
 * REST services of JSON those with status 403.
 */
export type Dialect = 's3' | 'query' | 'json' | 'rest';

type Wording = readonly [code: string, status: number];
type Kind = 'missing' | 'incomplete' | 'mismatch' | 'unknownKey' | 'expiredToken';

const wordings: Readonly<Record<Kind, Readonly<Record<Dialect, Wording>>>> = {
  missing: {
    s3: ['AccessDenied', 403],
    query: ['MissingAuthenticationToken', 403],
    json: ['MissingAuthenticationTokenException', 400],
    rest: ['MissingAuthenticationTokenException', 403],
  },
  incomplete: {
    s3: ['AuthorizationHeaderMalformed', 400],
    query: ['IncompleteSignature', 400],
    json: ['IncompleteSignatureException', 400],
    rest: ['IncompleteSignatureException', 400],
  },
  mismatch: {
    s3: ['SignatureDoesNotMatch', 403],
    query: ['SignatureDoesNotMatch', 403],
    json: ['InvalidSignatureException', 400],
    rest: ['InvalidSignatureException', 403],
  },
  unknownKey: {
    s3: ['InvalidAccessKeyId', 403],
    query: ['InvalidClientTokenId', 403],
    json: ['UnrecognizedClientException', 400],
    rest: ['UnrecognizedClientException', 403],
  },
  expiredToken: {
    s3: ['ExpiredToken', 400],
    query: ['ExpiredToken', 403],
    json: ['ExpiredTokenException', 400],
    rest: ['ExpiredTokenException', 403],
  },
};

function fault(kind: Kind, dialect: Dialect, message: string): AwsFault {
  const [code, status] = wordings[kind][dialect];
  return new AwsFault(code, message, { status });
}

/** The request carries no signature. */
export function missingToken(dialect: Dialect): AwsFault {
  return fault('missing', dialect, dialect === 's3' ? 'Access Denied' : 'Missing Authentication Token');
}

/** The Authorization header cannot be understood. `detail` never quotes the header. */
export function incompleteSignature(dialect: Dialect, detail: string): AwsFault {
  const lead = dialect === 's3' ? 'The authorization header is malformed; ' : '';
  return fault('incomplete', dialect, lead + detail);
}

/** The signature is not the one that the secret gives. */
export function signatureMismatch(dialect: Dialect): AwsFault {
  return fault(
    'mismatch',
    dialect,
    dialect === 's3'
      ? 'The request signature we calculated does not match the signature you provided. Check your key and signing method.'
      : 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}

/** The scope, the time or the set of signed headers is not what it must be. S3 words the scope as malformed. */
export function badScope(dialect: Dialect, message: string): AwsFault {
  return dialect === 's3' ? incompleteSignature(dialect, message) : fault('mismatch', dialect, message);
}

/** A fault of `findCredential` in the words of the service that was called. */
export function credentialFault(dialect: Dialect, found: AwsFault): AwsFault {
  switch (found.code) {
    case 'InvalidClientTokenId':
      return fault(
        'unknownKey',
        dialect,
        dialect === 's3'
          ? 'The AWS Access Key Id you provided does not exist in our records.'
          : 'The security token included in the request is invalid.',
      );
    case 'ExpiredToken':
      return fault(
        'expiredToken',
        dialect,
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
  members?: Readonly<Record<string, unknown>>,
): AwsFault {
  return new AwsFault(code, message, members ? { status, members } : { status });
}
