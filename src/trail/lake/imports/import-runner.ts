import { AwsFault, DiskFullError, limits, OverloadError } from '../../../kernel/index.ts';
import type { Change } from '../../../state/index.ts';
import type { ActingFor, Buckets, StoredFile } from '../../buckets.ts';
import type { LakeParts } from '../lake-parts.ts';
import { everythingId, storeKey, type EventDataStoreDocument } from '../store-documents.ts';
import {
  failuresPrefix,
  numberedOf,
  importKey,
  importsPrefix,
  type ImportDocument,
  type ImportFailureDocument,
} from './import-documents.ts';
import { isLogFile, keyOfFailure, locationOfKey, partlyTaken } from './retry-import.ts';
import type { TakeLogFile } from './take-log-file.ts';

/** Runs the imports that are IN_PROGRESS in the control state, also those that a restart finds there. */
export interface ImportRunner extends AsyncDisposable {
  isImportingInto(storeArn: string): boolean;
  /** Ends the work on an import; resolves when nothing of it is under way. */
  stop(importId: string): Promise<void>;
  /** Resolves when the import is not being worked on. */
  ended(importId: string): Promise<void>;
}

interface RunningImport {
  readonly document: ImportDocument;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** A failure of before, and where it is kept. */
interface KnownFailure {
  readonly key: string;
  readonly value: ImportFailureDocument;
}

/** What a few files brought. */
interface Progress {
  /** Everything up to this key is done; absent of files that are read again. */
  readonly after?: string;
  readonly prefixes: ReadonlySet<string>;
  files: number;
  events: number;
  failures: ImportFailureDocument[];
  from: number;
  to: number;
}

const filesPerCommit = 64;
const firstRetryMs = 1_000;
const lastRetryMs = 60_000;
/** Patience with a bucket or a journal that is not there for the moment. */
const mostRetries = 8;

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > limits.importFileBytes) return undefined;
    parts.push(part);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function passes(error: unknown): boolean {
  if (error instanceof OverloadError || error instanceof DiskFullError) return true;
  return !(error instanceof AwsFault) || (error.status ?? 400) >= 500;
}

const actingFor = ({ destination, accountId, region }: ImportDocument): ActingFor => ({
  arn: destination,
  accountId,
  region,
});

/** The event data store shows what was imported, of the times that were met. */
const extendStore = async (change: Change, document: ImportDocument, progress: Progress): Promise<void> => {
  const id = document.destination.split('/').at(-1) ?? '';
  if (id === everythingId || progress.from > progress.to) return;
  const key = storeKey(document.accountId, id);
  const store = (await change.get<EventDataStoreDocument>(key))?.value;
  if (!store) return;
  const before = store.imported.find(({ importId }) => importId === document.importId);
  const span = {
    importId: document.importId,
    from: Math.min(progress.from, before?.from ?? Infinity),
    to: Math.max(progress.to, before?.to ?? -Infinity),
    selectors: before?.selectors ?? store.selectors,
    isMultiRegion: before?.isMultiRegion ?? store.isMultiRegion,
  };
  change.put(key, {
    ...store,
    imported: [...store.imported.filter(({ importId }) => importId !== document.importId), span],
  });
};

export async function openImportRunner(
  parts: LakeParts & { readonly take: TakeLogFile },
): Promise<ImportRunner> {
  const { state, clock, take, managementAccountId } = parts;
  const log = parts.log.child({ part: 'lake' });
  const running = new Map<string, RunningImport>();
  let isClosed = false;

  /** Tries again what a bucket or the journal could not do for the moment. */
  const patiently = async <T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> => {
    for (let tries = 0, delayMs = firstRetryMs; ; tries++, delayMs = Math.min(delayMs * 2, lastRetryMs)) {
      try {
        return await attempt();
      } catch (error) {
        signal.throwIfAborted();
        if (!passes(error) || tries >= mostRetries) throw error;
        await clock.sleep(delayMs, signal);
      }
    }
  };

  const failure = (location: string, errorType: string, message: string): ImportFailureDocument => ({
    location,
    errorType,
    message,
    time: clock.now(),
  });

  const takeFile = async (
    document: ImportDocument,
    file: Pick<StoredFile, 'key'>,
    buckets: Buckets,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> => {
    const location = locationOfKey(document, file.key);
    const fail = (type: string, message: string) =>
      void progress.failures.push(failure(location, type, message));
    try {
      const taken = await patiently(signal, async () => {
        const body = await buckets.get(document.bucket, file.key, actingFor(document));
        const bytes = body && (await collect(body));
        if (!bytes) return undefined;
        const wanted = {
          accountId: document.accountId === managementAccountId ? undefined : document.accountId,
          from: document.startEventTime,
          to: document.endEventTime,
        };
        return take(bytes, wanted, signal);
      });
      if (!taken) return fail('NoSuchKey', 'The object is gone or larger than an import takes.');
      if (taken.kind === 'broken') return fail('InvalidLogFile', taken.reason);
      progress.files++;
      progress.events += taken.events;
      if (taken.from !== undefined) progress.from = Math.min(progress.from, taken.from);
      if (taken.to !== undefined) progress.to = Math.max(progress.to, taken.to);
      if (taken.bad > 0) fail(partlyTaken, `${taken.bad} records cannot be read.`);
      if (taken.foreign > 0)
        fail(partlyTaken, `${taken.foreign} records are of other accounts than ${document.accountId}.`);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AwsFault)) throw error;
      fail(error.code, error.message);
    }
  };

  /** Changes the document, together with what else is written; undefined when the import is not IN_PROGRESS any more. */
  const update = async (
    { accountId, importId }: ImportDocument,
    make: (now: ImportDocument) => ImportDocument,
    more?: (change: Change, now: ImportDocument) => Promise<void>,
  ): Promise<ImportDocument | undefined> => {
    for (;;) {
      const change = state.begin();
      const now = (await change.get<ImportDocument>(importKey(accountId, importId)))?.value;
      if (now?.status !== 'IN_PROGRESS') return undefined;
      const next = { ...make(now), updatedAt: clock.now() };
      change.put(importKey(accountId, importId), next);
      await more?.(change, now);
      if ((await state.commit(change, [])).kind === 'committed') return next;
    }
  };
  /**
   * Writes what files brought. The failure of a file that is read again takes the place of the one that is known; one
   * that is not there any more has succeeded.
   */
  const save = (document: ImportDocument, progress: Progress, again: readonly KnownFailure[] = []) => {
    const known = new Map(again.map((one) => [one.value.location, one]));
    // In the order of the bucket, whichever file was read first.
    const failures = progress.failures.toSorted((one, other) =>
      one.location === other.location ? 0 : one.location < other.location ? -1 : 1,
    );
    const stillFailing = new Map(
      failures
        .filter(({ location, errorType }) => known.has(location) && errorType !== partlyTaken)
        .map((one) => [one.location, one]),
    );
    const added = failures.filter((one) => stillFailing.get(one.location) !== one);
    return update(
      document,
      (now) => ({
        ...now,
        ...(progress.after !== undefined && { after: progress.after }),
        prefixes: [...new Set([...now.prefixes, ...progress.prefixes])].slice(-limits.lakeImportFailures),
        files: now.files + progress.files,
        events: now.events + progress.events,
        failed: now.failed + added.length - (again.length - stillFailing.size),
        numbered: numberedOf(now) + added.length,
      }),
      async (change, now) => {
        const prefix = failuresPrefix(now.accountId, now.importId);
        added.forEach((one, index) => {
          const number = numberedOf(now) + index;
          if (number < limits.lakeImportFailures) change.put(prefix + String(number).padStart(9, '0'), one);
        });
        for (const { key, value } of again) {
          const failed = stillFailing.get(value.location);
          change.put(key, failed ?? { ...value, time: clock.now(), status: 'SUCCEEDED' });
        }
        await extendStore(change, now, progress);
      },
    );
  };

  const takeFiles = async (
    document: ImportDocument,
    files: readonly Pick<StoredFile, 'key'>[],
    buckets: Buckets,
    signal: AbortSignal,
  ): Promise<Progress> => {
    const progress: Progress = {
      prefixes: new Set(files.map(({ key }) => folderOf(key))),
      files: 0,
      events: 0,
      failures: [],
      from: Infinity,
      to: -Infinity,
    };
    const left = files.values();
    const lane = async () => {
      for (const file of left) {
        signal.throwIfAborted();
        await takeFile(document, file, buckets, progress, signal);
      }
    };
    await Promise.all(Array.from({ length: limits.lakeImportFilesAtOnce }, lane));
    return progress;
  };

  /** Reads again what an import before could not read; false when the import is not IN_PROGRESS any more. */
  const retryFailures = async (
    document: ImportDocument,
    buckets: Buckets,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const prefix = failuresPrefix(document.accountId, document.importId);
    const waiting = (await state.list<ImportFailureDocument>(prefix)).filter(
      ({ value }) => value.status === 'RETRY',
    );
    for (let at = 0; at < waiting.length; at += filesPerCommit) {
      const some = waiting.slice(at, at + filesPerCommit);
      const files = some.map(({ value }) => ({ key: keyOfFailure(document, value) }));
      const progress = await takeFiles(document, files, buckets, signal);
      if ((await save(document, progress, some)) === undefined) return false;
    }
    return true;
  };

  const work = async (document: ImportDocument, signal: AbortSignal): Promise<void> => {
    const { buckets } = parts;
    if (!buckets) throw new Error('there is no S3 to import from');
    if (!(await retryFailures(document, buckets, signal))) return;
    let { after } = document;
    for (;;) {
      const files: StoredFile[] = [];
      await patiently(signal, async () => {
        files.length = 0;
        const listing = buckets.list(
          document.bucket,
          { prefix: document.prefix, ...(after !== undefined && { after }) },
          actingFor(document),
        );
        for await (const file of listing) {
          signal.throwIfAborted();
          if (isLogFile(file)) files.push(file);
          if (files.length >= filesPerCommit) break;
        }
      });
      if (files.length === 0) return;
      const last = files.at(-1)?.key ?? '';
      const progress = await takeFiles(document, files, buckets, signal);
      if ((await save(document, { ...progress, after: last })) === undefined) return;
      after = last;
    }
  };

  const runOne = async (document: ImportDocument, signal: AbortSignal): Promise<void> => {
    try {
      await work(document, signal);
      await update(document, (now) => ({
        ...now,
        status: now.failed > 0 && now.files === 0 ? 'FAILED' : 'COMPLETED',
      }));
    } catch (error) {
      if (signal.aborted || isClosed) return;
      log.error({ err: error, importId: document.importId }, 'an import ended before its end');
      const location = `s3://${document.bucket}/${document.prefix}`;
      const [type, message] =
        error instanceof AwsFault ? [error.code, error.message] : ['InternalError', (error as Error).message];
      await update(
        document,
        (now) => ({
          ...now,
          status: 'FAILED',
          failed: now.failed + 1,
          numbered: numberedOf(now) + 1,
        }),
        async (change, now) =>
          change.put(
            failuresPrefix(now.accountId, now.importId) + String(numberedOf(now)).padStart(9, '0'),
            failure(location, type, message),
          ),
      );
    }
  };

  const start = (document: ImportDocument): void => {
    if (isClosed || document.status !== 'IN_PROGRESS' || running.has(document.importId)) return;
    const stop = new AbortController();
    const done = runOne(document, stop.signal)
      .catch((error: unknown) => {
        if (!isClosed)
          log.error({ err: error, importId: document.importId }, 'the end of an import could not be written');
      })
      .finally(() => running.delete(document.importId));
    running.set(document.importId, { document, stop, done });
  };

  const stopListening = state.onChange((keys) => {
    for (const key of keys) {
      if (!key.startsWith(importsPrefix)) continue;
      void state.get<ImportDocument>(key).then((found) => found && start(found.value));
    }
  });
  for (const { value } of await state.list<ImportDocument>(importsPrefix)) start(value);

  return {
    isImportingInto: (arn) => [...running.values()].some(({ document }) => document.destination === arn),
    async stop(importId) {
      const one = running.get(importId);
      one?.stop.abort(new Error('the import was stopped'));
      await one?.done;
    },
    async ended(importId) {
      await running.get(importId)?.done;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      stopListening();
      const ending = [...running.values()];
      for (const { stop } of ending) stop.abort(new Error('the lake is closed'));
      await Promise.all(ending.map(({ done }) => done));
    },
  };
}
