import type { Target } from '@aws-sdk/client-eventbridge';
import type { DeliveryHttp } from '../delivery/delivery-entry.ts';
import { readJsonPath, valueAt } from '../inputs/json-path.ts';
import { isDynamic } from '../targets/target-kinds.ts';

/** What stands at the path that a value of a parameter is: text as it is, everything else as JSON; undefined for nothing. */
function dynamicValue(value: string, event: unknown): string | undefined {
  const read = readJsonPath(value);
  const found = read.kind === 'path' ? valueAt(event, read.path) : undefined;
  if (found === undefined || typeof found === 'string') return found;
  return JSON.stringify(found);
}

function pathValue(value: string, event: unknown): string {
  if (!isDynamic(value)) return value;
  const found = dynamicValue(value, event);
  if (found === undefined || found === '')
    throw new Error(`the event has nothing at ${value}, which is a path parameter`);
  return found;
}

/**
 * The HTTP parameters of a target for an event. "You can use this syntax to specify JSON paths instead of static values (for
 * example $.detail.state). The entire value has to be a JSON path, not only part of it"; it can be used in HttpParameters but
 * for HeaderParameters ("Event bus targets in Amazon EventBridge", dynamic path parameters). Throws where a `*` of the
 * endpoint's path would be filled with nothing.
 */
export function httpOf({ HttpParameters: http }: Target, event: unknown): { readonly http?: DeliveryHttp } {
  if (!http) return {};
  const query = Object.entries(http.QueryStringParameters ?? {}).map(([name, value]) => [
    name,
    isDynamic(value) ? (dynamicValue(value, event) ?? '') : value,
  ]);
  return {
    http: {
      path: (http.PathParameterValues ?? []).map((value) => pathValue(value, event)),
      headers: http.HeaderParameters ?? {},
      query: Object.fromEntries(query) as Record<string, string>,
    },
  };
}
