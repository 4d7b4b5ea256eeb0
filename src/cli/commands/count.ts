import type { Command } from 'commander';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import {
  addFilterOptions,
  countParameter,
  collect,
  filterQuery,
  type FilterOptions,
} from '../event-filter.ts';
import { exitCodes, usageError, type ExitCode } from '../exit-codes.ts';
import { paint } from '../terminal/output.ts';
import { formatCount, formatTime } from '../terminal/figures.ts';
import { drawTable, type Column } from '../terminal/table.ts';
import { parseCount, parseDuration } from '../times.ts';

interface CountOptions extends ConnectionOptions {
  readonly by?: readonly string[];
  readonly bucket?: string;
  readonly limit: string;
  readonly json?: boolean;
}

interface CountAnswer {
  readonly rows: readonly {
    readonly values: readonly (string | null)[];
    /** ISO 8601. */
    readonly bucket?: string;
    readonly count: number;
  }[];
}

/** Declares `cairn count`. */
export function declareCount(command: Command): Command {
  addFilterOptions(command.description('count events, the greatest counts first'), 'stretch')
    .option(
      '--by <what>',
      'count per value of this attribute, or member of the record such as\nrequestParameters.bucketName (up to three times)',
      collect,
    )
    .option('--bucket <duration>', 'count per stretch of time, such as 1h or 1d')
    .option('--limit <count>', 'at most so many rows', '20')
    .option('--json', 'one row a line');
  return addConnectionOptions(command);
}

function parseBucket(text: string): string {
  const bucketMs = parseDuration(text);
  if (bucketMs === undefined || bucketMs === 0) {
    throw usageError(`--bucket takes a duration such as 15m, 1h or 1d, not "${text}"`);
  }
  return text;
}

function drawCounts(
  context: CommandContext,
  by: readonly string[],
  options: CountOptions,
  { rows }: CountAnswer,
): readonly string[] {
  const columns: Column[] = [
    { title: 'COUNT', minWidth: 5, keep: 1, align: 'right' },
    ...(options.bucket === undefined ? [] : [{ title: 'FROM', minWidth: 20, keep: 2 }]),
    ...by.map((name, at) => ({ title: name.toUpperCase(), minWidth: 10, keep: 3 + at })),
  ];
  const cells = rows.map(({ values, bucket, count }) => [
    formatCount(count),
    ...(bucket === undefined ? [] : [formatTime(Date.parse(bucket))]),
    ...values.map((value) => value ?? '-'),
  ]);
  const [titles = '', ...lines] = drawTable(columns, cells, context.output.resultWidth());
  return [paint(titles, 'bold', context.output.resultColour), ...lines];
}

/** Runs `cairn count`. */
export async function count(
  context: CommandContext,
  options: CountOptions & FilterOptions,
): Promise<ExitCode> {
  const { output, signal } = context;
  const by = (options.by ?? []).map(countParameter);
  if (by.length > 3) throw usageError('--by may be given up to three times');
  const query = {
    ...filterQuery(options, context.clock.now()),
    ...(by.length > 0 ? { by } : {}),
    ...(options.bucket === undefined ? {} : { bucket: parseBucket(options.bucket) }),
    limit: String(parseCount(options.limit, '--limit', 100_000)),
  };
  const connection = connect(context, options);
  try {
    const answer = await connection.askJson<CountAnswer>({
      method: 'GET',
      path: '/_cairn/events/count',
      query,
      signal,
    });
    const lines = options.json
      ? answer.rows.map((row) => JSON.stringify(row))
      : drawCounts(context, by, options, answer);
    if (answer.rows.length === 0) output.note('No event matches.');
    else await output.result(`${lines.join('\n')}\n`);
    return exitCodes.ok;
  } finally {
    connection.close();
  }
}
