import type { Random } from '../../kernel/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { BucketDocument } from './bucket-documents.ts';
import { isLocked, lockedFault } from './object-lock.ts';
import {
  contentKey,
  nullPlaceKey,
  objectKey,
  readCurrent,
  versionKey,
  versionsOf,
  type DeleteMarker,
  type ObjectVersion,
  type StoredVersion,
} from './object-documents.ts';

/**
 * The versions of one key. The newest, when it is an object, stands under `objectKey`; all others stand under
 * `versionKey`, newest first. Where the version `null` is not the current object, `nullPlaceKey` says its place.
 */

/** What the changes of a chain are made with. */
export interface ChainParts {
  readonly change: Change;
  readonly bucket: BucketDocument;
  readonly key: string;
  readonly nowMs: number;
  readonly random: Random;
  /** Told of contents that nothing names once the change is committed. */
  readonly discard: (content: string) => void;
}

const largest = Number.MAX_SAFE_INTEGER;

/** Places order by their first 14 digits, which fall as time goes on; the rest keeps anyone from guessing them. */
function placeAt(order: number, random: Random): string {
  const falling = (largest - order).toString(16).padStart(14, '0');
  return `${falling}${Buffer.from(random.bytes(9)).toString('hex')}`;
}

/** When a version was put, epoch milliseconds, and after all older ones of its key. */
export const orderOf = ({ place }: { readonly place: string }): number =>
  largest - Number.parseInt(place.slice(0, 14), 16);

interface Newest {
  readonly current: ObjectVersion | undefined;
  /** The newest of those that are not the current object. */
  readonly other: StoredVersion | undefined;
}

async function newestOf({ change, bucket, key }: ChainParts): Promise<Newest> {
  const current = await readCurrent(change, bucket.name, key);
  if (bucket.versioning === undefined) return { current, other: undefined };
  const [other] = await change.list<StoredVersion>(versionsOf(bucket.name, key), { limit: 1 });
  return { current, other: other?.value };
}

/** A place before those of all other versions, also when the clock has gone back. */
function nextPlace({ nowMs, random }: ChainParts, { current, other }: Newest): string {
  const orders = [current, other].flatMap((version) => (version ? orderOf(version) + 1 : []));
  return placeAt(Math.max(nowMs, ...orders), random);
}

/** Moves the current object among the older versions. */
function demote({ change, bucket, key }: ChainParts, current: ObjectVersion): void {
  change.put(versionKey(bucket.name, key, current.place), current);
  if (current.versionId === 'null') change.put(nullPlaceKey(bucket.name, key), { place: current.place });
  change.delete(objectKey(bucket.name, key));
}

/** Makes the newest of the older versions the current object, if it is one. */
async function promote({ change, bucket, key }: ChainParts): Promise<void> {
  const [newest] = await change.list<StoredVersion>(versionsOf(bucket.name, key), { limit: 1 });
  if (newest?.value.kind !== 'object') return;
  change.delete(newest.key);
  change.put(objectKey(bucket.name, key), newest.value);
  if (newest.value.versionId === 'null') change.delete(nullPlaceKey(bucket.name, key));
}

function forgetContent({ change, discard }: ChainParts, version: StoredVersion): void {
  if (version.kind !== 'object') return;
  change.delete(contentKey(version.content));
  discard(version.content);
}

/** The version `null` is replaced by the next one that is put or deleted while versioning is not enabled. */
async function removeNull(parts: ChainParts, current: ObjectVersion | undefined): Promise<void> {
  const { change, bucket, key } = parts;
  if (current?.versionId === 'null') {
    if (isLocked(current, parts.nowMs, false)) throw lockedFault();
    forgetContent(parts, current);
    change.delete(objectKey(bucket.name, key));
    return;
  }
  if (bucket.versioning === undefined) return;
  const pointer = await change.get<{ readonly place: string }>(nullPlaceKey(bucket.name, key));
  if (!pointer) return;
  const place = versionKey(bucket.name, key, pointer.value.place);
  const version = await change.get<StoredVersion>(place);
  if (version) {
    if (version.value.kind === 'object' && isLocked(version.value, parts.nowMs, false)) throw lockedFault();
    forgetContent(parts, version.value);
  }
  change.delete(place);
  change.delete(pointer.key);
}

/** Puts an object in front; `make` gives it for its place and version id. */
export async function putInFront(
  parts: ChainParts,
  make: (place: string, versionId: string) => ObjectVersion,
): Promise<ObjectVersion> {
  const { change, bucket, key } = parts;
  const newest = await newestOf(parts);
  const place = nextPlace(parts, newest);
  const enabled = bucket.versioning === 'Enabled';
  if (!enabled) await removeNull(parts, newest.current);
  if (newest.current && (enabled || newest.current.versionId !== 'null')) demote(parts, newest.current);
  const version = make(place, enabled ? place : 'null');
  change.put(objectKey(bucket.name, key), version);
  return version;
}

/** Deletes the current object: for good in a bucket that never had versions, else by a marker in front of it. */
export async function removeCurrent(parts: ChainParts): Promise<{
  readonly marker: DeleteMarker | undefined;
  /** What the bucket has no longer, where it never had versions. */
  readonly gone: ObjectVersion | undefined;
}> {
  const { change, bucket, key } = parts;
  const newest = await newestOf(parts);
  if (bucket.versioning === undefined) {
    await removeNull(parts, newest.current);
    return { marker: undefined, gone: newest.current };
  }
  const place = nextPlace(parts, newest);
  const enabled = bucket.versioning === 'Enabled';
  if (!enabled) await removeNull(parts, newest.current);
  if (newest.current && (enabled || newest.current.versionId !== 'null')) demote(parts, newest.current);
  const versionId = enabled ? place : 'null';
  const marker: DeleteMarker = { kind: 'marker', key, versionId, place, lastModified: parts.nowMs };
  change.put(versionKey(bucket.name, key, place), marker);
  if (!enabled) change.put(nullPlaceKey(bucket.name, key), { place });
  return { marker, gone: undefined };
}

/** Deletes one version for good; undefined when there is none. Throws AccessDenied for one that is locked. */
export async function removeVersion(
  parts: ChainParts,
  versionId: string,
  bypassGovernance: boolean,
): Promise<StoredVersion | undefined> {
  const { change, bucket, key } = parts;
  const found = await findVersion(change, bucket.name, key, versionId);
  if (!found) return undefined;
  if (found.kind === 'object' && isLocked(found, parts.nowMs, bypassGovernance)) throw lockedFault();
  forgetContent(parts, found);
  const current = await readCurrent(change, bucket.name, key);
  if (current?.place === found.place) change.delete(objectKey(bucket.name, key));
  else {
    change.delete(versionKey(bucket.name, key, found.place));
    if (found.versionId === 'null') change.delete(nullPlaceKey(bucket.name, key));
  }
  if (!current || current.place === found.place) await promote(parts);
  return found;
}

const isPlace = (text: string): boolean => /^[0-9a-f]{32}$/.test(text);

/** Whether a text can be a version's id: `null`, or what this server gives; S3 knows its own ids too, and refuses all others. */
export const isVersionId = (text: string): boolean => text === 'null' || isPlace(text);

/** The version of this id, or without one the newest, which may be a delete marker; undefined when there is none. */
export async function findVersion(
  view: Pick<StateView, 'get' | 'list'>,
  bucket: string,
  key: string,
  versionId?: string,
): Promise<StoredVersion | undefined> {
  const current = await readCurrent(view, bucket, key);
  if (versionId === undefined) {
    if (current) return current;
    const [newest] = await view.list<StoredVersion>(versionsOf(bucket, key), { limit: 1 });
    return newest?.value;
  }
  if (current?.versionId === versionId) return current;
  if (versionId !== 'null') {
    if (!isPlace(versionId)) return undefined;
    const version = (await view.get<StoredVersion>(versionKey(bucket, key, versionId)))?.value;
    return version?.versionId === versionId ? version : undefined;
  }
  const pointer = await view.get<{ readonly place: string }>(nullPlaceKey(bucket, key));
  return pointer && (await view.get<StoredVersion>(versionKey(bucket, key, pointer.value.place)))?.value;
}

/** Writes a version back with other tags, retention or legal hold. */
export async function rewriteVersion(
  change: Change,
  bucket: string,
  key: string,
  version: ObjectVersion,
): Promise<void> {
  const current = await readCurrent(change, bucket, key);
  const at =
    current?.place === version.place ? objectKey(bucket, key) : versionKey(bucket, key, version.place);
  change.put(at, version);
}
