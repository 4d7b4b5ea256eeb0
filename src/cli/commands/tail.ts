import type { Command } from 'commander';
import type { Connection, Query } from '../connection/connection.ts';
import { AnswerBrokenError, ConnectionLostError } from '../connection/connection.ts';
import { readLines } from '../connection/lines.ts';
import { readServerSentEvents } from '../connection/server-sent-events.ts';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { addFilterOptions, filterQuery, type FilterOptions } from '../event-filter.ts';
import { CommandError, exitCodes, type ExitCode } from '../exit-codes.ts';
import { pauseMs } from '../import/retry.ts';
import { drawRecord, loadReadCells, recordColumns, usualLayout } from '../record-rows.ts';
import { paint, type Output } from '../terminal/output.ts';
import { layOut } from '../terminal/table.ts';
import { neutralise } from '../terminal/text.ts';
import { parseCount } from '../times.ts';

interface TailOptions extends ConnectionOptions {
  readonly limit?: string;
  readonly json?: boolean;
}

/** Events that are shown of the time before. */
const mostHistory = 1_000;

/** Declares `cairn tail`. */
export function declareTail(command: Command): Command {
  addFilterOptions(command.description('show events as they are recorded, until Ctrl-C'), 'start')
    .option('--limit <count>', 'end after so many events')
    .option('--json', 'one raw record a line, as it was received');
  return addConnectionOptions(command);
}

type ShowRecord = (raw: string) => Promise<void>;

async function openTable({ output }: CommandContext): Promise<ShowRecord> {
  const readCells = await loadReadCells();
  const width = output.resultWidth();
  const cut = width !== undefined;
  const layout = usualLayout((row) => layOut(recordColumns, [row], width));
  let titled = false;
  return async (raw) => {
    const cells = readCells(Buffer.from(raw));
    const line = paint(drawRecord(layout, cells, cut), 'red', cells[5] !== '-' && output.resultColour);
    const titles = recordColumns.map((column) => column.title);
    const head = titled ? '' : `${paint(drawRecord(layout, titles, cut), 'bold', output.resultColour)}\n`;
    titled = true;
    await output.result(`${head}${line}\n`);
  };
}

interface Follow {
  readonly connection: Connection;
  /** The filter, without a time. */
  readonly query: Query;
  /** ISO 8601: the history from here on is shown first, at the first connection. */
  from: string | undefined;
  readonly signal: AbortSignal;
  readonly show: ShowRecord;
  /** Told what of the journal could not be shown, as the server words it. */
  showGap(data: string): void;
  lastEventId: string | undefined;
  /** Events that are still wanted. */
  left: number;
}

function eventIdOf(raw: string): unknown {
  return (JSON.parse(raw) as { readonly eventID?: unknown }).eventID;
}

async function show(follow: Follow, raw: string): Promise<void> {
  await follow.show(raw);
  follow.left--;
}

/**
 * Shows what is in the history since `from`, oldest first; returns the ids of those events. Asked for once the tail is
 * open, so that nothing falls between the two; what is in both is shown once.
 */
async function showHistory(follow: Follow, from: string, output: Output): Promise<Set<unknown>> {
  const { connection, query, signal } = follow;
  const { body } = await connection.ask({
    method: 'GET',
    path: '/_cairn/events',
    query: { ...query, from, format: 'ndjson', limit: String(mostHistory) },
    signal,
  });
  const lines = await Array.fromAsync(readLines(body), String);
  const records = lines.filter((line) => line !== '').toReversed();
  if (records.length === mostHistory)
    output.note(`only the newest ${mostHistory} of the time before are shown`);
  for (const raw of records) if (follow.left > 0) await show(follow, raw);
  return new Set(records.map(eventIdOf));
}

/** Follows one connection until it ends; says whether it brought anything. */
async function followOnce(follow: Follow, output: Output, onOpen: () => void): Promise<boolean> {
  const { connection, query, signal, from } = follow;
  const last = follow.lastEventId;
  const { body } = await connection.ask({
    method: 'GET',
    path: '/_cairn/events/tail',
    query,
    headers: { accept: 'text/event-stream', ...(last === undefined ? {} : { 'last-event-id': last }) },
    signal,
  });
  onOpen();
  let brought = false;
  const onId = (id: string) => {
    follow.lastEventId = id;
  };
  try {
    const shown = from === undefined ? new Set() : await showHistory(follow, from, output);
    follow.from = undefined;
    if (follow.left <= 0) return true;
    for await (const event of readServerSentEvents(body, onId)) {
      brought = true;
      if (event.id !== undefined) onId(event.id);
      if (event.event === 'gap') follow.showGap(event.data);
      else if (shown.size === 0 || !shown.delete(eventIdOf(event.data))) await show(follow, event.data);
      if (follow.left <= 0) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof AnswerBrokenError)) throw error;
  } finally {
    body.destroy();
  }
  return brought;
}

/** The server is away, or on its way out or in. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof ConnectionLostError ||
    (error instanceof CommandError && error.exitCode === exitCodes.serverFailed)
  );
}

/** Runs `cairn tail`. A lost connection is taken up again where it broke off. */
export async function tail(context: CommandContext, options: TailOptions & FilterOptions): Promise<ExitCode> {
  const { output, clock, random, signal } = context;
  const connection = connect(context, options, 2);
  const { from, ...query } = filterQuery(options, clock.now());
  const follow: Follow = {
    connection,
    query,
    from: typeof from === 'string' ? from : undefined,
    signal,
    show: options.json ? (raw) => output.result(`${raw.replaceAll('\n', ' ')}\n`) : await openTable(context),
    showGap: (data) => output.note(neutralise(`not shown: ${data}`)),
    lastEventId: undefined,
    left: options.limit === undefined ? Infinity : parseCount(options.limit, '--limit', 1_000_000_000),
  };
  let opened = false;
  const onOpen = () => {
    output.note(opened ? 'connected again' : `following ${connection.endpoint.origin}; Ctrl-C ends`);
    opened = true;
  };
  try {
    for (let failures = 0; follow.left > 0; failures++) {
      try {
        if (await followOnce(follow, output, onOpen)) failures = 0;
        if (follow.left <= 0) break;
        output.note('the connection ended; connecting again');
      } catch (error) {
        if (!opened || !isPassing(error)) throw error;
        if (failures === 1) output.note(`${(error as Error).message} Trying again.`);
      }
      await clock.sleep(pauseMs(failures, random, undefined), signal);
    }
    return exitCodes.ok;
  } catch (error) {
    // Ctrl-C is how this command is meant to end.
    if (signal.aborted) return exitCodes.ok;
    throw error;
  } finally {
    connection.close();
  }
}
