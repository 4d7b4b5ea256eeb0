import { isAccountId, isRegion, parseArn } from '../kernel/index.ts';
import { busArn, defaultBusName, placeOfBus, ruleArn, type BusPlace } from './bus-documents.ts';

/** A bus that a request means, which may be of another account or region than the caller's, and need not exist. */
export interface NamedBus {
  readonly place: BusPlace;
  readonly name: string;
  readonly arn: string;
}

/** A rule that a request means. */
export interface NamedRule {
  readonly bus: NamedBus;
  readonly name: string;
  readonly arn: string;
}

/** Where a call was made. */
export interface CalledFrom {
  readonly accountId: string;
  readonly region: string;
}

const busAt = (place: BusPlace, name: string): NamedBus => ({ place, name, arn: busArn(place, name) });

export const ruleAt = (bus: NamedBus, name: string): NamedRule => ({
  bus,
  name,
  arn: ruleArn(bus.place, bus.name, name),
});

/**
 * The bus that a name or an ARN means; without either the default bus. A name is one of the caller's account and region; an
 * ARN may be of any ("Permissions for event buses in Amazon EventBridge"). Which texts are names, `wire` has checked.
 */
export function busNamed(nameOrArn: string | undefined, call: CalledFrom): NamedBus {
  const found = nameOrArn === undefined ? undefined : placeOfBus(nameOrArn);
  return found ? busAt(found.place, found.name) : ownBus(nameOrArn, call);
}

/** The bus of that name in the caller's account and region; without a name the default bus. */
export const ownBus = (name: string | undefined, { accountId, region }: CalledFrom): NamedBus =>
  busAt({ account: accountId, region }, name ?? defaultBusName);

/** The rule of that name on the bus that a request means. */
export const ruleNamed = (
  input: { readonly Name: string; readonly EventBusName?: string | undefined },
  call: CalledFrom,
): NamedRule => ruleAt(busNamed(input.EventBusName, call), input.Name);

const taggedResource = /^(event-bus|rule)\/([.\-_A-Za-z0-9]+)(?:\/([.\-_A-Za-z0-9]+))?$/;

export type TaggedResource =
  | { readonly kind: 'bus'; readonly bus: NamedBus }
  | { readonly kind: 'rule'; readonly rule: NamedRule };

/** The bus or rule of an ARN ("In EventBridge, rules and event buses can be tagged"); undefined for anything else. */
export function resourceOfArn(text: string): TaggedResource | undefined {
  const arn = parseArn(text);
  if (arn?.partition !== 'aws' || arn.service !== 'events') return undefined;
  if (!isAccountId(arn.accountId) || !isRegion(arn.region)) return undefined;
  const place = { account: arn.accountId, region: arn.region };
  const [, kind, first, second] = taggedResource.exec(arn.resource) ?? [];
  if (first === undefined) return undefined;
  if (kind === 'event-bus')
    return second === undefined ? { kind: 'bus', bus: busAt(place, first) } : undefined;
  const bus = busAt(place, second === undefined ? defaultBusName : first);
  return { kind: 'rule', rule: ruleAt(bus, second ?? first) };
}
