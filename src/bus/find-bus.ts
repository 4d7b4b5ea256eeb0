import type { StateView } from '../state/index.ts';
import {
  busKey,
  defaultBusName,
  ruleKey,
  targetPrefix,
  type BusDocument,
  type RuleDocument,
  type TargetDocument,
} from './bus-documents.ts';
import type { NamedBus, NamedRule } from './bus-names.ts';
import { busNotFound, ruleNotFound } from './faults.ts';

/** The default bus before anything of it is changed. Nobody made it, so nothing is known of when. */
const untouched: BusDocument = { name: defaultBusName, createdAt: 0, updatedAt: 0, tags: [] };

/** The bus, if there is one; every account has a default bus in every region without making it. */
export async function findBus(view: StateView, { place, name }: NamedBus): Promise<BusDocument | undefined> {
  const found = await view.get<BusDocument>(busKey(place, name));
  return found?.value ?? (name === defaultBusName ? untouched : undefined);
}

/** Throws ResourceNotFoundException. */
export async function readBus(view: StateView, bus: NamedBus): Promise<BusDocument> {
  const found = await findBus(view, bus);
  if (!found) throw busNotFound(bus.name);
  return found;
}

export const findRule = async (
  view: StateView,
  { bus, name }: NamedRule,
): Promise<RuleDocument | undefined> =>
  (await view.get<RuleDocument>(ruleKey(bus.place, bus.name, name)))?.value;

/** Throws ResourceNotFoundException for a bus, or a rule on it, that does not exist. */
export async function readRule(view: StateView, rule: NamedRule): Promise<RuleDocument> {
  await readBus(view, rule.bus);
  const found = await findRule(view, rule);
  if (!found) throw ruleNotFound(rule.name, rule.bus.name);
  return found;
}

/** The targets of a rule, in the order of their ids. */
export async function targetsOf(
  view: StateView,
  { bus, name }: NamedRule,
): Promise<readonly TargetDocument[]> {
  const found = await view.list<TargetDocument>(targetPrefix(bus.place, bus.name, name));
  return found.map(({ value }) => value);
}
