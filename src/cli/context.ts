import type { Command } from 'commander';
import type { Clock, Random } from '../kernel/index.ts';
import { openConnection, type Connection } from './connection/connection.ts';
import { findCredentials } from './connection/credentials.ts';
import { findEndpoint, findRegion } from './connection/endpoint.ts';
import type { Output } from './terminal/output.ts';

/** What every command is given. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by Ctrl-C and SIGTERM, and when the reader of the results has gone. */
  readonly signal: AbortSignal;
  readonly version: string;
}

/** The options by which a command finds its server and who it is. */
export interface ConnectionOptions {
  readonly endpoint?: string;
  readonly profile?: string;
  readonly data?: string;
}

/** The data directory: `--data`, else CAIRN_DATA, else ./data. */
export function dataDirectory(options: { readonly data?: string }, env: NodeJS.ProcessEnv): string {
  return options.data ?? (env['CAIRN_DATA'] || './data');
}

/** Declares the options of a command that talks to the server. `dataHelp` says what else the data directory is to it. */
export function addConnectionOptions(
  command: Command,
  dataHelp = 'data directory whose credentials are used when AWS has none',
): Command {
  return command
    .option('--endpoint <url>', 'the server (else AWS_ENDPOINT_URL, else http://127.0.0.1:4747)')
    .option('--profile <name>', 'profile of the AWS configuration files to sign with')
    .option('--data <directory>', `${dataHelp} (else CAIRN_DATA, else ./data)`);
}

/** Opens the way to the server for a command; whoever calls closes it. */
export function connect(context: CommandContext, options: ConnectionOptions, sockets = 1): Connection {
  const { env, clock, version } = context;
  let credentials: ReturnType<typeof findCredentials> | undefined;
  return openConnection({
    endpoint: findEndpoint(options.endpoint, env),
    credentials: () =>
      (credentials ??= findCredentials({
        env,
        profile: options.profile,
        data: dataDirectory(options, env),
      })),
    region: findRegion(env),
    clock,
    version,
    caFile: env['AWS_CA_BUNDLE'] || undefined,
    sockets,
  });
}
