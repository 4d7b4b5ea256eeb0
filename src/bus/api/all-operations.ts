import type { Change } from '../../state/index.ts';
import type { Operations } from '../../wire/index.ts';
import { bindOperations, type BusParts } from '../bus-operation.ts';
import { apiDestinationOperations } from './api-destinations.ts';
import { connectionOperations, type ConnectionParts } from './connections.ts';
import { openBusOperations } from './open-bus-operations.ts';

/** All operations of EventBridge that are present, by their names. */
export const allOperations = (parts: BusParts & ConnectionParts): Operations<Change> => ({
  ...openBusOperations(parts),
  ...bindOperations(parts, { ...connectionOperations(parts), ...apiDestinationOperations(parts) }),
});
