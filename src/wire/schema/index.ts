/**
 * The schemas: the SDK clients' run-time schemas go in; shapes come out that readers, writers, checks and the audit
 * record walk. Nothing here knows a protocol.
 */
export type {
  HttpPlace,
  ListShape,
  MapShape,
  Member,
  OperationShape,
  ScalarShape,
  ServiceSchema,
  Shape,
  StructureShape,
  TimestampFormat,
  UnitShape,
  XmlNamespace,
} from './shape.ts';
