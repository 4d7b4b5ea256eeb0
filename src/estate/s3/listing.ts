import type { StateView } from '../../state/index.ts';
import { behind, openCursor, type DocumentCursor } from './document-cursor.ts';
import {
  objectKey,
  objectPrefix,
  uploadKey,
  uploadPrefix,
  versionKey,
  versionPrefix,
  versionsOf,
  type ObjectVersion,
  type StoredVersion,
  type UploadDocument,
} from './object-documents.ts';

type View = Pick<StateView, 'list'>;

/** What is listed, one by one, in key order. */
interface Source<T> {
  peek(): Promise<T | undefined>;
  next(): void;
  /** Leaves out everything whose key begins with this. */
  leap(keyPrefix: string): void;
}

export interface ListingRequest {
  readonly prefix: string;
  /** Keys that have it behind the prefix are rolled up into one common prefix. */
  readonly delimiter: string | undefined;
  readonly most: number;
}

export interface Listing<T> {
  readonly items: readonly T[];
  readonly commonPrefixes: readonly string[];
  /** The item or common prefix that was given last; set when there is more. */
  readonly next: { readonly item: T } | { readonly commonPrefix: string } | undefined;
}

/** The common prefix that a key is rolled up into, if it is. */
export function rolledUp(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  if (delimiter === undefined || delimiter === '' || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

async function roll<T extends { readonly key: string }>(
  source: Source<T>,
  { prefix, delimiter, most }: ListingRequest,
): Promise<Listing<T>> {
  const items: T[] = [];
  const commonPrefixes: string[] = [];
  let next: Listing<T>['next'];
  if (most === 0) return { items, commonPrefixes, next };
  for (let item = await source.peek(); item; item = await source.peek()) {
    const commonPrefix = rolledUp(item.key, prefix, delimiter);
    if (commonPrefix !== undefined && commonPrefix === commonPrefixes.at(-1)) {
      source.next();
      continue;
    }
    if (items.length + commonPrefixes.length >= most) return { items, commonPrefixes, next };
    if (commonPrefix === undefined) {
      items.push(item);
      next = { item };
      source.next();
    } else {
      commonPrefixes.push(commonPrefix);
      next = { commonPrefix };
      source.leap(commonPrefix);
    }
  }
  return { items, commonPrefixes, next: undefined };
}

/** Where a listing goes on: behind a key, or behind everything that begins with a common prefix. */
export type ListingStart = { readonly key: string } | { readonly commonPrefix: string } | undefined;

/**
 * Where a marker that a client gives points to: one that is a common prefix, as the last line of a page may be, stands
 * for everything in it.
 */
export function startAt(
  marker: string | undefined,
  prefix: string,
  delimiter: string | undefined,
): ListingStart {
  if (marker === undefined || marker === '') return undefined;
  return rolledUp(marker, prefix, delimiter) === marker ? { commonPrefix: marker } : { key: marker };
}

function sourceOf<T>(cursor: DocumentCursor<T>, prefixOf: (keyPrefix: string) => string): Source<T> {
  return {
    peek: async () => (await cursor.peek())?.value,
    next: () => cursor.next(),
    leap: (keyPrefix) => cursor.leap(prefixOf(keyPrefix)),
  };
}

/** Opens a source at its start: a common prefix is left out by leaping over it, which its first leap does. */
function begun<T extends { readonly key: string }>(source: Source<T>, start: ListingStart): Source<T> {
  if (start && 'commonPrefix' in start) source.leap(start.commonPrefix);
  return source;
}

/** Current objects, in the order of the UTF-8 bytes of their keys. */
export function listObjects(
  view: View,
  bucket: string,
  request: ListingRequest,
  start: ListingStart,
): Promise<Listing<ObjectVersion>> {
  const after =
    start &&
    ('key' in start ? objectKey(bucket, start.key) : behind(objectPrefix(bucket, start.commonPrefix)));
  const cursor = openCursor<ObjectVersion>(view, objectPrefix(bucket, request.prefix), after);
  return roll(
    begun(
      sourceOf(cursor, (prefix) => objectPrefix(bucket, prefix)),
      start,
    ),
    request,
  );
}

export type ListedVersion = StoredVersion & { readonly isLatest: boolean };

/** Behind which versions a listing goes on: a key with all its versions, or a version of it. */
export type VersionStart = ListingStart | { readonly key: string; readonly place: string };

/** All versions and delete markers: by key, and of one key the newest first. */
export function listVersions(
  view: View,
  bucket: string,
  request: ListingRequest,
  start: VersionStart,
): Promise<Listing<ListedVersion>> {
  const [afterObject, afterVersion] = versionStarts(bucket, start);
  const objects = openCursor<StoredVersion>(view, objectPrefix(bucket, request.prefix), afterObject);
  const versions = openCursor<StoredVersion>(view, versionPrefix(bucket, request.prefix), afterVersion);
  // The newest version of this key has been given already.
  let seen = start && 'place' in start ? start.key : undefined;
  let met: { readonly cursor: DocumentCursor<StoredVersion>; readonly key: string } | undefined;
  const source: Source<ListedVersion> = {
    async peek() {
      const object = (await objects.peek())?.value;
      const version = (await versions.peek())?.value;
      const fromObjects = object && (!version || compareBytes(object.key, version.key) <= 0);
      const one = fromObjects ? object : version;
      if (!one) return undefined;
      met = { cursor: fromObjects ? objects : versions, key: one.key };
      return { ...one, isLatest: one.key !== seen };
    },
    next() {
      seen = met?.key;
      met?.cursor.next();
    },
    leap(keyPrefix) {
      objects.leap(objectPrefix(bucket, keyPrefix));
      versions.leap(versionPrefix(bucket, keyPrefix));
    },
  };
  return roll(begun(source, start && 'place' in start ? undefined : start), request);
}

function versionStarts(bucket: string, start: VersionStart): readonly [string?, string?] {
  if (!start) return [];
  if ('commonPrefix' in start) {
    const { commonPrefix } = start;
    return [behind(objectPrefix(bucket, commonPrefix)), behind(versionPrefix(bucket, commonPrefix))];
  }
  const { key } = start;
  const version = 'place' in start ? versionKey(bucket, key, start.place) : behind(versionsOf(bucket, key));
  return [objectKey(bucket, key), version];
}

/** Orders keys by their UTF-8 bytes. */
function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** Behind which uploads a listing goes on. */
export type UploadStart = ListingStart | { readonly key: string; readonly uploadId: string };

/** Uploads under way: by key, and of one key in the order in which they were begun. */
export function listUploads(
  view: View,
  bucket: string,
  request: ListingRequest,
  start: UploadStart,
): Promise<Listing<UploadDocument>> {
  const after = start && uploadStart(bucket, start);
  const cursor = openCursor<UploadDocument>(view, uploadPrefix(bucket, request.prefix), after);
  const source = sourceOf(cursor, (prefix) => uploadPrefix(bucket, prefix));
  return roll(begun(source, start && 'uploadId' in start ? undefined : start), request);
}

function uploadStart(bucket: string, start: NonNullable<UploadStart>): string {
  if ('commonPrefix' in start) return behind(uploadPrefix(bucket, start.commonPrefix));
  const { key } = start;
  return 'uploadId' in start ? uploadKey(bucket, key, start.uploadId) : behind(uploadKey(bucket, key, ''));
}
