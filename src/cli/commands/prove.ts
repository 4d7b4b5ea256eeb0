import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import {
  checkedTiles,
  checkProof,
  formatProof,
  NoteError,
  openCheckpoint,
  openTileProofs,
  parseVerifierKey,
  readText,
} from '../../trail/proofs/index.ts';
import { readBody, type Connection } from '../connection/connection.ts';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { CommandError, exitCodes, type ExitCode } from '../exit-codes.ts';
import { logOfServer, tilesOf, type ReadLogFile } from '../proof/log-source.ts';

interface ProveOptions extends ConnectionOptions {
  readonly output?: string;
  readonly record?: string;
}

/** Tiles that are fetched at once. */
const sockets = 8;

/** Declares `cairn prove`. */
export function declareProve(command: Command): Command {
  command
    .description('write a proof that an event is in the log, which anybody can check without the server')
    .argument('<event-id>', 'the eventID of the event')
    .option('--output <file>', 'the proof (default EVENT-ID.tlog-proof)')
    .option('--record <file>', "the record's own bytes; without it they are printed");
  return addConnectionOptions(command);
}

/** The record's bytes as they were received. */
async function findRecord(connection: Connection, eventId: string, signal: AbortSignal): Promise<Buffer> {
  const query = { eventId, format: 'ndjson', limit: '1' };
  const { body } = await connection.ask({ method: 'GET', path: '/_cairn/events', query, signal });
  const bytes = await readBody(body);
  if (bytes.length === 0)
    throw new CommandError(`there is no event ${eventId}, or none that you may see`, exitCodes.problems);
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

/** Makes the proof of a leaf from the log's files, and checks it as whoever gets it will. */
async function makeProof(readLog: ReadLogFile, index: number, record: Uint8Array) {
  const entry = createHash('sha256').update(record).digest();
  const key = parseVerifierKey(readText(await readLog('key')).trim());
  const checkpoint = readText(await readLog('checkpoint'));
  const head = openCheckpoint(checkpoint, key);
  const hashes = await openTileProofs(checkedTiles(tilesOf(readLog), head), head.size).inclusion(index);
  const text = formatProof({ entry, index, hashes, checkpoint });
  return { text, proven: checkProof(text, { key, record }) };
}

/** Runs `cairn prove`. */
export async function prove(
  context: CommandContext,
  eventId: string,
  options: ProveOptions,
): Promise<ExitCode> {
  const { output, signal } = context;
  const file = options.output ?? `${eventId.replaceAll(/[^\w-]/g, '_')}.tlog-proof`;
  const connection = connect(context, options, sockets);
  try {
    const record = await findRecord(connection, eventId, signal);
    const sha256 = createHash('sha256').update(record).digest('hex');
    const { index } = await connection.askJson<{ readonly index: number }>({
      method: 'GET',
      path: '/_cairn/tlog-leaf',
      query: { sha256 },
      signal,
    });
    const { text, proven } = await makeProof(logOfServer(connection, signal), index, record);
    await writeFile(file, text);
    if (options.record === undefined) await output.result(Buffer.concat([record, Buffer.from('\n')]));
    else await writeFile(options.record, record);
    const { origin, size } = proven.checkpoint;
    output.note(`${file}: the event is entry ${index} of ${size} in the log ${origin}.`);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new CommandError(`the log of the server does not hold: ${error.message}`, exitCodes.problems, {
      cause: error,
    });
  } finally {
    connection.close();
  }
}
