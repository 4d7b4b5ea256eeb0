import type { Change } from '../../state/index.ts';
import type { Operations } from '../../wire/index.ts';
import { bindOperations, type BusParts } from '../bus-operation.ts';
import * as eventBuses from './event-buses.ts';
import * as permissions from './permissions.ts';
import * as putEvents from './put-events.ts';
import * as rules from './rules.ts';
import * as tags from './tags.ts';
import * as targets from './targets.ts';
import * as testEventPattern from './test-event-pattern.ts';

/** The operations on buses, their rules and events; each is declared under its own name. */
export function openBusOperations(parts: BusParts): Operations<Change> {
  return bindOperations(parts, {
    ...eventBuses,
    ...permissions,
    ...putEvents,
    ...rules,
    ...tags,
    ...targets,
    ...testEventPattern,
  });
}
