import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import {
  countBuffersWithObjects,
  DiskFullError,
  openLog,
  readSettings,
  unknownSettings,
  saysNoRoom,
  SettingError,
  type Logger,
  type Settings,
  type Timer,
} from '../../kernel/index.ts';
import type { CommandContext } from '../context.ts';
import { CommandError, exitCodes, usageError, type ExitCode } from '../exit-codes.ts';

interface StartOptions {
  readonly listen?: string;
  readonly data?: string;
}

/** The server has this long to finish what it accepted. */
const closeWithinMs = 10_000;

/** Declares `cairn start`. */
export function declareStart(command: Command): Command {
  return command
    .description('run the server')
    .option(
      '--listen <host:port>',
      'where to listen; port 0 picks a free one (else CAIRN_LISTEN, else 127.0.0.1:4747)',
    )
    .option('--data <directory>', 'the data directory, made if it is missing (else CAIRN_DATA, else ./data)');
}

function settingsFrom(env: NodeJS.ProcessEnv, options: StartOptions): Settings {
  try {
    return readSettings(env, options);
  } catch (error) {
    if (error instanceof SettingError) throw usageError(error.message);
    throw error;
  }
}

/** Errors of the parts whose message is meant for the person who starts Cairn. */
const plainErrors = new Set([
  'DirectoryHeldError',
  'DataDirectoryError',
  'MasterKeyError',
  'StateLostError',
  'StateUnreadableError',
]);

const plainCodes = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST']);

/** Failures that say all there is to say in their message; a stack would only hide it. */
function explainOpenFailure(error: unknown, settings: Settings): CommandError | undefined {
  const { code, message, name } = error as NodeJS.ErrnoException;
  const { host, port } = settings.listen;
  if (error instanceof SettingError) return new CommandError(message, exitCodes.usage, { cause: error });
  if (code === 'EADDRINUSE') {
    const what = `${host}:${port} is taken by another process`;
    return new CommandError(
      `${what}: stop that, or choose another address with --listen`,
      exitCodes.problems,
      { cause: error },
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new CommandError(`this machine has no address ${host}`, exitCodes.usage, { cause: error });
  }
  if (saysNoRoom(error) || error instanceof DiskFullError) {
    const what = `no room on the disk of ${resolve(settings.data)}`;
    return new CommandError(`${what}: make room, then start again (${message})`, exitCodes.problems, {
      cause: error,
    });
  }
  if (plainErrors.has(name) || (code !== undefined && plainCodes.has(code))) {
    return new CommandError(message, exitCodes.problems, { cause: error });
  }
  return undefined;
}

/** What ends the process at once, said in the log first: after an unforeseen error nothing may be taken for granted. */
function crashOnUncaught(log: Logger): void {
  const crash = (kind: string) => (error: unknown) => {
    log.fatal({ err: error }, kind);
    log.flush();
    process.exit(exitCodes.problems);
  };
  process.on('uncaughtException', crash('uncaught error'));
  process.on('unhandledRejection', crash('unhandled rejection'));
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => {
    signal.addEventListener('abort', () => done(), { once: true });
  });
}

/** From the signal on, also when that comes before everything is open, the process has its time to end, and ends then anyway. */
function closeInTime({ signal, clock }: CommandContext, log: Logger): Disposable {
  let timer: Timer | undefined;
  const begin = () => {
    timer = clock.after(closeWithinMs, () => {
      log.error('not everything could be finished in time');
      log.flush();
      process.exit(exitCodes.problems);
    });
  };
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return {
    [Symbol.dispose]() {
      signal.removeEventListener('abort', begin);
      timer?.cancel();
    },
  };
}

/** Runs `cairn start`: until SIGTERM or SIGINT, then closes. */
export async function start(context: CommandContext, options: StartOptions): Promise<ExitCode> {
  const { output, clock, random, version, signal } = context;
  const settings = settingsFrom(context.env, options);
  const log = openLog(settings.logLevel);
  crashOnUncaught(log);
  // Whatever is written is for the owner alone, also by the libraries that make files themselves.
  process.umask(0o077);
  countBuffersWithObjects();
  using _ = closeInTime(context, log);
  const { openServer } = await import('../../server.ts');
  const server = await openServer(settings, {
    log,
    clock,
    random,
    version: context.version,
  }).catch((error: unknown) => {
    throw explainOpenFailure(error, settings) ?? error;
  });
  await output.result(`Cairn ${version} listens at ${server.endpoint}\n`);
  const credentials = resolve(join(settings.data, 'credentials'));
  // Whoever followed the README has moved the root key to a safe place by now.
  if (existsSync(credentials)) await output.result(`credentials: ${credentials}\n`);
  const unknown = unknownSettings(context.env).map(
    (name) => `${name} is no setting of Cairn, and is not used`,
  );
  for (const problem of [...server.problems, ...unknown]) await output.result(`problem: ${problem}\n`);
  await untilAborted(signal);
  await server.close();
  return exitCodes.ok;
}
