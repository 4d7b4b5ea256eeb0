import type { Call, Need, Operation, Principal, ServiceDescription } from './service.ts';

/** What authentication needs to know of an access key. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The principal that the key stands for. */
  readonly principal: Principal;
}

/**
 * Finds the credential of an access key. `sessionToken` is what the request carried, if anything.
 * Throws AwsFault: InvalidClientTokenId (unknown or inactive key, or a token that does not belong to it), ExpiredToken.
 */
export type FindCredential = (accessKeyId: string, sessionToken: string | undefined) => Promise<Credential>;

/** Throws AccessDenied (naming action and resource, as AWS words it) unless every need is allowed. */
export type Authorise = (call: Call, needs: readonly Need[]) => Promise<void>;

/** A call after decoding and validation, about to be authorised, handled and recorded. */
export interface DecodedCall<Change> {
  readonly service: ServiceDescription;
  readonly operationName: string;
  /** Undefined when the operation is absent: authorise, record, answer NotImplemented. */
  readonly operation: Operation<Change> | undefined;
  readonly input: Readonly<Record<string, unknown>>;
  readonly call: Call;
}

/** A call that failed before it could be decoded, or whose caller could not be authenticated. */
export interface RejectedCall {
  readonly service: ServiceDescription | undefined;
  readonly operationName: string | undefined;
  /** Undefined when authentication failed. */
  readonly call: Call | undefined;
  /** The access key that the request claimed, when authentication failed and one was given. */
  readonly claimedAccessKeyId: string | undefined;
  readonly requestId: string;
  readonly time: number;
  readonly region: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  readonly host: string;
  readonly tls: Call['tls'];
  readonly error: { readonly code: string; readonly message: string };
}

/** Authorises, handles and records a call; returns the operation's output or throws the AwsFault to answer. */
export type Perform<Change> = (decoded: DecodedCall<Change>) => Promise<Readonly<Record<string, unknown>>>;

/** Records a call that never reached a handler. Resolves when the answer may go out. */
export type RecordRejected = (rejected: RejectedCall) => Promise<void>;

/**
 * A path of Cairn's own, such as `GET /_cairn/events`. A signed route is authenticated, authorised
 * (`cairn:<operationName>` on `*`), performed and recorded like an operation of a service named `cairn`.
 */
export interface HttpRoute<Change = unknown> {
  readonly method: 'GET' | 'POST';
  /** Exact path; one that ends in `/*` takes everything below. */
  readonly path: string;
  /** Taken without a signature, and not recorded: health and metrics. */
  readonly unsigned?: true;
  readonly operationName: string;
  readonly access: 'read' | 'write';
  /**
   * The body is handed over as a stream; read it within `signal`. A signed route gets the change that its record is
   * committed with, as an operation does. It is run once: a body cannot be read again after a conflict.
   */
  handle(request: RouteRequest, change: Change): Promise<RouteAnswer>;
}

export interface RouteRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Present on signed routes. */
  readonly call: Call | undefined;
  /** Aborted when the client goes away or the server stops. */
  readonly signal: AbortSignal;
}

export interface RouteAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** What the call's record shows as responseElements, for writes. */
  readonly recorded?: unknown;
}
