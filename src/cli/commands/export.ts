import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import type { Connection } from '../connection/connection.ts';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { limits } from '../../kernel/index.ts';
import { CommandError, exitCodes, usageError, type ExitCode } from '../exit-codes.ts';
import { formatNumberOf } from '../terminal/figures.ts';
import { openProgressView } from '../terminal/progress-view.ts';
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
      .option('--workers <count>', 'days in flight at once', '2'),
  );
}

/** A region as Hive writes it into a path, and the server takes it; events without one have a name of their own. */
const regionName = ({ region }: Partition): string => region ?? '__HIVE_DEFAULT_PARTITION__';

function requestsFor(partitions: readonly Partition[]): readonly (readonly Partition[])[] {
  const days = Map.groupBy(partitions, ({ account, day }) => `${account} ${day}`);
  return [...days.values()].flatMap((day) =>
    Array.from({ length: Math.ceil(day.length / limits.exportRegions) }, (_, at) =>
      day.slice(at * limits.exportRegions, (at + 1) * limits.exportRegions),
    ),
  );
}

/** Reads a body in stretches of so many bytes, one behind the other. */
function openStretches(chunks: AsyncIterator<Uint8Array>): (bytes: number) => AsyncIterable<Uint8Array> {
  let chunk: Uint8Array = new Uint8Array(0);
  return async function* stretch(bytes) {
    for (let left = bytes; left > 0;) {
      if (chunk.length === 0) {
        const next = await chunks.next();
        if (next.done) throw new CommandError('the answer is shorter than it says', exitCodes.serverFailed);
        chunk = next.value;
      }
      const piece = chunk.subarray(0, left);
      chunk = chunk.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  };
}

async function writeFile(
  file: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await pipeline(content, createWriteStream(`${file}.part`), { signal });
  } catch (error) {
    await rm(`${file}.part`, { force: true });
    throw error;
  }
  await rename(`${file}.part`, file);
}

/** Writes partitions of one account and day, each as a file; tells of each when it is there. */
async function writePartitions(
  connection: Connection,
  directory: string,
  partitions: readonly Partition[],
  signal: AbortSignal,
  written: (partition: Partition, bytes: number) => void,
): Promise<void> {
  const [{ account, day } = { account: '', day: '' }] = partitions;
  const query = { account, day, region: partitions.map(regionName) };
  const { body, headers } = await connection.ask({
    method: 'GET',
    path: '/_cairn/lake/partition',
    query,
    signal,
  });
  try {
    const sizes = String(headers['cairn-file-sizes']).split(',').map(Number);
    if (sizes.length !== partitions.length || !sizes.every(Number.isSafeInteger))
      throw new CommandError('the answer does not say where its files end', exitCodes.serverFailed);
    const chunks = body[Symbol.asyncIterator]();
    const stretch = openStretches(chunks);
    for (const [at, partition] of partitions.entries()) {
      const region = encodeURIComponent(regionName(partition));
      const folder = join(directory, `account=${account}`, `region=${region}`, `day=${day}`);
      const bytes = sizes[at] ?? 0;
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'events.parquet'), stretch(bytes), signal);
      written(partition, bytes);
    }
    // Only a body that was read to its end lets go of its socket.
    await chunks.next();
  } finally {
    body.destroy();
  }
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
  // Before the server is asked for anything: what cannot be written is not worth fetching.
  await mkdir(directory, { recursive: true });
  const connection = connect(context, options, workers);
  const view = openProgressView(output, clock);
  try {
    const { partitions } = await connection.askJson<{ readonly partitions: readonly Partition[] }>({
      method: 'GET',
      path: '/_cairn/lake/partitions',
      query,
      signal,
    });
    const eventsTotal = partitions.reduce((sum, { events }) => sum + events, 0);
    const done = { filesDone: 0, events: 0, bytesDone: 0 };
    const written = ({ events }: Partition, bytes: number) => {
      done.filesDone++;
      done.events += events;
      done.bytesDone += bytes;
      view.update({ ...done, filesTotal: partitions.length, bytesTotal: 0, eventsTotal });
    };
    const left = requestsFor(partitions).values();
    const lane = async () => {
      for (const some of left) await writePartitions(connection, directory, some, signal, written);
    };
    await Promise.all(Array.from({ length: workers }, lane));
    view.close();
    await output.result(
      `${formatNumberOf(partitions.length, 'file')}, ${formatNumberOf(done.events, 'event')} in ${directory}\n`,
    );
    return exitCodes.ok;
  } finally {
    view.close();
    connection.close();
  }
}
