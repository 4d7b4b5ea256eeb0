import type { Clock, Logger } from '../../kernel/index.ts';
import type { FindCredential, HttpRoute, Perform, RecordRejected } from '../endpoint.ts';
import type { BodyMemory, ReceivedRequest } from '../http/index.ts';
import type { RoutedOperation, UnroutedRequest, WireRequest } from '../protocol/index.ts';
import type { Call, Operations, ServiceDescription } from '../service.ts';
import type { Services } from '../services.ts';
import type { Dialect, SigningKeys } from '../sigv4/index.ts';
import type { RawBody, UnprovenBodies } from './request-body.ts';

/** One answered request, for metrics. `-` stands for what is not known. */
export interface RequestReport {
  readonly service: string;
  readonly operation: string;
  readonly status: number;
  readonly errorCode: string | undefined;
  /** From the head of the request to the end of its answer. */
  readonly durationMs: number;
}

/** What the pipeline is given. */
export interface PipelineOptions<Change> {
  readonly services: Services;
  /** The operations that are present, by the name of their service. */
  readonly operations: Readonly<Record<string, Operations<Change>>>;
  /** Cairn's own paths. */
  readonly routes: readonly HttpRoute<Change>[];
  readonly findCredential: FindCredential;
  readonly perform: Perform<Change>;
  readonly recordRejected: RecordRejected;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onRequest?: (report: RequestReport) => void;
  /** Requests worked on at once, and bytes of their bodies in memory; those of `limits` unless a test says otherwise. */
  readonly bounds?: { readonly requestsInFlight: number; readonly requestBytesInFlight: number };
}

/** What all requests share. */
export interface Pipeline<Change> extends PipelineOptions<Change> {
  readonly keys: SigningKeys;
  readonly memory: BodyMemory;
  readonly unproven: UnprovenBodies;
}

/** How far one request has come: what its record and its answer need, whatever happens to it next. */
export interface Progress {
  readonly request: ReceivedRequest;
  /** The request as routing sees it, before anything of it is believed. */
  readonly claimed: WireRequest;
  readonly body: RawBody;
  /** The service that the request claims to be signed for. */
  readonly signingName: string | undefined;
  readonly dialect: Dialect;
  /** Set once the caller is known. */
  call: Call | undefined;
  service: ServiceDescription | undefined;
  operationName: string | undefined;
  /** What decides about the form of an error. */
  target: RoutedOperation | UnroutedRequest | undefined;
  /** Recording is no longer the pipeline's: `perform` has the call, or it is one that is not recorded. */
  recorded: boolean;
  errorCode: string | undefined;
}
