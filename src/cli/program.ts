import { Command, CommanderError } from 'commander';
import {
  createAccount,
  declareAccountsCreate,
  declareAccountsList,
  listAccounts,
} from './commands/accounts.ts';
import { count, declareCount } from './commands/count.ts';
import { declareDoctor, doctor } from './commands/doctor.ts';
import { declareEnv, printEnv } from './commands/env.ts';
import { declareExport, exportEvents } from './commands/export.ts';
import { declareImport, importFiles } from './commands/import.ts';
import { declareInsights, insights } from './commands/insights.ts';
import { declareLookup, lookup } from './commands/lookup.ts';
import { declareProve, prove } from './commands/prove.ts';
import { declareQuery, query } from './commands/query.ts';
import { declareRetention, retention } from './commands/retention.ts';
import { declareStart, start } from './commands/start.ts';
import { declareTail, tail } from './commands/tail.ts';
import { declareVerify, verify } from './commands/verify.ts';
import { addProofOptions, asksForProof, verifyProof } from './commands/verify-proof.ts';
import type { CommandContext } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';

/** What the help says at its end. */
const exitCodeHelp = `
Results go to standard output, everything else to standard error.
Exit codes: 0 done; 1 done, but something is wrong with the data; 2 wrong usage or setting;
3 the server cannot be reached or does not accept the caller; 4 the server failed; 130 interrupted.`;

/** Builds the command line. `finish` takes the exit code of the command that ran. */
function buildProgram(context: CommandContext, finish: (code: ExitCode) => void): Command {
  const { output, version } = context;
  const program = new Command('cairn')
    .description('The accountability layer of an account: every API call, in a tamper-evident journal.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'show this help')
    .addHelpText('after', exitCodeHelp)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void output.result(text).catch(() => undefined),
      writeErr: (text) => output.noteRaw(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'cairn: ')),
    });
  const command = (name: string, parent = program, options = {}) =>
    parent.command(name, options).helpOption('--help', 'show this help').copyInheritedSettings(program);

  declareStart(command('start')).action(async (options) => finish(await start(context, options)));
  declareEnv(command('env')).action(async (options) => finish(await printEnv(context, options)));
  declareImport(command('import')).action(async (paths: string[], options) =>
    finish(await importFiles(context, paths, options)),
  );
  declareLookup(command('lookup')).action(async (options) => finish(await lookup(context, options)));
  declareTail(command('tail')).action(async (options) => finish(await tail(context, options)));
  declareCount(command('count')).action(async (options) => finish(await count(context, options)));
  declareQuery(command('query')).action(async (statement: string, options) =>
    finish(await query(context, statement, options)),
  );
  declareExport(command('export')).action(async (options) => finish(await exportEvents(context, options)));
  declareInsights(command('insights')).action(async (options) => finish(await insights(context, options)));
  declareRetention(command('retention')).action(async (options) => finish(await retention(context, options)));
  declareProve(command('prove')).action(async (eventId: string, options) =>
    finish(await prove(context, eventId, options)),
  );
  addProofOptions(declareVerify(command('verify'))).action(async (place: string | undefined, options) =>
    finish(await (asksForProof(options) ? verifyProof(context, options) : verify(context, place, options))),
  );
  const accounts = command('accounts').description('list and create accounts');
  declareAccountsList(command('list', accounts, { isDefault: true })).action(async (options) =>
    finish(await listAccounts(context, options)),
  );
  declareAccountsCreate(command('create', accounts)).action(async (options) =>
    finish(await createAccount(context, options)),
  );
  declareDoctor(command('doctor')).action(async (options) => finish(await doctor(context, options)));
  command('version')
    .description('print the version')
    .action(async () => {
      await output.result(`${version}\n`);
      finish(exitCodes.ok);
    });
  return program;
}

/** Runs the command line (without the program's own name) and returns the exit code; errors of commands are thrown. */
export async function runProgram(context: CommandContext, args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = buildProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  return exitCode;
}
