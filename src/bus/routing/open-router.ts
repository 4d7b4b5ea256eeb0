import { sequence, type Clock, type Logger, type Sequence } from '../../kernel/index.ts';
import {
  type JournalEntry,
  type NewEntry,
  type Reader,
  type ReaderOptions,
  type Stream,
} from '../../journal/index.ts';
import type { AuthoriseRole } from '../../identity/index.ts';
import type { State } from '../../state/index.ts';
import type { BusCounts } from '../bus-counts.ts';
import type { OpenTrailSelection, TrailSelection } from '../cloudtrail-events.ts';
import { decodeDelivery, encodeDelivery } from '../delivery/delivery-entry.ts';
import { openQuietLog } from '../quiet-log.ts';
import type { ArrivedEvent, PlannedDelivery, RoutingTold } from './route-event.ts';
import { openRuleCache } from './rule-cache.ts';

/** The reader's name: of its cursor, and in the metrics. */
const readerName = 'bus';
/** Deliveries that become durable together. */
const mostAppendedBytes = 4 * 1024 * 1024;

export interface RouterOptions {
  readonly state: State;
  /** The journal's stream `audit`, and the one that deliveries go to. */
  readonly audit: Stream;
  readonly bus: Stream;
  readonly authoriseRole: AuthoriseRole;
  /** What trails log: without it, no records of calls go to the bus. */
  readonly openTrailSelection: OpenTrailSelection;
  readonly counts: BusCounts;
  readonly clock: Clock;
  readonly log: Logger;
  /** How far it had come, as far as that is known. */
  readonly from: RouterPlace | undefined;
  /** Told when deliveries have become durable. */
  readonly onRouted: () => void;
  readonly onDamage?: ReaderOptions['onDamage'];
}

/** How far events have been routed. */
export interface RouterPlace {
  /** Everything before it in the stream `audit` is routed … */
  readonly audit: number;
  /** … by deliveries that stand before it in the stream `bus`. */
  readonly bus: number;
}

/** The reader that sends events to the rules that match them. */
export interface Router extends AsyncDisposable {
  readonly reader: Reader;
  readonly place: RouterPlace;
  /** Lets the journal go of what is routed. */
  checkpoint(): Promise<void>;
}

/** A delivery that an entry of the journal comes to. */
interface RoutedDelivery {
  /** Of its rule and target. */
  readonly key: string;
  readonly entry: NewEntry;
}

/** Looks up to where events were routed by what stands in the stream of deliveries, behind what is known. */
async function routedUntil(bus: Stream, known: RouterPlace): Promise<number> {
  let { audit } = known;
  for await (const { entries } of bus.read(sequence(Math.max(known.bus, bus.start)))) {
    for (const { payload } of entries) {
      const { head } = decodeDelivery(payload);
      if (head.isLast) audit = Math.max(audit, head.from + 1);
    }
  }
  return audit;
}

/**
 * Where routing begins. Before the first rule there was nothing to route: a data directory of an older version is not read
 * through. Without a note of the place, the cursor is an older one; what was routed behind it is found among the deliveries.
 */
async function startOf(options: RouterOptions, hasRules: boolean): Promise<Sequence> {
  const { audit, bus, from } = options;
  const cursor = audit.cursorOf(readerName);
  if (cursor === undefined && from === undefined && !hasRules) return audit.end;
  const known = {
    audit: Math.max(cursor ?? audit.start, from?.audit ?? 0),
    bus: from?.bus ?? bus.start,
  };
  return sequence(Math.min(await routedUntil(bus, known), Math.max(audit.end, cursor ?? 0)));
}

/** Opens the router: it goes on where it was, and routes at least once what became durable since. */
export async function openRouter(options: RouterOptions): Promise<Router> {
  const { state, audit, bus, counts, clock } = options;
  const log = options.log.child({ part: 'bus' });
  const quiet = openQuietLog(log, clock);
  await using opening = new AsyncDisposableStack();
  const rules = opening.use(await openRuleCache(state, log));
  const parts = { state, rules, authoriseRole: options.authoriseRole, clock };
  const start = await startOf(options, !rules.isEmpty);
  /** Opened with the first entry that is routed, and again where it has followed entries that are to be routed once more. */
  let selection: TrailSelection | undefined;
  let place: RouterPlace = { audit: start, bus: bus.end };
  /** The entry of which some deliveries are durable, and how many by rule and target: they are not made again if others fail. */
  let partly: { readonly sequence: number; readonly made: Map<string, number> } | undefined;

  /** Whether a rule may match it, as far as can be said without reading it. */
  function isWanted(entry: JournalEntry): boolean {
    if (entry.kind === 'event') return true;
    if (entry.kind !== 'record' || !rules.mayMatchRecord(entry.payload)) return false;
    return selection?.selects(entry) === true;
  }

  const told: RoutingTold = {
    forwarded: () => (counts.delivered += 1),
    refused({ rule, target, reason }) {
      counts.givenUp += 1;
      quiet.warn(`${rule} ${target}`, { rule, target, reason }, 'a target does not get an event');
    },
  };

  /** The deliveries of an entry, in order; none where it cannot be read. */
  async function* route(entry: JournalEntry): AsyncGenerator<PlannedDelivery, void, undefined> {
    const { arrivedEvent, routeEvent } = await import('./route-event.ts');
    let arrived: ArrivedEvent | undefined;
    try {
      arrived = arrivedEvent(entry, rules);
    } catch (error) {
      log.error(
        { err: error, sequence: entry.sequence },
        'an event of the journal cannot be read; no rule gets it',
      );
    }
    if (!arrived) return;
    yield* routeEvent(arrived, parts, told);
  }

  /** The deliveries of an entry that are not durable yet, the last one as such. */
  async function* deliveriesOf(entry: JournalEntry): AsyncGenerator<RoutedDelivery, void, undefined> {
    const routed = ({ head, body }: PlannedDelivery, isLast: boolean): RoutedDelivery => ({
      key: `${head.rule} ${head.id}`,
      entry: encodeDelivery(
        { version: 1, from: entry.sequence, ...(isLast && { isLast: true as const }), ...head },
        body,
      ),
    });
    const left = partly?.sequence === entry.sequence ? new Map(partly.made) : undefined;
    let before: PlannedDelivery | undefined;
    for await (const planned of route(entry)) {
      const key = `${planned.head.rule} ${planned.head.id}`;
      const made = left?.get(key) ?? 0;
      if (made > 0) {
        left?.set(key, made - 1);
        continue;
      }
      if (before) yield routed(before, false);
      before = planned;
    }
    if (before) yield routed(before, true);
  }

  /** Makes deliveries durable, and notes that everything before `until` is routed. */
  async function append(deliveries: readonly NewEntry[], until: number): Promise<void> {
    if (deliveries.length > 0) await bus.append(deliveries);
    place = { audit: until, bus: bus.end };
    if (deliveries.length > 0) options.onRouted();
  }
  /** Notes that these deliveries of an entry are durable, while others of it are not. */
  function noteMade({ sequence: at }: JournalEntry, keys: readonly string[]): void {
    if (partly?.sequence !== at) partly = { sequence: at, made: new Map() };
    for (const key of keys) partly.made.set(key, (partly.made.get(key) ?? 0) + 1);
  }

  async function routeAll(entries: readonly JournalEntry[]): Promise<void> {
    await rules.refresh();
    const [first] = entries;
    const last = entries.at(-1);
    if (!first || !last) return;
    selection ??= await options.openTrailSelection(first.sequence);
    let waiting: NewEntry[] = [];
    let bytes = 0;
    for (const entry of entries) {
      selection.follow(entry);
      // Routed before a failure to append what came behind it.
      if (rules.isEmpty || entry.sequence < place.audit || !isWanted(entry)) continue;
      let keys: string[] = [];
      for await (const { key, entry: delivery } of deliveriesOf(entry)) {
        const size = delivery.payload.length;
        if (waiting.length > 0 && bytes + size > mostAppendedBytes) {
          await append(waiting, entry.sequence);
          noteMade(entry, keys);
          waiting = [];
          keys = [];
          bytes = 0;
        }
        waiting.push(delivery);
        keys.push(key);
        bytes += size;
      }
    }
    await append(waiting, Math.max(place.audit, last.sequence + 1));
    partly = undefined;
  }

  const reader = opening.use(
    await audit.follow({
      name: readerName,
      from: start,
      ...(options.onDamage && { onDamage: options.onDamage }),
      async apply(entries) {
        try {
          await routeAll(entries);
        } catch (error) {
          selection = undefined;
          throw error;
        }
      },
    }),
  );
  const opened = opening.move();
  return {
    reader,
    get place() {
      return place;
    },
    checkpoint: () => reader.checkpoint(sequence(Math.min(place.audit, reader.applied))),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
