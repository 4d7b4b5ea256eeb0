import type { GetQueryResultsResponse, StartQueryResponse } from '@aws-sdk/client-cloudtrail';
import type { Command } from 'commander';
import type { Connection } from '../connection/connection.ts';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { CommandError, exitCodes, usageError, type ExitCode } from '../exit-codes.ts';
import { paint } from '../terminal/output.ts';
import { drawTable, type Column } from '../terminal/table.ts';

interface QueryOptions extends ConnectionOptions {
  readonly eventDataStore?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

type Row = readonly (readonly [name: string, value: string])[];

const rowsForTable = 10_000;
const firstPauseMs = 20;
const lastPauseMs = 1_000;

/** Declares `cairn query`. */
export function declareQuery(command: Command): Command {
  return addConnectionOptions(
    command
      .description('ask the events in SQL, as CloudTrail Lake takes it')
      .argument('<statement>', `such as "SELECT eventName, count(*) FROM events GROUP BY eventName"`)
      .option(
        '--event-data-store <id>',
        'what the statement means by FROM events (default: everything of the account)',
      )
      .option('--json', 'one row a line')
      .option('--csv', 'comma-separated values'),
  );
}

/** The statement with the event data store's id where it says `events`. */
export function withStore(statement: string, store: string | undefined): string {
  if (store === undefined) return statement;
  const id = store.split('/').at(-1) ?? '';
  if (!/^[-0-9a-f]{36}$/.test(id))
    throw usageError(`--event-data-store takes the id or ARN of one, not "${store}"`);
  // Texts and quoted names stay as they are.
  return statement.replaceAll(
    /'(?:[^']|'')*'|"(?:[^"]|"")*"|\b(FROM|JOIN)(\s+)events\b/gi,
    (all, word?: string, space?: string) => (word === undefined ? all : `${word}${space}${id}`),
  );
}

/** Calls an operation of CloudTrail's. */
type Ask = <T>(operation: string, input: object, signal?: AbortSignal) => Promise<T>;

const askOver =
  (connection: Connection): Ask =>
  (operation, input, signal) =>
    connection.askJson({
      method: 'POST',
      path: '/',
      service: 'cloudtrail',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `CloudTrail_20131101.${operation}`,
      },
      body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify(input)) },
      ...(signal && { signal }),
    });

/** Runs the statement and gives its pages, the first as soon as the query has ended. */
async function* pagesOf(
  ask: Ask,
  statement: string,
  { clock, signal }: CommandContext,
): AsyncIterable<readonly Row[]> {
  const { QueryId } = await ask<StartQueryResponse>('StartQuery', { QueryStatement: statement }, signal);
  let pauseMs = firstPauseMs;
  let NextToken: string | undefined;
  try {
    for (;;) {
      const page = await ask<GetQueryResultsResponse>('GetQueryResults', { QueryId, NextToken }, signal);
      if (page.QueryStatus === 'QUEUED' || page.QueryStatus === 'RUNNING') {
        await clock.sleep(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 1.5, lastPauseMs);
        continue;
      }
      if (page.QueryStatus !== 'FINISHED')
        throw new CommandError(
          `the query ${page.QueryStatus}: ${page.ErrorMessage ?? ''}`,
          exitCodes.problems,
        );
      yield (page.QueryResultRows ?? []).map((row) => row.flatMap((cell) => Object.entries(cell)));
      NextToken = page.NextToken;
      if (NextToken === undefined) return;
    }
  } finally {
    // Whoever stops waiting wants no engine to go on; a query that has ended says so, which is no news.
    if (signal.aborted) await ask('CancelQuery', { QueryId }).catch(() => undefined);
  }
}

function csvField(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const csvLine = (values: readonly string[]): string => `${values.map(csvField).join(',')}\n`;

async function showTable({ output }: CommandContext, pages: AsyncIterable<readonly Row[]>): Promise<void> {
  const rows: Row[] = [];
  for await (const page of pages) {
    rows.push(...page.slice(0, rowsForTable - rows.length));
    if (rows.length >= rowsForTable) break;
  }
  if (rows.length === 0) {
    output.note('No rows.');
    return;
  }
  const columns = (rows[0] ?? []).map(([name], at): Column => ({ title: name, minWidth: 8, keep: at + 1 }));
  const cells = rows.map((row) => row.map(([, value]) => value));
  const [titles = '', ...lines] = drawTable(columns, cells, output.resultWidth());
  await output.result(`${[paint(titles, 'bold', output.resultColour), ...lines].join('\n')}\n`);
  if (rows.length >= rowsForTable)
    output.note(`The first ${rowsForTable} rows are shown; --csv or --json shows all.`);
}

async function showLines(
  { output }: CommandContext,
  pages: AsyncIterable<readonly Row[]>,
  format: 'csv' | 'json',
): Promise<void> {
  let isFirst = true;
  for await (const rows of pages) {
    const [first] = rows;
    if (isFirst && first && format === 'csv') await output.result(csvLine(first.map(([name]) => name)));
    isFirst = false;
    const lines = rows.map((row) =>
      format === 'csv'
        ? csvLine(row.map(([, value]) => value))
        : `${JSON.stringify(Object.fromEntries(row))}\n`,
    );
    if (lines.length > 0) await output.result(lines.join(''));
  }
}

/** Runs `cairn query`. */
export async function query(
  context: CommandContext,
  statement: string,
  options: QueryOptions,
): Promise<ExitCode> {
  if (options.json && options.csv) throw usageError('--json and --csv exclude each other');
  const asked = withStore(statement, options.eventDataStore);
  const connection = connect(context, options);
  try {
    const pages = pagesOf(askOver(connection), asked, context);
    await (options.json || options.csv
      ? showLines(context, pages, options.csv ? 'csv' : 'json')
      : showTable(context, pages));
    return exitCodes.ok;
  } finally {
    connection.close();
  }
}
