import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { findEndpoint } from '../connection/endpoint.ts';
import { readIfPresent, readSharedProfile } from '../connection/shared-file.ts';
import { dataDirectory, type CommandContext } from '../context.ts';
import { CommandError, exitCodes, type ExitCode } from '../exit-codes.ts';

interface EnvOptions {
  readonly data?: string;
  readonly endpoint?: string;
}

/** Declares `cairn env`. */
export function declareEnv(command: Command): Command {
  return command
    .description('print the export lines that point a shell at this Cairn: eval "$(npx cairn env)"')
    .option('--data <directory>', 'the data directory (else CAIRN_DATA, else ./data)')
    .option('--endpoint <url>', "the server's address (else what the server wrote into its data directory)");
}

/** The text as one word of a POSIX shell, whatever stands in it. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * Runs `cairn env`. A session token or a profile left over in the shell would be mixed with the root key, hence the
 * `unset`.
 */
export async function printEnv(context: CommandContext, options: EnvOptions): Promise<ExitCode> {
  const data = dataDirectory(options, context.env);
  const file = resolve(join(data, 'credentials'));
  const text = await readIfPresent(file);
  const profile = text === undefined ? undefined : readSharedProfile(text, 'default');
  if (!profile) {
    const reason =
      text === undefined
        ? `${resolve(data)} is no data directory of Cairn: it has no file credentials`
        : `${file} holds no [default] profile`;
    throw new CommandError(
      `${reason}. Start Cairn with \`npm start\`, or name its data directory with --data or CAIRN_DATA.`,
      exitCodes.noAccess,
    );
  }
  const written = options.endpoint ?? (await readIfPresent(join(data, 'endpoint')))?.trim();
  const endpoint = findEndpoint(written, {});
  const region = profile.region ?? (context.env['CAIRN_REGION'] || 'us-east-1');
  const variables = {
    AWS_ENDPOINT_URL: endpoint.origin,
    AWS_ACCESS_KEY_ID: profile.accessKeyId,
    AWS_SECRET_ACCESS_KEY: profile.secretAccessKey,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
  };
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  await context.output.result(`${exports.join('\n')}\nunset AWS_SESSION_TOKEN AWS_PROFILE\n`);
  return exitCodes.ok;
}
