import type { Command } from 'commander';
import { readLines } from '../connection/lines.ts';
import type { Query } from '../connection/connection.ts';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { addFilterOptions, filterQuery, type FilterOptions } from '../event-filter.ts';
import { exitCodes, usageError, type ExitCode } from '../exit-codes.ts';
import { drawRecord, loadReadCells, recordColumns } from '../record-rows.ts';
import { paint } from '../terminal/output.ts';
import { layOut } from '../terminal/table.ts';
import { parseCount } from '../times.ts';

interface LookupOptions extends ConnectionOptions {
  readonly limit?: string;
  readonly all?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** Rows that are read before the table is laid out; later ones are cut to the same widths. */
const rowsForLayout = 500;
const defaultLimit = 50;
const mostEvents = 1_000_000_000;

/** Declares `cairn lookup`. */
export function declareLookup(command: Command): Command {
  addFilterOptions(command.description('search the event history, newest first'), 'stretch')
    .option('--limit <count>', `at most so many events (default ${defaultLimit})`)
    .option('--all', 'every event that matches')
    .option('--json', 'one raw record a line, as it was received')
    .option('--csv', 'comma-separated values');
  return addConnectionOptions(command);
}

function limitOf(options: LookupOptions): number | undefined {
  if (options.all && options.limit !== undefined) throw usageError('--all and --limit exclude each other');
  if (options.all) return undefined;
  return options.limit === undefined ? defaultLimit : parseCount(options.limit, '--limit', mostEvents);
}

async function showTable(context: CommandContext, records: AsyncIterable<Uint8Array>): Promise<number> {
  const { output } = context;
  const readCells = await loadReadCells();
  const width = output.resultWidth();
  const cut = width !== undefined;
  let waiting: (readonly string[])[] = [];
  let layout: ReturnType<typeof layOut> | undefined;
  let count = 0;
  const show = async () => {
    if (waiting.length === 0) return;
    const lines: string[] = [];
    if (!layout) {
      layout = layOut(recordColumns, waiting, width);
      const titles = drawRecord(
        layout,
        recordColumns.map(({ title }) => title),
        cut,
      );
      lines.push(paint(titles, 'bold', output.resultColour));
    }
    for (const cells of waiting) {
      const failed = cells[5] !== '-';
      lines.push(paint(drawRecord(layout, cells, cut), 'red', failed && output.resultColour));
    }
    waiting = [];
    await output.result(`${lines.join('\n')}\n`);
  };
  for await (const raw of records) {
    if (raw.length === 0) continue;
    count++;
    waiting.push(readCells(raw));
    if (waiting.length >= rowsForLayout) await show();
  }
  await show();
  return count;
}

/** Runs `cairn lookup`. */
export async function lookup(
  context: CommandContext,
  options: LookupOptions & FilterOptions,
): Promise<ExitCode> {
  const { output, signal } = context;
  if (options.json && options.csv) throw usageError('--json and --csv exclude each other');
  const limit = limitOf(options);
  const query: Query = {
    ...filterQuery(options, context.clock.now()),
    format: options.csv ? 'csv' : 'ndjson',
    ...(limit === undefined ? {} : { limit: String(limit) }),
  };
  const connection = connect(context, options);
  try {
    const { body } = await connection.ask({ method: 'GET', path: '/_cairn/events', query, signal });
    if (options.csv || options.json) {
      for await (const chunk of body as AsyncIterable<Uint8Array>) await output.result(chunk);
      return exitCodes.ok;
    }
    const count = await showTable(context, readLines(body));
    if (count === 0) output.note('No event matches.');
    else if (count === limit && options.limit === undefined) {
      output.note(`The newest ${count} are shown; --limit or --all shows more.`);
    }
    return exitCodes.ok;
  } finally {
    connection.close();
  }
}
