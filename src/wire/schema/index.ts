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
export { compileService, membersOf } from './compile.ts';
export { auditName, toAuditJson, type AuditStyle } from './audit-json.ts';
export { isScalar } from './shape.ts';
