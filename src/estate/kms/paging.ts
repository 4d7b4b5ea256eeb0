import { AwsFault } from '../../kernel/index.ts';
import type { StateDocument, StateView } from '../../state/index.ts';

export interface PageRequest {
  readonly Limit?: number | undefined;
  readonly Marker?: string | undefined;
}

export interface PageAnswer {
  readonly Truncated: boolean;
  readonly NextMarker?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly answer: PageAnswer;
}

const encode = (place: string): string => Buffer.from(place).toString('base64url');

function decode(marker: string): string {
  const place = Buffer.from(marker, 'base64url').toString();
  if (encode(place) !== marker) throw new AwsFault('InvalidMarkerException', 'Could not deserialize marker.');
  return place;
}

function pageFrom<T>(found: readonly T[], size: number, placeOf: (item: T) => string): Page<T> {
  const items = found.slice(0, size);
  const last = items.at(-1);
  return found.length > size && last !== undefined
    ? { items, answer: { Truncated: true, NextMarker: encode(placeOf(last)) } }
    : { items, answer: { Truncated: false } };
}

/**
 * A page of the documents under `prefix`. The marker is the last one's key, so a page stays right while others come and
 * go. Throws InvalidMarkerException.
 */
export async function pageOfDocuments<T>(
  view: StateView,
  prefix: string,
  request: PageRequest,
  usualSize: number,
): Promise<Page<StateDocument<T>>> {
  const size = request.Limit ?? usualSize;
  const after = request.Marker === undefined ? undefined : prefix + decode(request.Marker);
  const found = await view.list<T>(prefix, { limit: size + 1, ...(after !== undefined && { after }) });
  return pageFrom(found, size, ({ key }) => key.slice(prefix.length));
}

/** A page of a short list, in its order; what comes in between pages may move items. */
export function pageOfList<T>(list: readonly T[], request: PageRequest, usualSize: number): Page<T> {
  const from = request.Marker === undefined ? 0 : Number(decode(request.Marker));
  if (!Number.isInteger(from) || from < 0) {
    throw new AwsFault('InvalidMarkerException', 'Could not deserialize marker.');
  }
  const size = request.Limit ?? usualSize;
  const end = from + size;
  return pageFrom(list.slice(from, end + 1), size, () => String(end));
}
