import type { Clock, Random } from '../../kernel/index.ts';
import { BodyError, readBody, type Connection, type RequestBody } from '../connection/connection.ts';
import { accessFailure, describeFailure, readFailure } from '../connection/failures.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { cutIntoBatches } from './batches.ts';
import type { CheckAnswer, ImportAnswer } from './import-answers.ts';
import { openLogFileBody, type LogFileBody } from './log-file-body.ts';
import { withPatience, type RetryOptions } from './retry.ts';
import { addAnswer, addKnown, emptyTotals, type ImportTotals } from './totals.ts';
import type { LogFile } from './walk.ts';

export interface ImportRun {
  readonly connection: Connection;
  readonly files: readonly LogFile[];
  /** Files in flight at once. */
  readonly workers: number;
  /** Files that were imported before are sent as well. */
  readonly again: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** How long to keep trying while the server is away or overloaded. */
  readonly patienceMs: number;
  readonly watch: ImportWatch;
}

/** Who looks on. */
export interface ImportWatch {
  progressed(totals: ImportTotals): void;
  broken(path: string, reason: string): void;
  /** Records inside a file that was otherwise taken. */
  badRecords(path: string, answer: ImportAnswer): void;
  waiting(reason: string | undefined): void;
}

type FileOutcome =
  | { readonly kind: 'taken'; readonly answer: ImportAnswer }
  | { readonly kind: 'broken'; readonly reason: string };

/** The server is busy, its disk is full, or another call got in between: all of that passes. */
const passingStatus = new Set([409, 429, 502, 503, 504, 507]);

function retryAfterMs(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header);
  return typeof header === 'string' && Number.isFinite(seconds) ? seconds * 1000 : undefined;
}

async function sendFile(run: ImportRun, retry: RetryOptions, body: RequestBody): Promise<FileOutcome> {
  return withPatience<FileOutcome>(retry, async () => {
    const answer = await run.connection.send({
      method: 'POST',
      path: '/_cairn/import',
      ...(run.again && { query: { again: 'true' } }),
      headers: { 'content-type': 'application/octet-stream' },
      body,
      signal: run.signal,
    });
    const bytes = await readBody(answer.body);
    if (answer.status === 200) {
      return { kind: 'taken', answer: JSON.parse(bytes.toString('utf8')) as ImportAnswer };
    }
    const failure = readFailure(answer.status, answer.headers, bytes);
    if (passingStatus.has(answer.status)) {
      const reason = describeFailure(failure);
      return {
        setback: {
          reason,
          retryAfterMs: retryAfterMs(answer.headers['retry-after']),
          error: new CommandError(`the server does not take more: ${reason}`, exitCodes.serverFailed),
        },
      };
    }
    if (answer.status === 422 || answer.status === 413) {
      return { kind: 'broken', reason: failure.message || describeFailure(failure) };
    }
    throw accessFailure(failure, undefined);
  });
}

async function findImported(
  run: ImportRun,
  retry: RetryOptions,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  if (run.again) return new Set();
  const answer = await withPatience(retry, () =>
    run.connection.askJson<CheckAnswer>({
      method: 'POST',
      path: '/_cairn/import/check',
      headers: { 'content-type': 'application/json' },
      body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify(hashes)) },
      signal: run.signal,
    }),
  );
  return new Set(answer.imported);
}

function reasonOf(error: unknown): string {
  if (error instanceof BodyError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EACCES' ? 'no permission to read it' : message;
}

/**
 * Sends log files to the server, several at once, leaving out those that it has imported before (but for `again`). A broken file is
 * reported and the rest goes on. Throws CommandError when the server is gone for longer than `patienceMs` or refuses the
 * caller; what was imported until then stays, and running again goes on from there.
 */
export async function runImport(run: ImportRun): Promise<ImportTotals> {
  const { files, workers, watch } = run;
  const totals = emptyTotals(files);
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const mine: ImportRun = { ...run, signal };
  const retry: RetryOptions = { ...mine, onWait: (reason) => watch.waiting(reason) };

  const finish = (file: LogFile) => {
    totals.filesDone++;
    totals.bytesDone += file.sizeBytes;
    watch.waiting(undefined);
    watch.progressed(totals);
  };
  const fail = (file: LogFile, reason: string) => {
    totals.broken.push({ path: file.path, reason });
    watch.broken(file.path, reason);
    finish(file);
  };

  const doFile = async (file: LogFile, body: RequestBody) => {
    try {
      const outcome = await sendFile(mine, retry, body);
      if (outcome.kind === 'broken') {
        fail(file, outcome.reason);
        return;
      }
      if (outcome.answer.alreadyImported) addKnown(totals, outcome.answer);
      else addAnswer(totals, outcome.answer);
      if (outcome.answer.bad > 0) watch.badRecords(file.path, outcome.answer);
      finish(file);
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      fail(file, reasonOf(error));
    }
  };

  /** What was read before and is imported need not be read again. */
  const leaveOutKnown = async (batch: readonly LogFile[]): Promise<readonly LogFile[]> => {
    const hashes = batch.flatMap(({ sha256 }) => sha256 ?? []);
    if (hashes.length === 0) return batch;
    const imported = await findImported(mine, retry, hashes);
    return batch.filter((file) => {
      if (file.sha256 === undefined || !imported.has(file.sha256)) return true;
      totals.filesKnown++;
      finish(file);
      return false;
    });
  };

  const doBatch = async (batch: readonly LogFile[]) => {
    const opened: { file: LogFile; body: LogFileBody }[] = [];
    for (const file of await leaveOutKnown(batch)) {
      signal.throwIfAborted();
      try {
        opened.push({ file, body: await openLogFileBody(file) });
      } catch (error) {
        fail(file, reasonOf(error));
      }
    }
    if (opened.length === 0) return;
    const imported = await findImported(
      mine,
      retry,
      opened.map(({ body }) => body.sha256),
    );
    for (const { file, body } of opened) {
      if (imported.has(body.sha256)) {
        totals.filesKnown++;
        finish(file);
      } else {
        await doFile(file, body);
      }
    }
  };

  const batches = cutIntoBatches(files, workers).values();
  const work = async () => {
    for (const batch of batches) await doBatch(batch);
  };
  const working = Array.from({ length: Math.min(workers, files.length) }, () =>
    work().catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(working);
  run.signal.throwIfAborted();
  if (stop.signal.aborted) throw stop.signal.reason as Error;
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason as Error;
  return totals;
}
