import type { Command } from 'commander';
import type { Connection, Query } from '../connection/connection.ts';
import { ConnectionLostError } from '../connection/connection.ts';
import { readServerSentEvents } from '../connection/server-sent-events.ts';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { addFilterOptions, filterQuery, type FilterOptions } from '../event-filter.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { pauseMs } from '../import/retry.ts';
import { drawRecord, loadReadCells, recordColumns, usualLayout } from '../record-rows.ts';
import { paint } from '../terminal/output.ts';
import { layOut } from '../terminal/table.ts';
import { neutralise } from '../terminal/text.ts';
import { parseCount } from '../times.ts';

interface TailOptions extends ConnectionOptions {
  readonly limit?: string;
  readonly json?: boolean;
}

/** Declares `cairn tail`. */
export function declareTail(command: Command): Command {
  addFilterOptions(command.description('show events as they are recorded, until Ctrl-C'), false)
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
  readonly query: Query;
  readonly signal: AbortSignal;
  readonly show: ShowRecord;
  /** Told what of the journal could not be shown, as the server words it. */
  showGap(data: string): void;
  lastEventId: string | undefined;
  /** Events that are still wanted. */
  left: number;
}

/** Follows one connection until it ends; says whether it brought anything. */
async function followOnce(follow: Follow, onOpen: () => void): Promise<boolean> {
  const { connection, query, signal } = follow;
  const { body } = await connection.ask({
    method: 'GET',
    path: '/_cairn/events/tail',
    query,
    headers: {
      accept: 'text/event-stream',
      ...(follow.lastEventId === undefined ? {} : { 'last-event-id': follow.lastEventId }),
    },
    signal,
  });
  onOpen();
  let brought = false;
  try {
    const onId = (id: string) => {
      follow.lastEventId = id;
    };
    for await (const event of readServerSentEvents(body, onId)) {
      brought = true;
      if (event.id !== undefined) onId(event.id);
      if (event.event === 'gap') {
        follow.showGap(event.data);
        continue;
      }
      await follow.show(event.data);
      if (--follow.left <= 0) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ECONNRESET' && code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  } finally {
    body.destroy();
  }
  return brought;
}

/** Runs `cairn tail`. A lost connection is taken up again where it broke off. */
export async function tail(context: CommandContext, options: TailOptions & FilterOptions): Promise<ExitCode> {
  const { output, clock, random, signal } = context;
  const connection = connect(context, options);
  const follow: Follow = {
    connection,
    query: filterQuery(options, clock.now()),
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
        if (await followOnce(follow, onOpen)) failures = 0;
        if (follow.left <= 0) break;
        output.note('the connection ended; connecting again');
      } catch (error) {
        if (!opened || !(error instanceof ConnectionLostError)) throw error;
        if (failures === 1) output.note(`${error.message} Trying again.`);
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
