/**
 * The protocols: a request that was authenticated goes in and becomes an operation with a decoded, checked input; an
 * output or a fault goes in and becomes the bytes that the client expects. The order of calls is `route`, `decodeValid`
 * (which decodes, then validates), then `encodeOutput` or `encodeFault`.
 */
export { route, takesUnsigned, unrouted } from './route.ts';
export { decode } from './decode.ts';
export { validate } from './validate.ts';
export { decodeValid, openInputDecoder, type EncodedInput } from './encoded-input.ts';
export { encodeOutput } from './encode.ts';
export { encodeFault, s3RequestIds } from './fault-writer.ts';
export { parseXml, type XmlElement } from './xml-parser.ts';
export { bucketOfHost } from './s3-host.ts';
export { xmlDeclaration } from './rest-writer.ts';
export type {
  EncodeFault,
  RoutedOperation,
  UnroutedRequest,
  WireAnswer,
  WireBody,
  WireRequest,
} from './protocol-types.ts';
