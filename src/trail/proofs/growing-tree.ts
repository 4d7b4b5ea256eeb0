import { setImmediate as nextTurn } from 'node:timers/promises';
import { sequence, type Sequence } from '../../kernel/index.ts';
import type { ArchivedPage } from '../../journal/index.ts';
import { formatCheckpoint } from './checkpoint.ts';
import { writeHead, type SignedHead } from './head-file.ts';
import { emptyRoot, hashBytes, isSameHash } from './merkle-tree.ts';
import type { NoteSigner } from './signed-note.ts';
import { TreeDamage } from './tree-files.ts';
import { openTreeThread, type GrownTree, type TreeThread } from './tree-thread.ts';

/** So many entries are gathered at most before they are made part of the tree: 2 MiB of hashes. */
export const mostGathered = 65_536;

/** The tree cannot go on from the checkpoint that was signed last: the entries under it are not there any more. */
export class TreeLost extends Error {
  override name = 'TreeLost';
}

/** Gathers entries and makes them part of the tree, each time under a new signature. */
export interface GrowingTree extends AsyncDisposable {
  /** The newest tree that is signed and durable; before the first signature undefined. */
  readonly head: SignedHead | undefined;
  /** Everything before it has been taken. */
  readonly next: Sequence;
  readonly gathered: number;
  /** Processor time of the thread and entries that it took since the start. */
  readonly work: { readonly cpuMs: number; readonly entries: number };
  /** Takes an entry of the journal, with its hash if it is a record; one that was taken already is passed over. */
  take(at: Sequence, hash: Uint8Array | undefined): void;
  takePage(page: ArchivedPage): void;
  /**
   * Makes everything gathered part of the tree, durable and signed. Throws what went wrong, and then goes on from the last
   * signed tree; throws TreeLost when that cannot be had.
   */
  sign(): Promise<SignedHead>;
  /** Says that the files were found damaged: the next `sign` makes them anew. */
  distrust(reason: string): void;
}

export interface GrowingTreeOptions {
  readonly directory: string;
  readonly headFile: string;
  readonly head: SignedHead | undefined;
  readonly signer: NoteSigner;
  /** Where to go on in the journal. */
  readonly next: Sequence;
  /** The hashes of all entries, of which the tree's files are made anew when they are damaged. */
  pages(from: Sequence): AsyncIterable<ArchivedPage>;
  /** Told when that happens, with the reason. */
  onRebuild(reason: string): void;
  /** Aborted when the server stops: what is being made anew goes on at the next start. */
  readonly signal: AbortSignal;
}

/** Hashes that wait, one after the other. */
function openGathering() {
  let bytes = Buffer.allocUnsafeSlow(1024 * hashBytes);
  let count = 0;
  return {
    get count() {
      return count;
    },
    /** Takes hashes that stand one after the other. */
    push(hashes: Uint8Array) {
      const end = count * hashBytes + hashes.length;
      if (end > bytes.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(bytes.length * 2, end));
        bytes.copy(larger);
        bytes = larger;
      }
      bytes.set(hashes, count * hashBytes);
      count += hashes.length / hashBytes;
    },
    /** The first `entries` of them, or all. */
    peek: (entries = count) => bytes.subarray(0, entries * hashBytes),
    drop(entries: number) {
      bytes.copyWithin(0, entries * hashBytes, count * hashBytes);
      count -= entries;
    },
  };
}

function isHash(bytes: Uint8Array, at: number): boolean {
  for (let byte = at; byte < at + hashBytes; byte += 1) if (bytes[byte] !== 0) return true;
  return false;
}

/** The hashes of a page that are of entries from `from` on, in stretches without an entry that has none. */
function* hashesFrom({ first, hashes }: ArchivedPage, from: number): Generator<Uint8Array> {
  let begin = Math.max(0, from - first) * hashBytes;
  for (let at = begin; at < hashes.length; at += hashBytes) {
    if (isHash(hashes, at)) continue;
    if (at > begin) yield hashes.subarray(begin, at);
    begin = at + hashBytes;
  }
  if (hashes.length > begin) yield hashes.subarray(begin);
}

const endOf = ({ first, hashes }: ArchivedPage) => first + hashes.length / hashBytes;

/** Opens the tree. Nothing is read before the first signature. */
export function openGrowingTree(options: GrowingTreeOptions): GrowingTree {
  const { directory, headFile, signer } = options;
  const gathering = openGathering();
  let { head, next } = options;
  let thread: TreeThread | undefined;
  let distrusted: string | undefined;
  let work = { cpuMs: 0, entries: 0 };

  async function letGo(): Promise<void> {
    const gone = thread;
    thread = undefined;
    await gone?.[Symbol.asyncDispose]();
  }

  /** Writes the tree's files anew up to the signed head, and makes sure that it is the tree that was signed. */
  async function rebuild(signed: SignedHead): Promise<TreeThread> {
    const fresh = openTreeThread({ directory, size: 0 });
    const waiting = openGathering();
    let grown: GrownTree = await fresh.grow(new Uint8Array());
    let from = 0;
    for await (const page of options.pages(sequence(0))) {
      if (options.signal.aborted) break;
      for (const stretch of hashesFrom(page, from)) {
        const wanted = signed.size - grown.size - waiting.count;
        waiting.push(stretch.subarray(0, wanted * hashBytes));
      }
      from = Math.max(from, endOf(page));
      await nextTurn();
      if (waiting.count >= mostGathered || grown.size + waiting.count === signed.size) {
        grown = await fresh.grow(waiting.peek());
        waiting.drop(waiting.count);
      }
      if (grown.size === signed.size) break;
    }
    if (grown.size === signed.size && isSameHash(grown.root, signed.root)) return fresh;
    await fresh[Symbol.asyncDispose]();
    options.signal.throwIfAborted();
    throw new TreeLost(
      grown.size === signed.size
        ? `the ${signed.size} records under the last signed checkpoint are not those that are kept: records were changed or taken away`
        : `the last signed checkpoint has ${signed.size} records, and only ${grown.size + waiting.count} are kept: records were taken away`,
    );
  }

  async function remake(signed: SignedHead, reason: string): Promise<TreeThread> {
    options.onRebuild(reason);
    thread = await rebuild(signed);
    distrusted = undefined;
    return thread;
  }

  /** The thread at the signed head. */
  async function opened(): Promise<TreeThread> {
    const signed = head;
    if (distrusted !== undefined && signed) {
      await letGo();
      return remake(signed, distrusted);
    }
    if (thread) return thread;
    const fresh = openTreeThread({ directory, size: signed?.size ?? 0 });
    try {
      const { root } = await fresh.grow(new Uint8Array());
      if (isSameHash(root, signed?.root ?? emptyRoot())) {
        thread = fresh;
        return fresh;
      }
      throw new TreeDamage('the files do not give the root that was signed');
    } catch (error) {
      await fresh[Symbol.asyncDispose]();
      if (!(error instanceof TreeDamage) || !signed) throw error;
      return remake(signed, error.message);
    }
  }

  async function grow(): Promise<SignedHead> {
    const count = gathering.count;
    const until = next;
    const running = await opened();
    if (count === 0 && head?.next === until) return head;
    const grown = await running.grow(gathering.peek(count));
    const { size, root } = grown;
    const text = formatCheckpoint({ origin: signer.key.name, size, root });
    const checkpoint = head?.size === size ? head.checkpoint : signer.sign(text);
    const signed: SignedHead = { size, root, checkpoint, next: until };
    await writeHead(headFile, signed);
    gathering.drop(count);
    head = signed;
    work = { cpuMs: work.cpuMs + grown.cpuMs, entries: work.entries + count };
    return signed;
  }

  const take = (at: Sequence, hash: Uint8Array | undefined) => {
    if (at < next) return;
    if (hash) gathering.push(hash);
    next = sequence(at + 1);
  };
  return {
    get head() {
      return head;
    },
    get next() {
      return next;
    },
    get gathered() {
      return gathering.count;
    },
    get work() {
      return work;
    },
    take,
    takePage(page) {
      for (const stretch of hashesFrom(page, next)) gathering.push(stretch);
      next = sequence(Math.max(next, endOf(page)));
    },
    async sign() {
      try {
        return await grow();
      } catch (error) {
        await letGo();
        throw error;
      }
    },
    distrust(reason) {
      distrusted = reason;
    },
    [Symbol.asyncDispose]: letGo,
  };
}
