import type { ScannedRecord } from '../../history/index.ts';

/** A resource as a record names it. `ARNPrefix` stands where a call is about many objects, such as ListObjects. */
export interface NamedResource {
  readonly type: string | undefined;
  readonly arn: string | undefined;
}

/** An event as selectors look at it: what was scanned, and the record itself for the few fields that were not. */
export interface SelectableEvent {
  readonly scanned: ScannedRecord;
  /** A member at the top of the record, as text; undefined where it is absent. */
  top(name: string): string | undefined;
  /** A member of an object at the top of the record, as text. */
  inside(parent: string, name: string): string | undefined;
  /** The record's own `resources`. */
  readonly resources: readonly NamedResource[];
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'boolean' || typeof value === 'number' ? String(value) : undefined;
}

function resourcesOf({ resources }: JsonObject): readonly NamedResource[] {
  if (!Array.isArray(resources)) return [];
  return (resources as readonly unknown[]).filter(isObject).map((one) => ({
    type: textOf(one['type']),
    arn: textOf(one['ARN']) ?? textOf(one['ARNPrefix']),
  }));
}

/** The event of a record. The bytes are parsed only when a selector asks for what the scan does not tell. */
export function selectableEvent(scanned: ScannedRecord, raw: Uint8Array): SelectableEvent {
  let parsed: JsonObject | undefined;
  let resources: readonly NamedResource[] | undefined;
  const record = (): JsonObject => {
    if (parsed) return parsed;
    const value = JSON.parse(Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString()) as unknown;
    return (parsed = isObject(value) ? value : {});
  };
  return {
    scanned,
    top: (name) => textOf(record()[name]),
    inside(parent, name) {
      const object = record()[parent];
      return isObject(object) ? textOf(object[name]) : undefined;
    },
    get resources() {
      return (resources ??= resourcesOf(record()));
    },
  };
}
