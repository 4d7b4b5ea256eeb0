import { AwsFault } from '../kernel/index.ts';
import type { ServiceDescription } from './service.ts';

/** The fault for an operation that a service's model has and Cairn has not. It names the operation; the status is 501. */
export function absentOperation(service: ServiceDescription, operationName: string): AwsFault {
  return new AwsFault(
    'NotImplemented',
    `Cairn does not implement the operation ${operationName} of ${service.name}. docs/coverage.md lists what it does implement.`,
  );
}
