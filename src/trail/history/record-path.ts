import { AwsFault, limits } from '../../kernel/index.ts';
import type { EventSource } from './event-source.ts';
import { openDocLists, type SourceValues, type ValueNumbers } from './value-numbers.ts';

/** A member of the record, such as `requestParameters.bucketName`, by which events are counted; no index knows it. */
export interface RecordPath {
  readonly path: readonly string[];
}

/** What stands at the top of a record: CloudTrail record contents, its Insights events, and events of integrations. */
const topMembers: ReadonlySet<string> = new Set(
  (
    'eventVersion userIdentity eventTime eventSource eventName awsRegion sourceIPAddress userAgent ' +
    'errorCode errorMessage requestParameters responseElements additionalEventData requestID eventID ' +
    'eventType apiVersion managementEvent readOnly resources recipientAccountId serviceEventDetails ' +
    'sharedEventID vpcEndpointId vpcEndpointAccountId eventCategory addendum ' +
    'sessionCredentialFromConsole edgeDeviceDetails tlsDetails insightDetails eventContext ' +
    'annotation metadata eventData'
  ).split(' '),
);

/** The path that a name with dots stands for; undefined where no record has such a member at its top. */
export function recordPath(name: string): RecordPath | undefined {
  const path = name.split('.');
  const isPath = topMembers.has(path[0] as string) && path.every((member) => member !== '');
  return isPath ? { path } : undefined;
}

/** A record may be nested more deeply than it can be written. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value);
  } catch {
    return '(nested too deeply)';
  }
}

const elementsOf = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : [value]);

/**
 * The values at a path as texts, each once: of lists on the way, and of one at its end, those of their elements; of an object, or a
 * list within a list, its JSON. Null is no value.
 */
export function valuesAt(record: unknown, path: readonly string[]): ReadonlySet<string> {
  let values = [record];
  for (const name of path) {
    values = values.flatMap((value) =>
      value !== null && typeof value === 'object' && Object.hasOwn(value, name)
        ? elementsOf((value as Record<string, unknown>)[name])
        : [],
    );
  }
  return new Set(values.filter((value) => value !== null).map(textOf));
}

/** Bytes of records that are looked through before others get a turn; a few milliseconds. */
const sliceBytes = 512 * 1024;

/** A bound on the texts of all values of one count. */
export function openTextBound(): (text: string) => void {
  let characters = 0;
  return (text) => {
    characters += text.length;
    if (characters <= limits.historyCountCharacters) return;
    throw new AwsFault(
      'LimitExceededException',
      `The values to count by have more than ${limits.historyCountCharacters} characters. Narrow the count down by time or by attributes, or name a member that holds less.`,
    );
  };
}

/** The values at a path of the documents that `column` marks (0 and more), read from their records. */
export async function valuesOfPath(
  source: EventSource,
  { path }: RecordPath,
  options: {
    readonly column: Int32Array;
    readonly numbers: ValueNumbers;
    readonly pause: () => Promise<void>;
  },
): Promise<SourceValues> {
  const { column, numbers, pause } = options;
  const last = Buffer.from(`"${path.at(-1)}"`);
  const found = openDocLists();
  let bytes = 0;
  for (const [doc, bucket] of column.entries()) {
    if (bucket < 0) continue;
    const raw = source.raw(doc);
    bytes += raw.length;
    // Names may be written with escapes, which few are.
    if (raw.includes(last) || raw.includes('\\u')) {
      for (const text of valuesAt(JSON.parse(raw.toString()), path)) found.add(numbers.ofText(text), doc);
    }
    if (bytes < sliceBytes) continue;
    bytes = 0;
    await pause();
  }
  return {
    isMultiple: true,
    *lists() {
      for (const [value, docs] of found.docsOf)
        yield { value: () => value, docs: Int32Array.from(docs), length: docs.length };
    },
  };
}
