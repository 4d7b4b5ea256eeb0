import type { StateDocument, StateView } from '../../state/index.ts';
import { openCursor } from './document-cursor.ts';
import {
  abortsUpload,
  expiresCurrent,
  expiresMarker,
  expiresNoncurrent,
  type LifecyclePlan,
} from './lifecycle-plan.ts';
import {
  objectPrefix,
  readCurrent,
  uploadPrefix,
  versionPrefix,
  type ObjectVersion,
  type StoredVersion,
  type UploadDocument,
} from './object-documents.ts';
import { isLocked } from './object-lock.ts';

/** Something that the lifecycle of its bucket wants to be gone, or a sign that so many documents were looked at. */
export type LifecycleFinding =
  | { readonly kind: 'current'; readonly document: StateDocument<ObjectVersion> }
  | { readonly kind: 'version'; readonly document: StateDocument<StoredVersion> }
  | { readonly kind: 'upload'; readonly document: StateDocument<UploadDocument> }
  /** It is due, and retention or a legal hold keeps it. */
  | { readonly kind: 'protected'; readonly key: string }
  | { readonly kind: 'nothing' };

const nothing: LifecycleFinding = { kind: 'nothing' };

type View = Pick<StateView, 'get' | 'list'>;

async function* scanObjects(view: View, bucket: string, plan: LifecyclePlan, nowMs: number) {
  const cursor = openCursor<ObjectVersion>(view, objectPrefix(bucket, plan.prefix));
  for (let document = await cursor.peek(); document; document = await cursor.peek()) {
    yield expiresCurrent(plan, document.value, nowMs) ? { kind: 'current' as const, document } : nothing;
    cursor.next();
  }
}

/** The versions of one key as they pass by, newest first. */
interface Chain {
  readonly key: string;
  /** When the version before this one in the chain was put, epoch milliseconds; undefined for the newest of all. */
  newerSince: number | undefined;
  /** Noncurrent versions that passed. */
  passed: number;
}

async function beginChain(view: View, bucket: string, key: string): Promise<Chain> {
  const current = await readCurrent(view, bucket, key);
  return { key, newerSince: current?.lastModified, passed: 0 };
}

/**
 * All versions that are not the current object. The first of a key that has no current object is a delete marker and is
 * itself current: it expires when nothing is behind it.
 */
async function* scanVersions(
  view: View,
  bucket: string,
  plan: LifecyclePlan,
  nowMs: number,
): AsyncIterable<LifecycleFinding> {
  const cursor = openCursor<StoredVersion>(view, versionPrefix(bucket, plan.prefix));
  let chain: Chain | undefined;
  for (let document = await cursor.peek(); document; document = await cursor.peek()) {
    cursor.next();
    const version = document.value;
    if (chain?.key !== version.key) chain = await beginChain(view, bucket, version.key);
    const { newerSince, passed } = chain;
    chain.newerSince = version.lastModified;
    if (newerSince === undefined) {
      const isAlone = (await cursor.peek())?.value.key !== version.key;
      const expires = isAlone && version.kind === 'marker' && expiresMarker(plan, version, nowMs);
      yield expires ? { kind: 'version', document } : nothing;
      continue;
    }
    chain.passed += 1;
    if (!expiresNoncurrent(plan, version, { since: newerSince, newer: passed }, nowMs)) yield nothing;
    else if (version.kind === 'object' && isLocked(version, nowMs, false)) {
      yield { kind: 'protected', key: version.key };
    } else yield { kind: 'version', document };
  }
}

async function* scanUploads(view: View, bucket: string, plan: LifecyclePlan, nowMs: number) {
  if (!plan.wantsUploads) return;
  const cursor = openCursor<UploadDocument>(view, uploadPrefix(bucket, plan.prefix));
  for (let document = await cursor.peek(); document; document = await cursor.peek()) {
    yield abortsUpload(plan, document.value, nowMs) ? { kind: 'upload' as const, document } : nothing;
    cursor.next();
  }
}

/** Goes through a bucket and says what is due at `nowMs`, in pages of bounded size. It changes nothing. */
export async function* scanBucket(
  view: View,
  bucket: string,
  plan: LifecyclePlan,
  nowMs: number,
): AsyncIterable<LifecycleFinding> {
  yield* scanObjects(view, bucket, plan, nowMs);
  yield* scanVersions(view, bucket, plan, nowMs);
  yield* scanUploads(view, bucket, plan, nowMs);
}
