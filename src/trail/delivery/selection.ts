import { compileAdvanced, type EventPredicate } from '../trails/selectors/compile-advanced.ts';
import { compileBasic, defaultSelectors } from '../trails/selectors/compile-basic.ts';
import type { SelectableEvent } from '../trails/selectors/selectable-event.ts';
import { trailArn } from '../trails/trail-names.ts';
import type { EventClass, LoggingSettings } from './delivery-documents.ts';

/** The services that AWS runs once for all regions and records in us-east-1 ("Global service events"). */
const globalSources: ReadonlySet<string> = new Set([
  'account.amazonaws.com',
  'cloudfront.amazonaws.com',
  'globalaccelerator.amazonaws.com',
  'iam.amazonaws.com',
  'organizations.amazonaws.com',
  'route53.amazonaws.com',
  'sts.amazonaws.com',
]);
const globalRegion = 'us-east-1';

/** Whether an event is of a kind that the settings let through, before regions are looked at. */
type ClassPredicate = (event: SelectableEvent) => EventClass | undefined;

/** The trail that selects; its ARN is that of all its incarnations. */
interface SelectingTrail {
  readonly accountId: string;
  readonly homeRegion: string;
  readonly name: string;
}

function compileInsights({ insightSelectors = [] }: LoggingSettings, arn: string): EventPredicate {
  const wanted = new Map(insightSelectors.map((one) => [one.InsightType as string, one.EventCategories]));
  return (event) => {
    const type = event.inside('insightDetails', 'insightType') ?? '';
    if (!wanted.has(type)) return false;
    // Those of data events are of one trail.
    if ((event.top('insightSource') ?? arn) !== arn) return false;
    const given = wanted.get(type) ?? [];
    const categories: readonly string[] = given.length > 0 ? given : ['Management'];
    const source = event.inside('insightDetails', 'sourceEventCategory') ?? 'Management';
    return categories.includes(source);
  };
}

function compileClasses(logging: LoggingSettings, arn: string): ClassPredicate {
  const { advancedEventSelectors, eventSelectors = defaultSelectors } = logging;
  const selected = advancedEventSelectors
    ? compileAdvanced(advancedEventSelectors)
    : compileBasic(eventSelectors);
  const isWantedInsight = compileInsights(logging, arn);
  return (event) => {
    switch (event.scanned.eventCategory) {
      case 'Insight':
        return isWantedInsight(event) ? 'CloudTrail-Insight' : undefined;
      case 'NetworkActivity':
        return selected(event) ? 'CloudTrail-NetworkActivity' : undefined;
      case undefined:
      default:
        return selected(event) ? 'CloudTrail' : undefined;
    }
  };
}

/**
 * Whether an event is of CloudTrail's own doing, of which records know its uses of keys. Trails log none of it, since
 * RecursiveLogging is false ("CreateTrail"); else each file that is encrypted would make the next one, and an import from a
 * trail's own bucket would read what it makes.
 */
function isOfCloudTrail(event: SelectableEvent): boolean {
  if (event.scanned.eventSource !== 'kms.amazonaws.com') return false;
  return event.inside('userIdentity', 'invokedBy') === 'cloudtrail.amazonaws.com';
}

function compileSettings(logging: LoggingSettings, trail: SelectingTrail): ClassPredicate {
  if (!logging.isLogging) return () => undefined;
  const { accountId, homeRegion, name } = trail;
  const classOf = compileClasses(logging, trailArn(accountId, homeRegion, name));
  return (event) => {
    const { region, eventSource } = event.scanned;
    if (!logging.isMultiRegion && region !== homeRegion) return undefined;
    const isGlobal = region === globalRegion && globalSources.has(eventSource ?? '');
    if (isGlobal && !logging.includeGlobalServiceEvents) return undefined;
    const eventClass = classOf(event);
    return eventClass && isOfCloudTrail(event) ? undefined : eventClass;
  };
}

/** Decides, along the journal, which events a trail logs. */
export interface Selection {
  /** As they are at this place of the journal. */
  readonly logging: LoggingSettings;
  /** Whether nothing is logged here, whatever it is. */
  readonly idle: boolean;
  /** The kind of an event of the trail's account, if the trail logs it. `at` is its sequence. */
  classOf(at: number, event: SelectableEvent): EventClass | undefined;
  /** The settings change with the entry at this sequence. */
  change(at: number, logging: LoggingSettings): void;
}

/**
 * Opens the selection of a trail at a place of the journal. The record of the call that changes the settings stands right
 * behind the change; it is logged if the trail logged such calls before or does so from now on, so that neither the start
 * of logging nor its end goes unseen.
 */
export function openSelection(trail: SelectingTrail, initial: LoggingSettings): Selection {
  let logging = initial;
  let now = compileSettings(initial, trail);
  let before: { readonly until: number; readonly classOf: ClassPredicate } | undefined;
  return {
    get logging() {
      return logging;
    },
    get idle() {
      return !logging.isLogging && !before;
    },
    classOf(at, event) {
      if (!before) return now(event);
      if (at <= before.until) return before.classOf(event) ?? now(event);
      before = undefined;
      return now(event);
    },
    change(at, next) {
      if (JSON.stringify(next) === JSON.stringify(logging)) return;
      before = { until: at + 1, classOf: now };
      logging = next;
      now = compileSettings(next, trail);
    },
  };
}
