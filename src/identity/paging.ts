import type { StateDocument, StateView } from '../state/index.ts';
import { validationError } from './faults.ts';
import { pages } from './quotas.ts';

/** What IAM's list operations take. */
export interface PageRequest {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

/** What they answer, beside the items. */
export interface PageAnswer {
  readonly IsTruncated: boolean;
  readonly Marker?: string;
}

export interface Page<T> extends PageAnswer {
  readonly items: readonly T[];
}

const encode = (place: string): string => Buffer.from(place).toString('base64url');

function decode(marker: string | undefined): string | undefined {
  if (marker === undefined) return undefined;
  const place = Buffer.from(marker, 'base64url').toString();
  if (encode(place) !== marker) throw validationError('Invalid Marker.');
  return place;
}

/** The answer's own members of a page: `IsTruncated`, and `Marker` when there is more. */
export function pageAnswer(page: PageAnswer): PageAnswer {
  return {
    IsTruncated: page.IsTruncated,
    ...(page.Marker === undefined ? {} : { Marker: page.Marker }),
  };
}

/**
 * A page of the documents under `prefix` that `keep` turns into something. The marker is the key of the last item,
 * so a page stays right while others come and go.
 */
export async function pageOfDocuments<T>(
  view: StateView,
  prefix: string,
  request: PageRequest,
  keep: (document: StateDocument<unknown>) => T | undefined,
): Promise<Page<T>> {
  const size = request.MaxItems ?? pages.usual;
  const items: T[] = [];
  let last = decode(request.Marker) ?? '';
  let after = prefix + last;
  for (;;) {
    const documents = await view.list(prefix, { after, limit: Math.min(size + 1, pages.most) });
    for (const document of documents) {
      const item = keep(document);
      if (item === undefined) continue;
      if (items.length === size) return { items, IsTruncated: true, Marker: encode(last) };
      items.push(item);
      last = document.key.slice(prefix.length);
    }
    const end = documents.at(-1);
    if (!end) return { items, IsTruncated: false };
    after = end.key;
  }
}

/** A page of the entities under `prefix` whose path begins with PathPrefix. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what stands under the prefix
export function pageOfPaths<Entity extends { readonly path: string }>(
  view: StateView,
  prefix: string,
  request: PageRequest & { readonly PathPrefix?: string | undefined },
): Promise<Page<Entity>> {
  const path = request.PathPrefix ?? '/';
  return pageOfDocuments(view, prefix, request, ({ value }) => {
    const entity = value as Entity;
    return entity.path.startsWith(path) ? entity : undefined;
  });
}

/** A page of a short list, in the order of `nameOf`, which must be unique. */
export function pageOfList<T>(
  list: readonly T[],
  request: PageRequest,
  nameOf: (item: T) => string,
): Page<T> {
  const after = decode(request.Marker);
  const size = request.MaxItems ?? pages.usual;
  const sorted = list
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    .filter((item) => after === undefined || nameOf(item) > after);
  const items = sorted.slice(0, size);
  const last = items.at(-1);
  return sorted.length > size && last
    ? { items, IsTruncated: true, Marker: encode(nameOf(last)) }
    : { items, IsTruncated: false };
}

/** One of several lists that are paged one after the other. */
export interface Section<T> {
  /** Up to `limit` items whose names come after `name`, in the order of their names. */
  after(name: string, limit: number): Promise<readonly { readonly name: string; readonly item: T }[]>;
}

/** A page over sections. The marker is the section's number and the name of the last item in it. */
export async function pageOfSections<T>(
  sections: readonly Section<T>[],
  request: PageRequest,
): Promise<Page<T>> {
  const size = request.MaxItems ?? pages.usual;
  const marker = decode(request.Marker);
  const [, number = '', from = ''] = /^(\d+) (.*)$/su.exec(marker ?? '0 ') ?? [];
  const start = Number(number);
  if (number === '' || start >= sections.length) throw validationError('Invalid Marker.');
  const items: T[] = [];
  let last = marker ?? '';
  for (const [place, section] of sections.entries()) {
    if (place < start) continue;
    const found = await section.after(place === start ? from : '', size - items.length + 1);
    for (const { name, item } of found) {
      if (items.length === size) return { items, IsTruncated: true, Marker: encode(last) };
      items.push(item);
      last = `${place} ${name}`;
    }
  }
  return { items, IsTruncated: false };
}

/** A page of the whole numbers from 0 up to, not including, `count`. */
export function pageOfIndexes(count: number, request: PageRequest): Page<number> {
  const from = Number(decode(request.Marker) ?? '0');
  if (!Number.isInteger(from) || from < 0) throw validationError('Invalid Marker.');
  const end = Math.min(count, from + (request.MaxItems ?? pages.usual));
  const items = Array.from({ length: Math.max(0, end - from) }, (_, place) => from + place);
  return end < count
    ? { items, IsTruncated: true, Marker: encode(String(end)) }
    : { items, IsTruncated: false };
}
