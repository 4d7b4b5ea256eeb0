import { Command, CommanderError } from 'commander';
import type { CommandContext } from './context.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';

/** What the help says at its end. */
const exitCodeHelp = `
Results go to standard output, everything else to standard error.
Exit codes: 0 done; 1 done, but something is wrong with the data; 2 wrong usage or setting;
3 the server cannot be reached or does not accept the caller; 4 the server failed; 130 interrupted.`;

/** What a command is declared with. `finish` takes the exit code of the command that ran. */
interface Declaring {
  readonly context: CommandContext;
  readonly finish: (code: ExitCode) => void;
  readonly command: (name: string, parent?: Command) => Command;
}

/** The commands in the order of the help. Each is loaded when it is wanted: all of them take longer than many a run. */
const commands: Readonly<Record<string, (declaring: Declaring) => Promise<void>>> = {
  async start({ context, finish, command }) {
    const { declareStart, start } = await import('./commands/start.ts');
    declareStart(command('start')).action(async (options) => finish(await start(context, options)));
  },
  async env({ context, finish, command }) {
    const { declareEnv, printEnv } = await import('./commands/env.ts');
    declareEnv(command('env')).action(async (options) => finish(await printEnv(context, options)));
  },
  async import({ context, finish, command }) {
    const { declareImport, importFiles } = await import('./commands/import.ts');
    declareImport(command('import')).action(async (paths: string[], options) =>
      finish(await importFiles(context, paths, options)),
    );
  },
  async lookup({ context, finish, command }) {
    const { declareLookup, lookup } = await import('./commands/lookup.ts');
    declareLookup(command('lookup')).action(async (options) => finish(await lookup(context, options)));
  },
  async tail({ context, finish, command }) {
    const { declareTail, tail } = await import('./commands/tail.ts');
    declareTail(command('tail')).action(async (options) => finish(await tail(context, options)));
  },
  async count({ context, finish, command }) {
    const { declareCount, count } = await import('./commands/count.ts');
    declareCount(command('count')).action(async (options) => finish(await count(context, options)));
  },
  async query({ context, finish, command }) {
    const { declareQuery, query } = await import('./commands/query.ts');
    declareQuery(command('query')).action(async (statement: string, options) =>
      finish(await query(context, statement, options)),
    );
  },
  async export({ context, finish, command }) {
    const { declareExport, exportEvents } = await import('./commands/export.ts');
    declareExport(command('export')).action(async (options) => finish(await exportEvents(context, options)));
  },
  async insights({ context, finish, command }) {
    const { declareInsights, insights } = await import('./commands/insights.ts');
    declareInsights(command('insights')).action(async (options) => finish(await insights(context, options)));
  },
  async retention({ context, finish, command }) {
    const { declareRetention, retention } = await import('./commands/retention.ts');
    declareRetention(command('retention')).action(async (options) =>
      finish(await retention(context, options)),
    );
  },
  async prove({ context, finish, command }) {
    const { declareProve, prove } = await import('./commands/prove.ts');
    declareProve(command('prove')).action(async (eventId: string, options) =>
      finish(await prove(context, eventId, options)),
    );
  },
  async verify({ context, finish, command }) {
    const { declareVerify, verify } = await import('./commands/verify.ts');
    const { addProofOptions, asksForProof } = await import('./proof/proof-options.ts');
    addProofOptions(declareVerify(command('verify'))).action(async (place: string | undefined, options) => {
      if (!asksForProof(options)) return finish(await verify(context, place, options));
      const { verifyProof } = await import('./commands/verify-proof.ts');
      return finish(await verifyProof(context, options));
    });
  },
  async accounts({ context, finish, command }) {
    const { createAccount, declareAccountsCreate, declareAccountsList, listAccounts } =
      await import('./commands/accounts.ts');
    const accounts = command('accounts').description('list and create accounts; without a command, list');
    declareAccountsList(command('list', accounts)).action(async (options) =>
      finish(await listAccounts(context, options)),
    );
    declareAccountsCreate(command('create', accounts)).action(async (options) =>
      finish(await createAccount(context, options)),
    );
  },
  async doctor({ context, finish, command }) {
    const { declareDoctor, doctor } = await import('./commands/doctor.ts');
    declareDoctor(command('doctor')).action(async (options) => finish(await doctor(context, options)));
  },
  async version({ context, finish, command }) {
    command('version')
      .description('print the version')
      .action(async () => {
        await context.output.result(`${context.version}\n`);
        finish(exitCodes.ok);
      });
  },
};

/** Builds the command line: with the one command that is named first, else with all of them. */
async function buildProgram(
  context: CommandContext,
  named: string | undefined,
  finish: (code: ExitCode) => void,
): Promise<Command> {
  const { output, version } = context;
  const program = new Command('cairn')
    .description('The accountability layer of an account: every API call, in a tamper-evident journal.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'show this help')
    .addHelpText('after', exitCodeHelp)
    .showHelpAfterError('See `cairn --help`.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void output.result(text).catch(() => undefined),
      writeErr: (text) => output.noteRaw(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'cairn: ')),
    });
  const command: Declaring['command'] = (name, parent = program) =>
    parent
      .command(name)
      .helpOption('--help', 'show this help')
      .copyInheritedSettings(program)
      .showHelpAfterError(`See \`cairn ${parent === program ? name : `${parent.name()} ${name}`} --help\`.`);
  const wanted = named !== undefined && Object.hasOwn(commands, named) ? [named] : Object.keys(commands);
  for (const name of wanted) await commands[name]?.({ context, finish, command });
  return program;
}

/**
 * What commander does not know of our command line: `accounts` alone lists them, and help that is asked for of a command that is
 * none is a mistake in its name.
 */
function readArguments(args: readonly string[]): readonly string[] {
  const [first, second, ...others] = args;
  if (first === 'help' && second !== undefined && !Object.hasOwn(commands, second)) return [second];
  const isList = second === undefined || (second.startsWith('-') && second !== '--help');
  if (first === 'accounts' && isList) return ['accounts', 'list', ...args.slice(1)];
  if (first === 'accounts' && second === 'help') return ['accounts', ...others.slice(0, 1), '--help'];
  return args;
}

/** Runs the command line (without the program's own name) and returns the exit code; errors of commands are thrown. */
export async function runProgram(context: CommandContext, given: readonly string[]): Promise<ExitCode> {
  const args = readArguments(given);
  let exitCode: ExitCode = exitCodes.ok;
  const program = await buildProgram(context, args[0], (code) => {
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
