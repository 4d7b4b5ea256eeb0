import { CommandError, exitCodes } from '../exit-codes.ts';
import { neutralise } from '../terminal/text.ts';

/** What the server said when it did not do what was asked. */
export interface ServerFailure {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string;
  readonly requestId: string | undefined;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function textMember(value: unknown, names: readonly string[]): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const name of names) {
    const member: unknown = (value as Record<string, unknown>)[name];
    if (typeof member === 'string' && member !== '') return member;
  }
  return undefined;
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Reads an error answer: Cairn's own routes answer as restJson1 does, in JSON and with x-amzn-errortype. */
export function readFailure(status: number, headers: Headers, body: Uint8Array): ServerFailure {
  const parsed = parseJson(body);
  const header = (name: string) => {
    const value = headers[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const named = header('x-amzn-errortype') ?? textMember(parsed, ['__type', 'code', 'Code']);
  const code = named?.replace(/:.*$/, '').replace(/^.*#/, '');
  const message = textMember(parsed, ['reason', 'message', 'Message']);
  return {
    status,
    code,
    message: message ?? (parsed === undefined ? '' : JSON.stringify(parsed)),
    requestId: header('x-amzn-requestid'),
  };
}

/** The failure in one line. */
export function describeFailure({ status, code, message, requestId }: ServerFailure): string {
  const name = code ?? `HTTP ${status}`;
  const tail = status >= 500 && requestId !== undefined ? ` (request id ${requestId})` : '';
  return neutralise(message === '' ? `${name}${tail}` : `${name}: ${message}${tail}`);
}

/** Errors that say that the credentials themselves are at fault, not what they may do. */
const unknownCaller = new Set([
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'ExpiredToken',
  'ExpiredTokenException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'IncompleteSignature',
  'RequestExpired',
  'RequestTimeTooSkewed',
]);

/** Turns a failure into the error that ends the command. `source` says where the credentials came from. */
export function accessFailure(failure: ServerFailure, source: string | undefined): CommandError {
  const told = describeFailure(failure);
  if (failure.code !== undefined && unknownCaller.has(failure.code)) {
    const hint =
      source === undefined
        ? ''
        : `\nThe credentials came from ${source}. \`cairn env\` prints those of a data directory.`;
    return new CommandError(`the server does not accept the credentials: ${told}${hint}`, exitCodes.noAccess);
  }
  if (failure.status === 401 || failure.status === 403) return new CommandError(told, exitCodes.noAccess);
  if (failure.status === 400 || failure.status === 422) return new CommandError(told, exitCodes.usage);
  if (failure.status === 404 || failure.status === 405) {
    return new CommandError(`${told}: does a Cairn of this version answer there?`, exitCodes.serverFailed);
  }
  return new CommandError(told, exitCodes.serverFailed);
}

/** Says in plain words why no connection came about. */
export function explainConnectionError(endpoint: URL, cause: NodeJS.ErrnoException): string {
  const at = endpoint.origin;
  const hint = 'Start one with `npm start`, or name another with --endpoint or AWS_ENDPOINT_URL.';
  switch (cause.code) {
    case 'ECONNREFUSED':
      return `no Cairn listens at ${at}. ${hint}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name of ${at} is unknown. ${hint}`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `the certificate of ${at} is not trusted (${cause.code}). Name its authority's PEM file in AWS_CA_BUNDLE.`;
    case undefined:
    default:
      return `the connection to ${at} failed: ${neutralise(cause.message || cause.code || 'unknown reason')}`;
  }
}
