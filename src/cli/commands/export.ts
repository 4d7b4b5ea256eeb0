import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { Connection } from '../connection/connection.ts';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { exitCodes, usageError, type ExitCode } from '../exit-codes.ts';
import { formatNumberOf } from '../terminal/figures.ts';
import { parseCount, parseTime } from '../times.ts';

interface ExportOptions extends ConnectionOptions {
  readonly parquet?: string;
  readonly from?: string;
  readonly to?: string;
  readonly workers: string;
}

interface Partition {
  readonly account: string;
  readonly region: string | null;
  readonly day: string;
  readonly events: number;
}

/** Declares `cairn export`. */
export function declareExport(command: Command): Command {
  return addConnectionOptions(
    command
      .description('write the events as Parquet files, a folder for each account, region and day')
      .option('--parquet <directory>', 'where to; made if it is missing')
      .option(
        '--from <time>',
        'days that have events at or after it: ISO 8601, epoch seconds, or how long ago, such as 2d',
      )
      .option('--to <time>', 'days that have events before it; as --from')
      .option('--workers <count>', 'files in flight at once', '2'),
  );
}

/** A name as Hive writes it into a path; what is not there has a name of its own. */
function hiveValue(value: string | null): string {
  return value === null ? '__HIVE_DEFAULT_PARTITION__' : encodeURIComponent(value);
}

async function writePartition(
  connection: Connection,
  directory: string,
  { account, region, day }: Partition,
  signal: AbortSignal,
): Promise<void> {
  const folder = join(directory, `account=${account}`, `region=${hiveValue(region)}`, `day=${day}`);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'events.parquet');
  const query = { account, day, ...(region !== null && { region }) };
  const { body } = await connection.ask({ method: 'GET', path: '/_cairn/lake/partition', query, signal });
  try {
    await pipeline(body, createWriteStream(`${file}.part`), { signal });
  } catch (error) {
    await rm(`${file}.part`, { force: true });
    throw error;
  }
  await rename(`${file}.part`, file);
}

/** Runs `cairn export`. */
export async function exportEvents(context: CommandContext, options: ExportOptions): Promise<ExitCode> {
  const { output, clock, signal } = context;
  const { parquet: directory } = options;
  if (directory === undefined) throw usageError('--parquet names the directory to write to');
  const workers = parseCount(options.workers, '--workers', 16);
  const now = clock.now();
  const bound = (name: 'from' | 'to') => {
    const text = options[name];
    return text === undefined ? {} : { [name]: String(parseTime(text, `--${name}`, now)) };
  };
  const query = { ...bound('from'), ...bound('to') };
  const connection = connect(context, options, workers);
  try {
    const { partitions } = await connection.askJson<{ readonly partitions: readonly Partition[] }>({
      method: 'GET',
      path: '/_cairn/lake/partitions',
      query,
      signal,
    });
    let events = 0;
    const left = partitions.values();
    const lane = async () => {
      for (const partition of left) {
        await writePartition(connection, directory, partition, signal);
        events += partition.events;
      }
    };
    await Promise.all(Array.from({ length: workers }, lane));
    await output.result(
      `${formatNumberOf(partitions.length, 'file')}, ${formatNumberOf(events, 'event')} in ${directory}\n`,
    );
    return exitCodes.ok;
  } finally {
    connection.close();
  }
}
