import type { Clock, Logger } from '../../../kernel/index.ts';
import type { State } from '../../../state/index.ts';
import type { Blob } from '../../../store/index.ts';
import {
  contentKey,
  partKey,
  type ContentDocument,
  type ContentPart,
  type PartDocument,
} from '../object-documents.ts';
import { blobPrefix, parseBlobName, shardPrefix, shards } from './blob-names.ts';
import { ContentDamagedError, openSealed } from './sealed-stream.ts';
import type { SpentBytes } from './spent-bytes.ts';

/** How long an answer may take to begin reading what it opened. */
const startReadingMs = 120_000;
const sweepEveryMs = 6 * 3_600_000;
const sweepPauseMs = 20;
/** Lists of parts kept in memory; they never change. */
const keptCompositions = 16;

/** The bytes of contents: reads them, and removes blobs that nothing names, but not while somebody reads or writes them. */
export interface ContentKeeper extends AsyncDisposable {
  read(request: {
    readonly content: string;
    readonly sizeBytes: number;
    readonly dataKey: Uint8Array;
    readonly first: number;
    readonly last: number;
  }): Promise<AsyncIterable<Uint8Array>>;
  partsOf(content: string): Promise<readonly ContentPart[] | undefined>;
  /** Whether the committed state names this blob. */
  isNamed(blob: string): Promise<boolean>;
  /** Removes all blobs of a content, once its last reader has ended. */
  remove(content: string): Promise<void>;
  removeBlob(blob: string): Promise<void>;
  /** Keeps a blob that is being written, or that a commit under way will name, from being swept. */
  protect(blob: string): void;
  unprotect(blob: string): void;
  sweep(): Promise<{ readonly removed: number }>;
}

export function openContentKeeper(options: {
  readonly state: State;
  readonly blob: Blob;
  readonly clock: Clock;
  readonly log: Logger;
  readonly spent: SpentBytes;
}): ContentKeeper {
  const { state, blob, clock, log, spent } = options;
  const readers = new Map<string, number>();
  const doomed = new Set<string>();
  const protectedBlobs = new Set<string>();
  const compositions = new Map<string, readonly ContentPart[]>();
  const stop = new AbortController();

  async function removeBlobs(content: string): Promise<void> {
    compositions.delete(content);
    if (content.startsWith('o')) {
      await blob.delete(blobPrefix(content));
      return;
    }
    for await (const { key } of blob.list(blobPrefix(content))) await blob.delete(key);
  }

  async function remove(content: string): Promise<void> {
    if (readers.has(content)) doomed.add(content);
    else await removeBlobs(content);
  }

  /** Counts a reader; the answer ends it, once. */
  function hold(content: string): () => void {
    readers.set(content, (readers.get(content) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (readers.get(content) ?? 1) - 1;
      if (left > 0) {
        readers.set(content, left);
        return;
      }
      readers.delete(content);
      if (doomed.delete(content)) {
        removeBlobs(content).catch((error: unknown) =>
          log.error(
            { err: error, content },
            'the bytes of a deleted object could not be removed; a sweep will',
          ),
        );
      }
    };
  }

  async function partsOf(content: string): Promise<readonly ContentPart[] | undefined> {
    if (!content.startsWith('m')) return undefined;
    const known = compositions.get(content);
    if (known) return known;
    const parts = (await state.get<ContentDocument>(contentKey(content)))?.value.parts;
    if (!parts) return undefined;
    const oldest = compositions.keys().next();
    if (compositions.size >= keptCompositions && !oldest.done) compositions.delete(oldest.value);
    compositions.set(content, parts);
    return parts;
  }

  async function* readBlobs(
    request: Parameters<ContentKeeper['read']>[0],
    parts: readonly ContentPart[],
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { content, dataKey, first, last } = request;
    let start = 0;
    for (const { s: sizeBytes, b: suffix } of parts) {
      const end = start + sizeBytes - 1;
      if (start > last) return;
      if (end >= first && sizeBytes > 0) {
        const name = blobPrefix(content) + suffix;
        yield* openSealed({
          dataKey,
          blob: name,
          sizeBytes,
          first: Math.max(0, first - start),
          last: Math.min(end, last) - start,
          get: (range) => blob.get(name, range),
          spent,
        });
      }
      start += sizeBytes;
    }
  }

  async function isNamed(name: string): Promise<boolean> {
    const parsed = parseBlobName(name);
    if (!parsed) return false;
    const { content, suffix, partNumber } = parsed;
    const document = (await state.get<ContentDocument>(contentKey(content)))?.value;
    if (suffix === '') return document !== undefined;
    if (document?.parts?.some(({ b }) => b === suffix)) return true;
    return (await state.get<PartDocument>(partKey(content, partNumber)))?.value.b === suffix;
  }

  async function sweepBlob(name: string): Promise<boolean> {
    const content = parseBlobName(name)?.content;
    // Whether somebody is at it comes first: what is committed after that question was protected when it was asked.
    if (protectedBlobs.has(name) || (content !== undefined && readers.has(content))) return false;
    if (await isNamed(name)) return false;
    await blob.delete(name);
    return true;
  }

  async function sweep(): Promise<{ removed: number }> {
    let removed = 0;
    for (const shard of shards) {
      if (stop.signal.aborted) break;
      for await (const { key } of blob.list(shardPrefix(shard))) {
        if (stop.signal.aborted) break;
        if (await sweepBlob(key)) removed += 1;
      }
    }
    if (removed > 0)
      log.info({ removed }, 'removed bytes of objects that were never finished or are deleted');
    return { removed };
  }

  const sweeping = (async () => {
    let pause = sweepPauseMs;
    while (!stop.signal.aborted) {
      await clock.sleep(pause, stop.signal).catch(() => undefined);
      if (stop.signal.aborted) return;
      await sweep().catch((error: unknown) => log.error({ err: error }, 'a sweep failed; it is tried again'));
      pause = sweepEveryMs;
    }
  })();

  return {
    async read(request) {
      const { content, sizeBytes } = request;
      const release = hold(content);
      try {
        const parts = content.startsWith('m') ? await partsOf(content) : [{ n: 1, s: sizeBytes, b: '' }];
        if (!parts) throw new ContentDamagedError(`the list of parts of ${content} is gone`);
        return heldStream(readBlobs(request, parts), release, clock);
      } catch (error) {
        release();
        throw error;
      }
    },
    partsOf,
    isNamed,
    remove,
    async removeBlob(name) {
      protectedBlobs.delete(name);
      await blob.delete(name);
    },
    protect: (name) => void protectedBlobs.add(name),
    unprotect: (name) => void protectedBlobs.delete(name),
    sweep,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('closed'));
      await sweeping;
    },
  };
}

/**
 * A stream that gives up its hold when it ends, however it does; also when nobody begins to read it, as when the answer
 * could not be recorded.
 */
function heldStream(
  source: AsyncGenerator<Uint8Array, void, undefined>,
  release: () => void,
  clock: Clock,
): AsyncIterable<Uint8Array> {
  const timer = clock.after(startReadingMs, release);
  const ended = <T>(result: T): T => {
    timer.cancel();
    release();
    return result;
  };
  const iterator: AsyncIterator<Uint8Array, void, undefined> = {
    async next() {
      timer.cancel();
      try {
        const next = await source.next();
        return next.done ? ended(next) : next;
      } catch (error) {
        ended(undefined);
        throw error;
      }
    },
    async return() {
      try {
        return await source.return();
      } finally {
        ended(undefined);
      }
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
