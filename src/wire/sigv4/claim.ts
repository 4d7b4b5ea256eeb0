import { isRegion, type AwsFault } from '../../kernel/index.ts';
import { headerValue, queryPairs, type HeaderLine, type SignedRequest } from './canonical.ts';
import { incompleteSignature, s3Fault, type Dialect } from './faults.ts';
import { version2Key } from './version-2.ts';
import type { CredentialScope } from './signing-key.ts';

/** What a request says about its own signature, taken apart and not yet believed. */
export interface SignatureClaim {
  /** In the Authorization header, or in the query of a presigned URL. */
  readonly form: 'header' | 'query';
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Sorted, in lower case, each once. */
  readonly signedHeaders: readonly string[];
  /** 64 hexadecimal digits in lower case. */
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly timestamp: string;
  /** The same, epoch milliseconds. */
  readonly time: number;
  /** Seconds that a presigned URL is valid for; undefined where none are given. */
  readonly expiresSeconds: number | undefined;
  readonly sessionToken: string | undefined;
}

const algorithm = 'AWS4-HMAC-SHA256';
const longestPresignedSeconds = 7 * 24 * 3600;

/** Query parameters that carry a presigned URL's signature; they are no part of the operation's input. */
export const signatureParameters: ReadonlySet<string> = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
  'X-Amz-Security-Token',
  'X-Amz-Content-Sha256',
]);

/** What a credential says, as far as it can be read; nothing of it has been checked. */
export interface ClaimedCredential {
  readonly accessKeyId: string | undefined;
  readonly region: string | undefined;
  readonly service: string | undefined;
}

/** The parameters by which a presigned URL is told. Clients may write names with percent signs as well as plainly. */
const presignedParameters: ReadonlySet<string> = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Signature',
  'X-Amz-Credential',
]);

/**
 * What the request says of itself, without checking anything: the service decides in whose words a refusal is put, key
 * and region belong in the record of the attempt. All undefined when there is no signature. What is verified is read from
 * the same place, so that nobody is verified for one service and routed by another.
 */
export function claimedCredential(request: SignedRequest): ClaimedCredential {
  const authorization = headerValue(request.headers, 'authorization');
  const text =
    authorization === undefined
      ? queryPairs(request.query).find(([name]) => name === 'X-Amz-Credential')?.[1]
      : /[\s,]Credential=([^,\s]*)/.exec(authorization)?.[1];
  const version2 = text === undefined ? version2Key(request.query) : undefined;
  if (version2 !== undefined) {
    return {
      accessKeyId: /^\w{1,128}$/.test(version2) ? version2 : undefined,
      region: undefined,
      service: 's3',
    };
  }
  const [accessKeyId = '', , region = '', service = ''] = text?.split('/') ?? [];
  return {
    accessKeyId: /^\w{1,128}$/.test(accessKeyId) ? accessKeyId : undefined,
    region: isRegion(region) ? region : undefined,
    service: service === '' ? undefined : service,
  };
}

/**
 * Takes apart the signature of a request; undefined when it carries none.
 * Throws the fault of the dialect when what is there cannot be understood, or is not Signature Version 4.
 */
export function readClaim(request: SignedRequest, dialect: Dialect): SignatureClaim | undefined {
  const authorization = headerValue(request.headers, 'authorization');
  const presigned = queryPairs(request.query).some(([name]) => presignedParameters.has(name));
  if (authorization !== undefined && presigned) {
    const message =
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified';
    throw dialect === 's3' ? s3Fault('InvalidArgument', 400, message) : incompleteSignature(dialect, message);
  }
  if (authorization !== undefined) return readHeaderClaim(request, authorization, dialect);
  return presigned ? readQueryClaim(request, dialect) : undefined;
}

function readHeaderClaim(request: SignedRequest, authorization: string, dialect: Dialect): SignatureClaim {
  const space = authorization.indexOf(' ');
  checkAlgorithm(space === -1 ? authorization : authorization.slice(0, space), dialect);
  const parts = new Map<string, string>();
  for (const part of authorization.slice(algorithm.length).split(',')) {
    const match = /^\s*([A-Za-z]+)=(\S+)\s*$/.exec(part);
    const [, name = '', value = ''] = match ?? [];
    if (!match || parts.has(name)) {
      throw incompleteSignature(
        dialect,
        'a part of the Authorization header is not NAME=VALUE, or stands twice.',
      );
    }
    parts.set(name, value);
  }
  const missing = ['Credential', 'SignedHeaders', 'Signature'].filter((name) => !parts.has(name));
  if (missing.length > 0) {
    throw incompleteSignature(
      dialect,
      missing.map((name) => `Authorization header requires '${name}' parameter.`).join(' '),
    );
  }
  const refuse = (detail: string) => incompleteSignature(dialect, detail);
  const timestamp = headerTimestamp(request.headers);
  if (timestamp === undefined) {
    throw refuse("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  }
  return {
    form: 'header',
    ...readCredential(parts.get('Credential') ?? '', refuse),
    signedHeaders: readSignedHeaders(parts.get('SignedHeaders') ?? '', refuse),
    signature: readSignature(parts.get('Signature') ?? '', refuse),
    ...readTimestamp(timestamp, refuse),
    expiresSeconds: undefined,
    sessionToken: headerValue(request.headers, 'x-amz-security-token'),
  };
}

function readQueryClaim(request: SignedRequest, dialect: Dialect): SignatureClaim {
  const refuse = (detail: string) =>
    dialect === 's3'
      ? s3Fault('AuthorizationQueryParametersError', 400, detail)
      : incompleteSignature(dialect, detail);
  const values = new Map<string, string>();
  for (const [name, value] of queryPairs(request.query)) {
    if (!signatureParameters.has(name)) continue;
    if (values.has(name)) throw refuse(`The query parameter ${name} stands twice.`);
    values.set(name, value);
  }
  const needed = [
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Signature',
    'X-Amz-Date',
    'X-Amz-SignedHeaders',
  ];
  if (dialect === 's3') needed.push('X-Amz-Expires');
  const missing = needed.filter((name) => !values.has(name));
  if (missing.length > 0) {
    throw refuse(
      `Query-string authentication version 4 requires the ${needed.join(', ')} parameters; missing: ${missing.join(', ')}.`,
    );
  }
  checkAlgorithm(values.get('X-Amz-Algorithm') ?? '', dialect);
  const header = headerValue(request.headers, 'x-amz-security-token');
  const token = values.get('X-Amz-Security-Token') ?? header;
  if (header !== undefined && header !== token) {
    throw refuse('X-Amz-Security-Token is given in the query and, differently, as a header.');
  }
  return {
    form: 'query',
    ...readCredential(values.get('X-Amz-Credential') ?? '', refuse),
    signedHeaders: readSignedHeaders(values.get('X-Amz-SignedHeaders') ?? '', refuse),
    signature: readSignature(values.get('X-Amz-Signature') ?? '', refuse),
    ...readTimestamp(values.get('X-Amz-Date') ?? '', refuse),
    expiresSeconds: readExpires(values.get('X-Amz-Expires'), refuse),
    sessionToken: token,
  };
}

type Refuse = (detail: string) => AwsFault;

function checkAlgorithm(named: string, dialect: Dialect): void {
  if (named === algorithm) return;
  const known = /^AWS4-ECDSA-P256-SHA256$/.test(named)
    ? 'Signature Version 4A (AWS4-ECDSA-P256-SHA256)'
    : /^AWS$/.test(named)
      ? 'Signature Version 2'
      : 'The authorization mechanism you have provided';
  const message = `${known} is not supported. Please use ${algorithm}.`;
  throw dialect === 's3' ? s3Fault('InvalidRequest', 400, message) : incompleteSignature(dialect, message);
}

function readCredential(
  text: string,
  refuse: Refuse,
): { readonly accessKeyId: string; readonly scope: CredentialScope } {
  const elements = text.split('/');
  const [accessKeyId = '', date = '', region = '', service = '', terminator = ''] = elements;
  if (elements.length !== 5 || elements.includes('')) {
    throw refuse(
      'Credential must have exactly 5 slash-delimited elements: keyid/date/region/service/aws4_request.',
    );
  }
  if (terminator !== 'aws4_request') {
    throw refuse("Credential should be scoped with a valid terminator: 'aws4_request'.");
  }
  if (!/^\w{1,128}$/.test(accessKeyId)) {
    throw refuse('the access key id of the Credential has 1 to 128 letters, digits or underscores.');
  }
  if (!/^\d{8}$/.test(date)) throw refuse('the date of the Credential has the form YYYYMMDD.');
  return { accessKeyId, scope: { date, region, service } };
}

function readSignedHeaders(text: string, refuse: Refuse): string[] {
  const names = text.split(';');
  const inOrder = names.every((name, index) => index === 0 || name > (names[index - 1] ?? ''));
  if (!inOrder || !names.every((name) => /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name))) {
    throw refuse('SignedHeaders are names in lower case, in order, each once, separated by semicolons.');
  }
  return names;
}

function readSignature(text: string, refuse: Refuse): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw refuse('Signature has 64 hexadecimal digits in lower case.');
  return text;
}

/** X-Amz-Date, or else Date, in ISO 8601 basic form; Date may also be an HTTP date. */
function headerTimestamp(headers: readonly HeaderLine[]): string | undefined {
  const amzDate = headerValue(headers, 'x-amz-date');
  if (amzDate !== undefined) return amzDate;
  const date = headerValue(headers, 'date');
  if (date === undefined || /^\d{8}T\d{6}Z$/.test(date)) return date;
  const time = Date.parse(date);
  return Number.isNaN(time) ? date : formatTimestamp(time);
}

function readTimestamp(text: string, refuse: Refuse): { readonly timestamp: string; readonly time: number } {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  const [, year, month, day, hour, minute, second] = match ?? [];
  const time = match ? Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) : Number.NaN;
  if (Number.isNaN(time)) {
    throw refuse("Date must be in ISO-8601 'basic format', such as 20150830T123600Z.");
  }
  return { timestamp: text, time };
}

function readExpires(text: string | undefined, refuse: Refuse): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw refuse('X-Amz-Expires should be a number');
  const seconds = Number(text);
  if (seconds < 0) throw refuse('X-Amz-Expires must be non-negative');
  if (seconds > longestPresignedSeconds) {
    throw refuse(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  return seconds;
}

/** Epoch milliseconds as `YYYYMMDDTHHMMSSZ`. */
export function formatTimestamp(time: number): string {
  return new Date(time).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}
