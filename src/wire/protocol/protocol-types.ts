import type { AwsFault } from '../../kernel/index.ts';
import type { OperationShape } from '../schema/index.ts';
import type { ProtocolName } from '../service.ts';
import type { LoadedService } from '../services.ts';
import type { FormNode } from './form-body.ts';

/** The head of a request as it was received: nothing decoded, nothing normalised. */
export interface WireRequest {
  readonly method: string;
  /** Raw path, percent-encoding untouched. */
  readonly path: string;
  /** Raw query string without the question mark; empty when there is none. */
  readonly query: string;
  /** Names in lower case; repeated headers joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The Host header. */
  readonly host: string;
}

/**
 * A request's body after authentication, without chunk signatures and gzip. The whole bytes; a stream only for an
 * operation whose input has a streaming blob.
 */
export type WireBody = Uint8Array | AsyncIterable<Uint8Array>;

/** What a request asks for. */
export interface RoutedOperation {
  readonly service: LoadedService;
  readonly protocol: ProtocolName;
  readonly operation: OperationShape;
  readonly operationName: string;
  /** Hand the body to `decode` as a stream. */
  readonly streamingInput: boolean;
  /** The output may hold a stream. */
  readonly streamingOutput: boolean;
  /** Values of the path's labels, decoded; empty for protocols without labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** The form of an awsQuery request, which routing has parsed already. */
  readonly form?: FormNode;
  /** A JSON client that expects the codes of the query protocol in `x-amzn-query-error`. */
  readonly queryMode: boolean;
  /** HEAD answers carry no body. */
  readonly method: string;
}

/** What can be said of a request that could not be routed, for the form of its error. */
export interface UnroutedRequest {
  readonly service: LoadedService | undefined;
  readonly protocol: ProtocolName;
  readonly queryMode: boolean;
  readonly method: string;
}

/** Bytes of an answer. Header names are in lower case; content-length is set unless the body is a stream. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Encodes a fault in the form that the client of this request understands. */
export type EncodeFault = (
  target: RoutedOperation | UnroutedRequest,
  fault: AwsFault,
  requestId: string,
) => WireAnswer;
