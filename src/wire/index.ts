/**
 * The wire: bytes from a client go in; a decoded, authenticated call goes out to `perform`, and its output or fault comes
 * back as the bytes that the client expects. AWS's protocols run over the run-time schemas of the SDK clients;
 * Signature Version 4 is verified over the raw request; Cairn's own paths stand beside the AWS services.
 */
export type {
  Authorise,
  Credential,
  DecodedCall,
  FindCredential,
  HttpRoute,
  Perform,
  RecordRejected,
  RejectedCall,
  RouteAnswer,
  RouteRequest,
} from './endpoint.ts';
export type {
  AuditResource,
  ForwardedCall,
  Recorded,
  RecordedPart,
  Show,
  Call,
  Need,
  Operation,
  Operations,
  Principal,
  ProtocolName,
  ServiceDescription,
  Session,
  Undecoded,
} from './service.ts';
export { nothing, type Given, type Nothing } from './given.ts';
export { openPipeline, type HandleRequest } from './pipeline.ts';
export type { PipelineOptions, RequestReport } from './pipeline/progress.ts';
export { openHttpServer, type HttpServer, type HttpServerOptions } from './http/index.ts';
export { absentOperation } from './absent-operation.ts';
export {
  openInputDecoder,
  parseXml,
  s3RequestIds,
  type EncodedInput,
  type XmlElement,
} from './protocol/index.ts';
export { invalidRequest, jsonAnswer, readRouteJson } from './route-json.ts';
export { openAuditView } from './audit-view.ts';
export { openServices, listOperations, classify, type Classification, type Services } from './services.ts';
export {
  checksumOfBody,
  openChecksum,
  presignUrl,
  signRequest,
  type Checksum,
  type ChecksumName,
} from './sigv4/index.ts';
