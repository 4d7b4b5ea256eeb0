import { toAuditJson } from './schema/index.ts';
import type { ServiceDescription } from './service.ts';
import { auditStyleOf, type Services } from './services.ts';

/**
 * Shows an operation's input or output as CloudTrail writes it, without sensitive members; undefined when nothing is to
 * be shown. Services without a schema of their own (Cairn's routes) are shown as they are.
 */
export function openAuditView(services: Services) {
  return async (
    service: ServiceDescription,
    operationName: string,
    side: 'input' | 'output',
    value: unknown,
  ): Promise<unknown> => {
    if (!services.descriptions.includes(service)) return value;
    const { schema } = await services.load(service.name);
    const operation = schema.operations.get(operationName);
    return operation && toAuditJson(operation[side], value, auditStyleOf(service.name));
  };
}
