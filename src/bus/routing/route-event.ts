import type { Target } from '@aws-sdk/client-eventbridge';
import { decodeBusEvent, type JournalEntry } from '../../journal/index.ts';
import { defaultBusName, placeOfBus, type BusPlace } from '../bus-documents.ts';
import { cloudtrailEvent } from '../cloudtrail-events.ts';
import type { DeliveryHead } from '../delivery/delivery-entry.ts';
import { parseEvent } from '../event-json.ts';
import { renderInput } from '../inputs/index.ts';
import { matchesEvent } from '../patterns/index.ts';
import { targetKindOf } from '../targets/target-kinds.ts';
import { httpOf } from './http-parameters.ts';
import { refuseHop, type BusHop, type BusHopParts } from './bus-hop.ts';
import type { RoutedRule, RuleCache } from './rule-cache.ts';

/** An event that a bus has. */
export interface ArrivedEvent {
  readonly place: BusPlace;
  readonly bus: string;
  /** Its text, byte for byte. */
  readonly raw: string;
  /** The same, parsed. */
  readonly event: EventFacts;
  /** Whether only rules that ask for all management events get it. */
  readonly isHidden: boolean;
  /** When the bus took it, epoch milliseconds. */
  readonly time: number;
  /** Whether it came from another bus, and so goes to no third. */
  readonly isForwarded: boolean;
}

/** What is used of an event's members; whatever else it holds. */
export interface EventFacts {
  readonly id?: unknown;
  readonly source?: unknown;
  readonly 'detail-type'?: unknown;
}

/** The event that an entry of the journal is, where its bus has rules. Throws for an entry that cannot be read. */
export function arrivedEvent(
  entry: JournalEntry,
  rules: Pick<RuleCache, 'hasRules'>,
): ArrivedEvent | undefined {
  const { time } = entry;
  if (entry.kind === 'event') {
    const { head, raw: bytes } = decodeBusEvent(entry.payload);
    const to = placeOfBus(head.bus);
    if (!to || !rules.hasRules(to.place, to.name)) return undefined;
    const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    const event = parseEvent(raw) as EventFacts;
    return { place: to.place, bus: to.name, raw, event, isHidden: false, time, isForwarded: false };
  }
  const told = cloudtrailEvent(entry);
  if (!told) return undefined;
  const { text: raw, ...others } = told;
  return { ...others, raw, bus: defaultBusName, time, isForwarded: false };
}

/** A delivery, before it is known which entry of the journal it comes from. */
export interface PlannedDelivery {
  readonly head: Omit<DeliveryHead, 'version' | 'from'>;
  readonly body: string;
}

/** An event that a rule matched and its target does not get. */
export interface Refusal {
  readonly rule: string;
  readonly target: string;
  readonly reason: string;
}

/** Told what else comes of an event than deliveries. */
export interface RoutingTold {
  refused(refusal: Refusal): void;
  /** A bus took it. */
  forwarded(): void;
}

export interface RouteParts extends BusHopParts {
  readonly rules: Pick<RuleCache, 'candidates'>;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** "RetryPolicy": 185 attempts and 24 hours unless said. */
const usualRetries = 185;
const usualAgeSeconds = 86_400;

const secondsText = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;

function plan(arrived: ArrivedEvent, rule: RoutedRule, target: Target): PlannedDelivery {
  const { raw, event } = arrived;
  const body = renderInput(target, {
    raw,
    event,
    ruleArn: rule.arn,
    ruleName: rule.name,
    ingestionTime: secondsText(arrived.time),
  });
  return {
    head: {
      rule: rule.arn,
      id: target.Id ?? '',
      target: target.Arn ?? '',
      role: target.RoleArn ?? '',
      retries: target.RetryPolicy?.MaximumRetryAttempts ?? usualRetries,
      ageSeconds: target.RetryPolicy?.MaximumEventAgeInSeconds ?? usualAgeSeconds,
      event: text(event.id),
      ...httpOf(target, event),
    },
    body,
  };
}

/** "An event can be sent to an event bus target only once": why it goes no further. */
const secondHop = 'the event came from another event bus already, and is sent on to no third';

/** An event on its way. */
interface Routing {
  readonly arrived: ArrivedEvent;
  readonly parts: RouteParts;
  readonly told: RoutingTold;
}

type Deliveries = AsyncGenerator<PlannedDelivery, void, undefined>;

/** Sends the event on to a bus, whose rules are asked at once. */
async function* forward(
  { arrived, parts, told }: Routing,
  rule: RoutedRule,
  target: Target,
  { place: to, name: bus }: { readonly place: BusPlace; readonly name: string },
): Deliveries {
  const { place: from, event } = arrived;
  const hop: BusHop = {
    from,
    rule: rule.arn,
    role: target.RoleArn ?? '',
    to,
    bus,
    source: text(event.source),
    detailType: text(event['detail-type']),
  };
  const refused = arrived.isForwarded ? secondHop : await refuseHop(hop, parts);
  if (refused !== undefined) {
    told.refused({ rule: rule.arn, target: target.Arn ?? '', reason: refused });
    return;
  }
  told.forwarded();
  yield* routeEvent({ ...arrived, place: to, bus, isForwarded: true }, parts, told);
}

async function* send(routing: Routing, rule: RoutedRule, target: Target): Deliveries {
  const kind = targetKindOf(target.Arn ?? '');
  try {
    if (kind?.kind === 'event-bus') yield* forward(routing, rule, target, kind);
    else yield plan(routing.arrived, rule, target);
  } catch (error) {
    // One target must not hold up all others for good.
    const reason = (error as Error).message;
    routing.told.refused({ rule: rule.arn, target: target.Arn ?? '', reason });
  }
}

function matches({ arrived, told }: Routing, rule: RoutedRule): boolean {
  try {
    return (rule.takesHidden || !arrived.isHidden) && matchesEvent(rule.pattern, arrived.event);
  } catch (error) {
    told.refused({ rule: rule.arn, target: 'any', reason: (error as Error).message });
    return false;
  }
}

/**
 * The deliveries of an event to the targets of the rules that match it. Where a target is another bus, that bus's rules are
 * asked as well, once: "EventBridge can't route events received from a sender event bus to a third event bus". They come one
 * by one, as all of them together may be far more than memory holds: an event of a megabyte, for 1,500 targets of each bus.
 */
export async function* routeEvent(arrived: ArrivedEvent, parts: RouteParts, told: RoutingTold): Deliveries {
  const routing: Routing = { arrived, parts, told };
  for (const rule of parts.rules.candidates(arrived.place, arrived.bus, arrived.event)) {
    if (!matches(routing, rule)) continue;
    for (const target of rule.targets) yield* send(routing, rule, target);
  }
}
