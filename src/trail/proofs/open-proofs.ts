import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AwsFault, sequence, type Clock, type Logger, type Random, type Timer } from '../../kernel/index.ts';
import type { HashArchive, Reader, ReaderOptions, Stream } from '../../journal/index.ts';
import type { Cipher } from '../../identity/index.ts';
import type { State } from '../../state/index.ts';
import type { HttpRoute } from '../../wire/index.ts';
import { mostGathered, openGrowingTree, TreeLost, type GrowingTree } from './growing-tree.ts';
import { readHead, type SignedHead } from './head-file.ts';
import { openLogKey } from './log-key.ts';
import { logRoutes } from './log-routes.ts';
import { formatVerifierKey, NoteError } from './signed-note.ts';
import { openTileProofs } from './tile-proofs.ts';
import { openTreeFiles } from './tree-files.ts';
import { readWitnesses } from './witness-settings.ts';
import { openWitnesses } from './witnesses.ts';

export interface ProofsOptions {
  /** For the tree's files. */
  readonly directory: string;
  /** The journal's `audit` stream, and the hashes that outlive its entries. */
  readonly stream: Stream;
  readonly hashes: Pick<HashArchive, 'pages'>;
  readonly state: State;
  /** The master key's cipher `tlog/v1`. */
  readonly cipher: Cipher;
  readonly accountId: string;
  /** Settings `CAIRN_LOG_ORIGIN` and `CAIRN_WITNESSES`. */
  readonly logOrigin: string | undefined;
  readonly witnesses: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onDamage?: ReaderOptions['onDamage'];
}

/** The tree over the records of the journal. Close it before the hash archive, the state and the journal. */
export interface Proofs extends AsyncDisposable {
  readonly routes: readonly HttpRoute[];
  /** The reader that brings records into the tree; undefined while the tree still grows from the archive. */
  readonly reader: Reader | undefined;
  /** What is wrong, one plain sentence each. */
  readonly problems: readonly string[];
  /** The log's verifier key. */
  readonly key: string;
  /** Records under the published checkpoint. */
  readonly size: number;
  /** Processor time of the tree's thread since the start, and the records that it took for it. */
  readonly work: GrowingTree['work'];
  /** Resolves once every record so far is under the published checkpoint. */
  settled(): Promise<void>;
}

/** Records wait so long for others, so that a signature and its syncs serve many; a checkpoint follows each second. */
const gatherMs = 500;
const firstRetryMs = 500;
const lastRetryMs = 30_000;
/** Whoever asks for a leaf waits so long for the tree to reach it. */
const settleMs = 15_000;

export async function openProofs(options: ProofsOptions): Promise<Proofs> {
  const { stream, hashes, clock } = options;
  const log = options.log.child({ part: 'tlog' });
  await using opening = new AsyncDisposableStack();
  const signer = await openLogKey({ ...options, origin: options.logOrigin, now: clock.now() });
  const headFile = join(options.directory, 'head.json');
  const head = await readHead(headFile, signer.key).catch((error: unknown) => {
    if (!(error instanceof NoteError)) throw error;
    log.error(
      { reason: error.message },
      `${headFile} is damaged; the tree is built anew from the journal and its hashes`,
    );
    return undefined;
  });
  const files = opening.use(openTreeFiles(options.directory));
  let published: { readonly head: SignedHead; readonly text: string } | undefined = head && {
    head,
    text: head.checkpoint,
  };
  /** Why no tree can be signed any more, when that is so. */
  const lost: { reason?: string } = {};
  const missing = Math.max(0, (head?.next ?? 0) - stream.end);
  const cutOff = `the journal ends at entry ${stream.end}, and entries up to ${stream.end + missing} are under signed checkpoints: the newest were deleted`;
  if (missing > 0) log.fatal({ missing }, `ALERT: THE RECORD OF EVENTS WAS TAMPERED WITH: ${cutOff}`);
  let timer: Timer | undefined;
  let publishing: Promise<void> = Promise.resolve();
  let failures = 0;
  let reader: Reader | undefined;
  const stop = new AbortController();

  const tree = opening.use(
    openGrowingTree({
      directory: options.directory,
      headFile,
      head,
      signer,
      // A journal that ends before what is signed was cut off: what comes now are other entries, and they come behind.
      next: sequence(Math.min(head?.next ?? 0, stream.end)),
      pages: (from) => hashes.pages(from),
      signal: stop.signal,
      onRebuild: (reason) =>
        log.error(
          { reason },
          'the files of the tree are damaged; they are made anew from the hashes of the journal',
        ),
    }),
  );
  const witnesses = opening.use(
    openWitnesses({
      witnesses: options.witnesses === undefined ? [] : await readWitnesses(options.witnesses),
      consistency: (older, newer) => openTileProofs(files.readTile, newer).consistency(older),
      clock,
      log,
      onCosigned: show,
    }),
  );

  function show(): void {
    const { head: signed } = tree;
    if (signed) published = { head: signed, text: signed.checkpoint + witnesses.cosignatures.join('') };
  }

  async function publishOnce(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    try {
      const signed = await tree.sign();
      failures = 0;
      await witnesses.submit(signed);
    } catch (error) {
      if (!(error instanceof TreeLost)) throw error;
      lost.reason = error.message;
      log.fatal(lost, `ALERT: THE RECORD OF EVENTS WAS TAMPERED WITH: ${lost.reason}`);
      return;
    }
    show();
    // What is being applied right now counts as applied only when `apply` has returned.
    if (reader) await reader.checkpoint(sequence(Math.min(tree.next, reader.applied)));
  }

  function publish(): Promise<void> {
    publishing = publishing
      .catch(() => {})
      .then(() => (lost.reason === undefined ? publishOnce() : undefined));
    return publishing;
  }

  /** Publishes by itself in a moment, and again after a failure. */
  function publishSoon(delayMs = gatherMs): void {
    if (stop.signal.aborted) return;
    timer ??= clock.after(delayMs, () => {
      timer = undefined;
      publish().catch((error: unknown) => {
        if (failures === 0)
          log.error({ err: error }, 'the tree of records could not be signed; it is tried again');
        failures += 1;
        publishSoon(Math.min(firstRetryMs * 2 ** failures, lastRetryMs));
      });
    });
  }

  /** Grows the tree from the archive, for entries that the journal has let go of. */
  async function catchUp(): Promise<void> {
    log.info({ from: tree.next }, 'the tree of records grows from the hashes of the journal');
    for await (const page of hashes.pages(tree.next)) {
      if (stop.signal.aborted) return;
      tree.takePage(page);
      // Pages come many at a time; requests are served between them.
      await nextTurn();
      if (tree.gathered >= mostGathered) await publish();
    }
    await publish();
  }

  async function follow(): Promise<void> {
    let delayMs = firstRetryMs;
    while (tree.next < stream.start && lost.reason === undefined && !stop.signal.aborted) {
      try {
        await catchUp();
        delayMs = firstRetryMs;
      } catch (error) {
        log.error(
          { err: error, retryInMs: delayMs },
          'the tree of records could not grow; it is tried again',
        );
        await clock.sleep(delayMs, stop.signal).catch(() => {});
        delayMs = Math.min(delayMs * 2, lastRetryMs);
      }
    }
    if (stop.signal.aborted) return;
    reader = await stream.follow({
      name: 'tlog',
      from: lost.reason === undefined ? tree.next : stream.start,
      ...(options.onDamage && { onDamage: options.onDamage }),
      async apply(entries) {
        if (lost.reason !== undefined) {
          // The journal is not kept for a tree that cannot grow; the archive has the hashes.
          const last = entries.at(-1);
          if (last && reader) await reader.checkpoint(sequence(Math.min(last.sequence, reader.applied)));
          return;
        }
        for (const { sequence: at, hash } of entries) tree.take(at, hash);
        if (tree.gathered >= mostGathered) await publish();
        else publishSoon();
      },
    });
    publishSoon(0);
  }

  // The usual start follows at once, so that the journal lets go of nothing; what is long goes on beside the requests.
  const following = follow().catch((error: unknown) =>
    log.error({ err: error }, 'the tree of records does not follow the journal'),
  );
  if (tree.next >= stream.start) await following;
  // From the first start on there is a checkpoint, be it of nothing; if it cannot be signed now, it is tried again.
  if (!head && reader) await publish().catch(() => publishSoon());

  async function settled(): Promise<void> {
    if (!reader) throw new Error('the tree of records is still growing from the archive');
    await reader.reached(stream.end);
    await publish();
    if (lost.reason !== undefined) throw new Error(lost.reason);
  }

  async function settledFor(signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const patience = AbortSignal.any([signal, stop.signal, done.signal]);
    const late = clock.sleep(settleMs, patience).then(
      () => 'it has not reached the newest records yet',
      () => 'nobody waits any more',
    );
    const message = await Promise.race([settled().catch((error: Error) => error.message), late]);
    done.abort(new Error('the tree has settled'));
    if (message === undefined) return;
    throw new AwsFault('ServiceUnavailable', `The tree of records cannot answer: ${message}.`, {
      status: 503,
    });
  }

  const opened = opening.move();
  return {
    routes: logRoutes({
      key: signer.key,
      files,
      published: () => published && { size: published.head.size, text: published.text },
      settled: settledFor,
      onDamage(reason) {
        tree.distrust(reason);
        publishSoon();
      },
    }),
    get reader() {
      return reader;
    },
    get problems() {
      const own =
        lost.reason === undefined ? [] : [`TAMPERING: no checkpoint is signed any more: ${lost.reason}`];
      return [...own, ...(missing > 0 ? [`TAMPERING: ${cutOff}`] : []), ...witnesses.problems];
    },
    key: formatVerifierKey(signer.key),
    get size() {
      return published?.head.size ?? 0;
    },
    get work() {
      return tree.work;
    },
    settled,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the server stops'));
      await following;
      await reader?.[Symbol.asyncDispose]();
      timer?.cancel();
      await publish().catch((error: unknown) =>
        log.error({ err: error }, 'the last records are signed at the next start'),
      );
      await opened.disposeAsync();
    },
  };
}
