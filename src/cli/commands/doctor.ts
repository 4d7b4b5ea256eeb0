import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { readLines } from '../connection/lines.ts';
import type { Connection } from '../connection/connection.ts';
import {
  addConnectionOptions,
  connect,
  dataDirectory,
  type CommandContext,
  type ConnectionOptions,
} from '../context.ts';
import { drawCheck, sumUp, type Check } from '../doctor/check.ts';
import { checkDirectory } from '../doctor/directory-checks.ts';
import {
  askStatus,
  checkClock,
  checkHealth,
  checkNewestEvent,
  checkStatus,
} from '../doctor/server-checks.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';

interface DoctorOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** Declares `cairn doctor`. */
export function declareDoctor(command: Command): Command {
  command
    .description('check the data directory and the server, and say what to do')
    .option('--json', 'one check a line, as JSON');
  return addConnectionOptions(
    command,
    'data directory that is checked, and whose credentials are used when AWS has none',
  );
}

async function newestEventTime(connection: Connection, signal: AbortSignal): Promise<number | undefined> {
  const { body } = await connection.ask({
    method: 'GET',
    path: '/_cairn/events',
    query: { format: 'ndjson', limit: '1' },
    signal,
  });
  for await (const line of readLines(body)) {
    const { eventTime } = JSON.parse(line.toString('utf8')) as { eventTime?: unknown };
    return typeof eventTime === 'string' ? Date.parse(eventTime) : undefined;
  }
  return undefined;
}

async function checkServer(context: CommandContext, connection: Connection): Promise<readonly Check[]> {
  const { clock, signal } = context;
  const { checks: health, serverTimeMs } = await checkHealth(connection, signal);
  const checks: Check[] = [...health, checkClock(clock.now(), serverTimeMs)];
  if (health.some(({ level }) => level !== 'ok')) return checks;
  const status = await askStatus(connection, signal);
  if ('level' in status) return [...checks, status];
  const newest = checkNewestEvent(await newestEventTime(connection, signal), clock.now());
  return [...checks, ...(newest ? [newest] : []), ...checkStatus(status)];
}

/** `--endpoint`, else AWS_ENDPOINT_URL, else where the server of this data directory said that it listens. */
async function endpointOf(options: DoctorOptions, env: NodeJS.ProcessEnv): Promise<DoctorOptions> {
  if (options.endpoint !== undefined || env['AWS_ENDPOINT_URL']) return options;
  const written = await readFile(join(dataDirectory(options, env), 'endpoint'), 'utf8').catch(
    () => undefined,
  );
  return written === undefined ? options : { ...options, endpoint: written.trim() };
}

function missing(data: string, named: boolean): Check {
  return {
    level: named ? 'fail' : 'warn',
    name: 'data',
    finding: `${resolve(data)} does not exist`,
    advice: 'start Cairn once, or name its data directory with --data; the server is asked all the same',
  };
}

/** Runs `cairn doctor`. */
export async function doctor(context: CommandContext, options: DoctorOptions): Promise<ExitCode> {
  const { env, output } = context;
  const data = dataDirectory(options, env);
  const checks: Check[] = [];
  const say = async (found: readonly Check[]) => {
    checks.push(...found);
    if (found.length === 0) return;
    const lines = found.map((check) =>
      options.json ? JSON.stringify(check) : drawCheck(check, output.resultColour),
    );
    await output.result(`${lines.join('\n')}\n`);
  };
  const directory = await checkDirectory(data);
  await say(directory?.checks ?? [missing(data, options.data !== undefined || Boolean(env['CAIRN_DATA']))]);
  if (directory?.held === false) {
    const { checkStopped } = await import('../doctor/stopped-checks.ts');
    for await (const found of checkStopped(data, context)) await say(found);
  }
  const connection = connect(context, await endpointOf(options, env));
  try {
    await say(await checkServer(context, connection));
  } finally {
    connection.close();
  }
  if (!options.json) output.note(sumUp(checks));
  return checks.some(({ level }) => level === 'fail') ? exitCodes.problems : exitCodes.ok;
}
