import { parentPort, workerData } from 'node:worker_threads';
import { assert, serveMessages, workInBackground } from '../../kernel/index.ts';
import { chooseDictionary, packLevel } from './build-dictionary.ts';
import { openDictionaries } from './dictionaries.ts';
import { mergeSegments } from './merge-segments.ts';
import { openByteCache } from './page-cache.ts';
import { openBlockPacker, type BlockPacker } from './raw-blocks.ts';
import { repairSegment } from './repair-segment.ts';
import { recordsOf, sealTail } from './seal-tail.ts';
import { openSegment, type SegmentShare } from './segment.ts';
import { SegmentDamage } from './segment-format.ts';
import type {
  WorkerAnswer,
  WorkerRequest,
  WorkerResult,
  WorkerStart,
  WorkerTask,
} from './worker-messages.ts';

/**
 * The thread that writes segments, so that packing and merging never hold up requests. Tasks interleave at their
 * pauses: a tail is sealed while a long merge goes on.
 */
const { directory, terms } = workerData as WorkerStart;
assert(parentPort, 'the segment worker runs as a worker thread');
const port = parentPort;
workInBackground();

const dictionaries = openDictionaries(directory);
const share: SegmentShare = {
  pages: openByteCache(4 * 1024 * 1024),
  blocks: openByteCache(4 * 1024 * 1024),
  tables: openByteCache(4 * 1024 * 1024),
  dictionaries,
  hashKey: terms.hashKey,
};
const packers = new Map<number, BlockPacker>();

/** Preparing a dictionary takes as long as packing many blocks, so each one's packer is kept. */
function packerOf(dictionary: number): BlockPacker {
  const known = packers.get(dictionary);
  if (known) return known;
  const packer = openBlockPacker(dictionaries.get(dictionary), packLevel);
  packers.set(dictionary, packer);
  return packer;
}

/** A dictionary that is missing or damaged packs nothing any more: a new one is made, or none is used. */
function usable(dictionary: number): number {
  try {
    dictionaries.get(dictionary);
    return dictionary;
  } catch {
    return 0;
  }
}

/** A packer packs one block at a time, so tasks that pack wait for each other; merges that only copy do not. */
let packing: Promise<unknown> = Promise.resolve();

function packed<T>(work: () => Promise<T>): Promise<T> {
  const done = packing.then(work, work);
  packing = done;
  return done;
}

async function seal(task: WorkerTask & { readonly kind: 'seal' }): Promise<WorkerResult> {
  const { tail, file } = task;
  const recordAt = recordsOf(tail);
  let totalBytes = 0;
  for (let event = 0; event < tail.count; event += 1) totalBytes += tail.places[event * 3 + 2] as number;
  const records = { at: recordAt, count: tail.count, totalBytes };
  const dictionary = await chooseDictionary(dictionaries, usable(task.dictionary), records);
  await sealTail(tail, file, { packer: packerOf(dictionary), dictionary, terms });
  return { files: [file], dictionary, lost: [], isEndKnown: true };
}

async function merge(task: WorkerTask & { readonly kind: 'merge' }): Promise<WorkerResult> {
  const { cutoffs } = task;
  const dictionary = usable(task.dictionary);
  const segments = task.files.map((file) => openSegment(file, share));
  try {
    const shared = packerOf(dictionary);
    const packer = {
      ...shared,
      pack: (records: readonly Uint8Array[]) => packed(() => shared.pack(records)),
    };
    const footer = await mergeSegments(segments, task.file, { packer, dictionary, terms, cutoffs });
    return { files: footer ? [task.file] : [], dictionary, lost: [], isEndKnown: true };
  } finally {
    for (const segment of segments) segment.close();
  }
}

async function repair(task: WorkerTask & { readonly kind: 'repair' }): Promise<WorkerResult> {
  const { file, prefix } = task;
  const dictionary = usable(task.dictionary);
  const options = { packer: packerOf(dictionary), dictionary, dictionaries, terms };
  return { ...(await repairSegment(file, prefix, options)), dictionary };
}

function perform(task: WorkerTask): Promise<WorkerResult> {
  switch (task.kind) {
    case 'seal':
      return packed(() => seal(task));
    case 'merge':
      return merge(task);
    case 'repair':
      return packed(() => repair(task));
  }
}

function failure(id: number, error: unknown): WorkerAnswer {
  const { file, offset, sizeBytes, reason } =
    error instanceof SegmentDamage ? error : ({} as Partial<SegmentDamage>);
  const damage =
    file !== undefined && offset !== undefined && sizeBytes !== undefined && reason !== undefined
      ? { file, offset, sizeBytes, reason }
      : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return { id, ok: false, message, code: (error as NodeJS.ErrnoException | undefined)?.code, damage };
}

serveMessages(port, ({ id, task }: WorkerRequest) => {
  perform(task).then(
    (result) => port.postMessage({ id, ok: true, result } satisfies WorkerAnswer),
    (error: unknown) => port.postMessage(failure(id, error)),
  );
});
