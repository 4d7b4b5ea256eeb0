import type { Command } from 'commander';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { CommandError, exitCodes, usageError, type ExitCode } from '../exit-codes.ts';
import { bucketPlaceOf, openBucket, type BucketPlace, type OpenedBucket } from '../import/open-bucket.ts';
import type { ImportAnswer } from '../import/import-answers.ts';
import { runImport } from '../import/run-import.ts';
import { findObjects } from '../import/s3-files.ts';
import { hasProblems, summarise, summaryJson, type ImportTotals } from '../import/totals.ts';
import { openProgressView, type ProgressView } from '../terminal/progress-view.ts';
import { findLogFiles, type Walk } from '../import/walk.ts';
import { formatNumberOf } from '../terminal/figures.ts';
import { neutralise } from '../terminal/text.ts';
import { parseCount } from '../times.ts';

interface ImportOptions extends ConnectionOptions {
  readonly workers: string;
  readonly json?: boolean;
  readonly sourceEndpoint?: string;
  readonly sourceProfile?: string;
  readonly follow?: boolean;
  readonly again?: boolean;
}

/** How long a server may be away or overloaded before the import gives up. */
const patienceMs = 5 * 60_000;

/** Declares `cairn import`. */
export function declareImport(command: Command): Command {
  return addConnectionOptions(
    command
      .description('import CloudTrail log files: .json, .json.gz, directories of them, and buckets')
      .argument('<path...>', 'log files and directories, or one s3://BUCKET/PREFIX')
      .option('--workers <count>', 'files in flight at once', '8')
      .option('--source-endpoint <url>', 'where the bucket is (else what the AWS configuration says)')
      .option('--source-profile <name>', 'profile of the AWS configuration files to read the bucket with')
      .option('--follow', 'go on with what comes into the bucket, until it is stopped')
      .option('--again', 'files that were imported before as well, for events that are gone here')
      .option('--json', 'the summary as JSON'),
  );
}

const recordsNamed = 5;

function badRecordsNote(path: string, { bad, problems }: ImportAnswer): string {
  const named = problems.slice(0, recordsNamed).map(({ record, reason }) => `record ${record}: ${reason}`);
  if (bad > named.length) named.push('…');
  return neutralise(`${path}: ${formatNumberOf(bad, 'bad record')}: ${named.join('; ')}`);
}

/** Sends what was found; the view is gone when it ends, however it ends. */
async function send(
  context: CommandContext,
  options: ImportOptions,
  { walk, view, workers }: { walk: Walk; view: ProgressView; workers: number },
): Promise<ImportTotals> {
  const connection = connect(context, options, workers + 1);
  let filesDone = 0;
  try {
    return await runImport({
      connection,
      files: walk.files,
      workers,
      again: options.again === true,
      clock: context.clock,
      random: context.random,
      signal: context.signal,
      patienceMs,
      watch: {
        progressed: (totals) => {
          ({ filesDone } = totals);
          view.update(totals);
        },
        broken: (path, reason) => view.note(neutralise(`broken: ${path}: ${reason}`)),
        badRecords: (path, answer) => view.note(badRecordsNote(path, answer)),
        waiting: (reason) => view.hint(reason),
      },
    });
  } catch (error) {
    // Whoever may not import at all has imported nothing.
    if (error instanceof CommandError && (filesDone > 0 || error.exitCode !== exitCodes.noAccess)) {
      const hint = 'What was imported stays; running the same command again goes on from there.';
      throw new CommandError(`${error.message}\n${hint}`, error.exitCode, { cause: error });
    }
    throw error;
  } finally {
    view.close();
    connection.close();
  }
}

/** Sends what was found and tells what came of it. */
async function importWalk(
  context: CommandContext,
  options: ImportOptions,
  walk: Walk,
  startedMs: number,
): Promise<ExitCode> {
  const { output, clock } = context;
  const workers = parseCount(options.workers, '--workers', 64);
  const view = openProgressView(output, clock);
  for (const { path, reason } of walk.unreadable) view.note(neutralise(`broken: ${path}: ${reason}`));
  const totals = await send(context, options, { walk, view, workers });
  totals.broken.unshift(...walk.unreadable);
  const durationMs = clock.monotonic() - startedMs;
  const lines = options.json
    ? [summaryJson(totals, walk.passedOver, durationMs)]
    : summarise(totals, walk.passedOver, durationMs);
  await output.result(`${lines.join('\n')}\n`);
  return hasProblems(totals) ? exitCodes.problems : exitCodes.ok;
}

/** How long `--follow` waits before it lists the bucket again; longer where that takes long. */
const followEveryMs = 15_000;
const listingShare = 10;

/** Imports what is in the bucket, and what is there the next time it is called. */
function openRounds(
  context: CommandContext,
  options: ImportOptions,
  place: BucketPlace,
  bucket: OpenedBucket,
) {
  const { clock } = context;
  const seen = new Set<string>();
  return async (isFirst: boolean): Promise<{ readonly exitCode: ExitCode; readonly listingMs: number }> => {
    const startedMs = clock.monotonic();
    // What could not be read now is read when the bucket is listed the next time.
    const unread = new Set<string>();
    const { keys, ...walk } = await findObjects(bucket.source, place.prefix, bucket.known, { seen, unread });
    const listingMs = clock.monotonic() - startedMs;
    const exitCode =
      isFirst || walk.files.length > 0 ? await importWalk(context, options, walk, startedMs) : exitCodes.ok;
    for (const key of keys) if (!unread.has(key)) seen.add(key);
    return { exitCode, listingMs };
  };
}

/** Goes on with what comes into the bucket until it is stopped, which is how it is meant to end. */
async function followBucket(
  { clock, output, signal }: CommandContext,
  round: ReturnType<typeof openRounds>,
  first: { readonly exitCode: ExitCode; readonly listingMs: number },
): Promise<ExitCode> {
  let worst = first.exitCode;
  let waitMs = Math.max(followEveryMs, first.listingMs * listingShare);
  let said: string | undefined;
  output.note('following the bucket; Ctrl-C ends');
  while (!signal.aborted) {
    await clock.sleep(waitMs, signal).catch(() => undefined);
    if (signal.aborted) break;
    try {
      const { exitCode, listingMs } = await round(false);
      worst = Math.max(worst, exitCode) as ExitCode;
      waitMs = Math.max(followEveryMs, listingMs * listingShare);
      said = undefined;
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof CommandError)) throw error;
      // The bucket or the server is away; the same is said once.
      if (said !== error.message) output.note(`${error.message} Trying again.`);
      said = error.message;
    }
  }
  return worst;
}

async function importBucket(
  context: CommandContext,
  options: ImportOptions,
  place: BucketPlace,
): Promise<ExitCode> {
  const workers = parseCount(options.workers, '--workers', 64);
  const bucket = await openBucket(context, options, place, workers);
  try {
    const round = openRounds(context, options, place, bucket);
    const first = await round(true);
    return options.follow ? await followBucket(context, round, first) : first.exitCode;
  } finally {
    bucket.source.close();
  }
}

/** Runs `cairn import`. */
export async function importFiles(
  context: CommandContext,
  paths: readonly string[],
  options: ImportOptions,
): Promise<ExitCode> {
  const places = paths.flatMap((path) => bucketPlaceOf(path) ?? []);
  const [place] = places;
  if (place) {
    if (paths.length > 1) throw usageError('one s3://BUCKET/PREFIX is imported at a time');
    return importBucket(context, options, place);
  }
  if (options.follow || options.sourceEndpoint !== undefined)
    throw usageError('--follow and --source-endpoint go with s3://BUCKET/PREFIX');
  const startedMs = context.clock.monotonic();
  return importWalk(context, options, await findLogFiles(paths, context.signal), startedMs);
}
