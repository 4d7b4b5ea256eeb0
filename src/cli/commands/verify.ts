import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CloudTrailClientConfig } from '@aws-sdk/client-cloudtrail';
import type { Command } from 'commander';
import { parseArn } from '../../kernel/index.ts';
import { findCredentials } from '../connection/credentials.ts';
import { findEndpoint, findRegion } from '../connection/endpoint.ts';
import { dataDirectory, type CommandContext, type ConnectionOptions } from '../context.ts';
import { CommandError, exitCodes, usageError, type ExitCode } from '../exit-codes.ts';
import { formatDuration, formatNumberOf } from '../terminal/figures.ts';
import { neutralise } from '../terminal/text.ts';
import { parseCount, parseTime } from '../times.ts';
import type { BucketSource } from '../verify/bucket-source.ts';
import { openDirectorySource } from '../verify/directory-source.ts';
import { findGroups } from '../verify/find-groups.ts';
import { findingLine, type Finding } from '../verify/findings.ts';
import { openPool } from '../verify/pool.ts';
import { openProgressBar } from '../verify/progress-bar.ts';
import { askForKeys, readKeyFile, type ListedKey, type PublicKeys } from '../verify/public-keys.ts';
import { openRemembered, rememberedFile } from '../verify/remembered.ts';
import { verifyGroup } from '../verify/verify-group.ts';
import { emptyTotals, type FileCount, type VerifyRun, type VerifyTotals } from '../verify/verify-run.ts';

interface VerifyOptions extends ConnectionOptions {
  readonly trailArn?: string;
  readonly startTime?: string;
  readonly endTime?: string;
  readonly publicKeys?: string;
  readonly state?: string;
  readonly full?: boolean;
  readonly json?: boolean;
  readonly workers: string;
}

/** Declares `cairn verify`. */
export function declareVerify(command: Command): Command {
  return command
    .description(
      'verify log files of CloudTrail by their digests: nothing changed, deleted, moved or added; or proofs of events',
    )
    .argument('[place]', 's3://BUCKET or s3://BUCKET/PREFIX, or a directory with a copy of one')
    .option('--trail-arn <arn>', 'the digests of this trail alone')
    .option('--start-time <time>', 'only digests that end at this time or later')
    .option('--end-time <time>', 'only log files delivered up to this time')
    .option('--public-keys <file>', 'work offline with what "aws cloudtrail list-public-keys" printed')
    .option('--state <file>', "where to remember what was verified (default in the user's cache directory)")
    .option('--full', 'verify everything again')
    .option('--workers <count>', 'files in flight at once', '64')
    .option('--json', 'one finding a line as JSON, and the summary as the last')
    .option(
      '--endpoint <url>',
      'whom to ask (else AWS_ENDPOINT_URL; else AWS, and for proofs http://127.0.0.1:4747)',
    )
    .option('--profile <name>', 'profile of the AWS configuration files to sign with')
    .option(
      '--data <directory>',
      'data directory whose credentials are used when AWS has none (default ./data)',
    );
}

interface Place {
  readonly source: BucketSource;
  readonly prefix: string;
  /** Names the place among all others. */
  readonly target: string;
}

/** The endpoint that was given; undefined for AWS itself and what the AWS configuration files say. */
function endpointOf(options: VerifyOptions, env: NodeJS.ProcessEnv): string | undefined {
  if (options.endpoint === undefined && !env['AWS_ENDPOINT_URL']) return undefined;
  return findEndpoint(options.endpoint, env).origin;
}

type Access = Pick<CloudTrailClientConfig, 'credentials'> & {
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly profile: string | undefined;
};

/** Beyond AWS itself, where the SDK finds credentials best, a Cairn on this machine left some in its data directory. */
async function accessOf(context: CommandContext, options: VerifyOptions): Promise<Access> {
  const { env } = context;
  const endpoint = endpointOf(options, env);
  const region = findRegion(env);
  if (endpoint === undefined) return { endpoint, region, profile: options.profile };
  const { source: _, ...found } = await findCredentials({
    env,
    profile: options.profile,
    data: dataDirectory(options, env),
  });
  const { accessKeyId, secretAccessKey, sessionToken } = found;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  return { endpoint, region, profile: options.profile, credentials };
}

async function openPlace(
  context: CommandContext,
  place: string,
  options: VerifyOptions,
  sockets: number,
): Promise<Place> {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(place);
  if (match) {
    const [, bucket = '', path = ''] = match;
    const { openS3Source } = await import('../verify/s3-source.ts');
    const { credentials, ...access } = await accessOf(context, options);
    const isOwnEndpoint = access.endpoint !== undefined || Boolean(context.env['AWS_ENDPOINT_URL_S3']);
    const source = openS3Source(
      bucket,
      { ...access, credentials, sockets, isOwnEndpoint },
      { now: () => context.clock.now(), signal: context.signal },
    );
    const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
    return { source, prefix, target: `${access.endpoint ?? 'aws'} s3://${bucket}` };
  }
  const found = await stat(place).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw usageError(`verify takes s3://BUCKET, s3://BUCKET/PREFIX or a directory, not "${place}"`);
  }
  return { source: openDirectorySource(resolve(place)), prefix: '', target: await realpath(place) };
}

/** Every public key of a region that ever was until then, because digests of any age may be verified. */
async function listKeys(access: Access, region: string, untilMs: number): Promise<readonly ListedKey[]> {
  const { CloudTrailClient, paginateListPublicKeys } = await import('@aws-sdk/client-cloudtrail');
  const { endpoint, profile, credentials } = access;
  const client = new CloudTrailClient({
    region,
    ...(endpoint !== undefined && { endpoint }),
    ...(profile !== undefined && { profile }),
    ...(credentials && { credentials }),
  });
  try {
    const keys: ListedKey[] = [];
    // Log file validation began in October 2015.
    const range = { StartTime: new Date('2015-01-01T00:00:00Z'), EndTime: new Date(untilMs) };
    for await (const page of paginateListPublicKeys({ client }, range))
      keys.push(...(page.PublicKeyList ?? []));
    return keys;
  } catch (error) {
    throw new CommandError(
      `cannot list the public keys of ${region}: ${(error as Error).name}: ${(error as Error).message}; --public-keys works without the server`,
      exitCodes.noAccess,
      { cause: error },
    );
  } finally {
    client.destroy();
  }
}

async function openKeys(context: CommandContext, options: VerifyOptions): Promise<PublicKeys> {
  if (options.publicKeys !== undefined) return readKeyFile(options.publicKeys);
  let access: Promise<Access> | undefined;
  return askForKeys(
    async (region, untilMs) => listKeys(await (access ??= accessOf(context, options)), region, untilMs),
    context.clock.now(),
  );
}

function trailOf(arn: string | undefined): VerifyRun['trail'] {
  if (arn === undefined) return undefined;
  const { service, region, accountId, resource } = parseArn(arn) ?? {};
  if (service !== 'cloudtrail' || !region || !accountId || !resource?.startsWith('trail/')) {
    throw usageError(`--trail-arn takes the ARN of a trail, not "${arn}"`);
  }
  return { accountId, homeRegion: region, name: resource.slice('trail/'.length) };
}

function rangeOf(options: VerifyOptions, nowMs: number): Pick<VerifyRun, 'startTime' | 'endTime'> {
  const { startTime, endTime } = options;
  const range = {
    startTime: startTime === undefined ? -Infinity : parseTime(startTime, '--start-time', nowMs),
    endTime: endTime === undefined ? Infinity : parseTime(endTime, '--end-time', nowMs),
  };
  if (range.startTime > range.endTime) throw usageError('--start-time is after --end-time');
  return range;
}

function ratio({ valid, invalid, remembered }: FileCount, one: string): string {
  const known = remembered === 0 ? '' : ` (${remembered} known from earlier runs)`;
  const wrong = invalid === 0 ? '' : `, ${invalid} INVALID`;
  return `${valid}/${formatNumberOf(valid + invalid, one)} valid${wrong}${known}`;
}

function summaryLines(totals: VerifyTotals, durationMs: number): readonly string[] {
  const { digests, backfillDigests, logs, newer, uncovered, findings } = totals;
  return [
    ratio(digests, 'digest file'),
    ...(backfillDigests.valid + backfillDigests.invalid > 0
      ? [ratio(backfillDigests, 'backfill digest file')]
      : []),
    ratio(logs, 'log file'),
    ...(newer > 0
      ? [`${formatNumberOf(newer, 'log file')} newer than the last digest: not verified yet`]
      : []),
    ...(uncovered > 0
      ? [`${formatNumberOf(uncovered, 'log file')} of times that no valid digest covers: not verified`]
      : []),
    `${formatNumberOf(findings, 'finding')}, ${formatDuration(durationMs)}`,
  ];
}

function summaryJson(totals: VerifyTotals, durationMs: number): string {
  const { digests, backfillDigests, logs, newer, uncovered, findings } = totals;
  const counts = { digests, backfillDigests, logs, newer, uncovered, findings };
  return JSON.stringify({ type: 'summary', ...counts, durationMs });
}

/** Runs `cairn verify`. */
export async function verify(
  context: CommandContext,
  place: string | undefined,
  options: VerifyOptions,
): Promise<ExitCode> {
  const { output, clock, signal, env } = context;
  if (place === undefined) throw usageError('verify takes s3://BUCKET, s3://BUCKET/PREFIX or a directory');
  const startedMs = clock.monotonic();
  const workers = parseCount(options.workers, '--workers', 256);
  const range = rangeOf(options, clock.now());
  const trail = trailOf(options.trailArn);
  const keys = await openKeys(context, options);
  const { source, prefix, target } = await openPlace(context, place, options, workers + 4);
  const remembered = await openRemembered(
    options.state ?? rememberedFile(target, env),
    options.full === true,
  );
  const totals = emptyTotals();
  const bar = openProgressBar(output, clock, totals);
  let written: Promise<unknown> = Promise.resolve();
  const report = (finding: Finding) => {
    totals.findings++;
    bar.hide();
    const line = options.json
      ? JSON.stringify({ type: 'finding', ...finding })
      : neutralise(findingLine(finding));
    written = written.then(() => output.result(`${line}\n`));
    written.catch(() => undefined);
  };
  const run: VerifyRun = {
    source,
    keys,
    remembered,
    pool: openPool(workers, signal),
    ...range,
    trail,
    totals,
    report,
    note(line) {
      bar.hide();
      output.note(neutralise(line));
    },
    progressed: () => bar.update(),
  };
  try {
    for (const group of await findGroups(source, prefix)) await verifyGroup(run, group);
  } finally {
    bar.hide();
    source.close();
    await remembered.save();
  }
  const { digests, backfillDigests } = totals;
  if (totals.findings === 0 && digests.valid + backfillDigests.valid === 0) {
    report({
      kind: 'no-digests',
      file: source.show(prefix),
      message:
        'no digest file was found, so nothing is proved; a trail with a prefix is verified by s3://BUCKET/PREFIX',
    });
  }
  await written;
  const durationMs = Math.round(clock.monotonic() - startedMs);
  if (options.json) await output.result(`${summaryJson(totals, durationMs)}\n`);
  else await output.result(`${summaryLines(totals, durationMs).join('\n')}\n`);
  return totals.findings === 0 ? exitCodes.ok : exitCodes.problems;
}
