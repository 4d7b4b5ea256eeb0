import type { Target } from '@aws-sdk/client-eventbridge';
import type { Logger } from '../../kernel/index.ts';
import type { State, StateView } from '../../state/index.ts';
import {
  defaultBusName,
  ruleArn,
  rulePrefix,
  targetPrefix,
  type BusPlace,
  type RuleDocument,
  type TargetDocument,
} from '../bus-documents.ts';
import type { EventPattern, PatternIndex } from '../patterns/index.ts';
import type { RecordGlance } from '../record-glance.ts';

/** A rule that is enabled and has targets. */
export interface RoutedRule {
  readonly name: string;
  readonly arn: string;
  readonly pattern: EventPattern;
  /** Whether it asks for the management events that rules otherwise do not get. */
  readonly takesHidden: boolean;
  readonly targets: readonly Target[];
}

/** The rules in force, ready for matching. */
export interface RuleCache extends Disposable {
  /** Brings in what has changed; call it before others are asked. */
  refresh(): Promise<void>;
  readonly isEmpty: boolean;
  hasRules(place: BusPlace, bus: string): boolean;
  /** The rules of a bus that may match an event; all others do not. */
  candidates(place: BusPlace, bus: string, event: unknown): readonly RoutedRule[];
  /** Whether a record could be of interest to a rule of some default bus, by a look at its bytes. */
  mayMatchRecord(payload: Uint8Array): boolean;
}

/** Place and bus in the keys of rules and targets (`bus-documents.ts`). */
const ruleKeys = /^bus\/([^/]+)\/([^/]+)\/(?:rule|target)\/([^/]+)\//;

/** What CloudTrail's events have as detail type ends so. */
const viaCloudTrail = ' via CloudTrail';

interface BusOfRules {
  readonly place: BusPlace;
  readonly bus: string;
}

function busOfKey(key: string): BusOfRules | undefined {
  const [, account, region, bus] = ruleKeys.exec(key) ?? [];
  return account === undefined || region === undefined || bus === undefined
    ? undefined
    : { place: { account, region }, bus };
}

const idOf = ({ place, bus }: BusOfRules): string => `${place.account}/${place.region}/${bus}`;

async function readRules(view: StateView, { place, bus }: BusOfRules, log: Logger): Promise<RoutedRule[]> {
  const [rules, targets] = await Promise.all([
    view.list<RuleDocument>(rulePrefix(place, bus)),
    view.list<TargetDocument>(targetPrefix(place, bus)),
  ]);
  if (rules.length === 0 || targets.length === 0) return [];
  const { parseEventPattern } = await import('../patterns/index.ts');
  const byRule = Map.groupBy(targets, ({ value }) => value.rule);
  return rules.flatMap(({ value: rule }) => {
    const ofRule = byRule.get(rule.name)?.map(({ value }) => value.target) ?? [];
    if (rule.state === 'DISABLED' || ofRule.length === 0) return [];
    const arn = ruleArn(place, bus, rule.name);
    try {
      return {
        name: rule.name,
        arn,
        pattern: parseEventPattern(rule.eventPattern),
        takesHidden: rule.state === 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS',
        targets: ofRule,
      };
    } catch (error) {
      // It was understood when it was put; to guess what it means now would be worse than to match nothing.
      log.error({ err: error, rule: arn }, 'the pattern of a rule is not understood; it matches nothing');
      return [];
    }
  });
}

async function indexed(of: BusOfRules, rules: readonly RoutedRule[]): Promise<CachedRules> {
  const { openPatternIndex } = await import('../patterns/index.ts');
  return { of, rules, index: openPatternIndex(rules) };
}

/** Whether a rule's pattern leaves room for an event of CloudTrail. */
function wantsRecords({ pattern }: RoutedRule): boolean {
  const { detailType, source } = pattern.exact;
  const isOfServices = source === undefined || [...source].some((one) => one.startsWith('aws.'));
  return (
    isOfServices && (detailType === undefined || [...detailType].some((type) => type.endsWith(viaCloudTrail)))
  );
}

/** What the rules of all default buses have in common about records. */
interface WantedRecords {
  readonly regions: ReadonlySet<string>;
  readonly takesHidden: boolean;
  /** Undefined where some rule takes any. */
  readonly sources: ReadonlySet<string> | undefined;
  readonly eventNames: ReadonlySet<string> | undefined;
}

function unionOf(sets: readonly (ReadonlySet<string> | undefined)[]): ReadonlySet<string> | undefined {
  return sets.some((set) => set === undefined) ? undefined : new Set(sets.flatMap((set) => [...(set ?? [])]));
}

function wantedRecords(buses: Iterable<{ readonly of: BusOfRules; readonly rules: readonly RoutedRule[] }>) {
  const wanting = [...buses]
    .filter(({ of }) => of.bus === defaultBusName)
    .flatMap(({ of, rules }) =>
      rules.filter(wantsRecords).map((rule) => ({ rule, region: of.place.region })),
    );
  if (wanting.length === 0) return undefined;
  return {
    regions: new Set(wanting.map(({ region }) => region)),
    takesHidden: wanting.some(({ rule }) => rule.takesHidden),
    sources: unionOf(wanting.map(({ rule }) => rule.pattern.exact.source)),
    eventNames: unionOf(wanting.map(({ rule }) => rule.pattern.exact.eventName)),
  };
}

function mayBeWanted(glance: RecordGlance | undefined, wanted: WantedRecords): boolean {
  if (!glance) return true;
  const { source, eventName, region, isHidden } = glance;
  return (
    wanted.regions.has(region) &&
    (wanted.takesHidden || !isHidden) &&
    (wanted.sources?.has(source) ?? true) &&
    (wanted.eventNames === undefined || (eventName !== undefined && wanted.eventNames.has(eventName)))
  );
}

interface CachedRules {
  readonly of: BusOfRules;
  readonly rules: readonly RoutedRule[];
  readonly index: PatternIndex<RoutedRule>;
}

const never = () => false;

/** Opens the cache over what is committed; changes of rules and targets are brought in by the next `refresh`. */
export async function openRuleCache(
  state: Pick<State, 'list' | 'get' | 'count' | 'onChange'>,
  log: Logger,
): Promise<RuleCache> {
  const rules = new Map<string, CachedRules>();
  const stale = new Map<string, BusOfRules>();
  let mayMatchRecord: RuleCache['mayMatchRecord'] = never;

  const note = (key: string) => {
    const of = busOfKey(key);
    if (of) stale.set(idOf(of), of);
  };
  const stop = state.onChange((keys) => {
    for (const key of keys) if (key.startsWith('bus/')) note(key);
  });

  const refresh = async (): Promise<void> => {
    for (let [next] = stale; next; [next] = stale) {
      const [id, of] = next;
      stale.delete(id);
      try {
        const found = await readRules(state, of, log);
        if (found.length > 0) rules.set(id, await indexed(of, found));
        else rules.delete(id);
      } catch (error) {
        stale.set(id, of);
        throw error;
      }
    }
    const wanted = wantedRecords(rules.values());
    if (!wanted) {
      mayMatchRecord = never;
      return;
    }
    const { glanceAtRecord } = await import('../record-glance.ts');
    mayMatchRecord = (payload) => mayBeWanted(glanceAtRecord(payload), wanted);
  };

  for (const { key } of await state.list('bus/')) note(key);
  await refresh();
  return {
    refresh: () => (stale.size > 0 ? refresh() : Promise.resolve()),
    get isEmpty() {
      return rules.size === 0 && stale.size === 0;
    },
    hasRules: (place, bus) => rules.has(idOf({ place, bus })),
    candidates: (place, bus, event) => rules.get(idOf({ place, bus }))?.index.candidates(event) ?? [],
    mayMatchRecord: (payload) => mayMatchRecord(payload),
    [Symbol.dispose]: stop,
  };
}
