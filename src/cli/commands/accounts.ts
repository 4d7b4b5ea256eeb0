import type { Command } from 'commander';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { drawTable, type Column } from '../terminal/table.ts';
import { formatTime } from '../terminal/figures.ts';

interface ListOptions extends ConnectionOptions {
  readonly json?: boolean;
}

interface CreateOptions extends ConnectionOptions {
  readonly name: string;
  readonly accountId?: string;
  readonly email?: string;
  readonly json?: boolean;
}

/** An account, as `/_cairn/accounts` answers it. */
interface Account {
  readonly accountId: string;
  readonly name: string;
  readonly email?: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly management: boolean;
  readonly alias?: string;
}

interface CreatedAccount {
  readonly account: Account;
  readonly rootKey: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const path = '/_cairn/accounts';
const columns: readonly Column[] = [
  { title: 'ACCOUNT', minWidth: 12, keep: 1 },
  { title: 'NAME', minWidth: 8, keep: 1 },
  { title: 'ALIAS', minWidth: 6, keep: 4 },
  { title: 'EMAIL', minWidth: 10, keep: 5 },
  { title: 'CREATED', minWidth: 20, keep: 3 },
  { title: 'ROLE', minWidth: 10, keep: 2 },
];

/** Declares `cairn accounts list`. */
export function declareAccountsList(command: Command): Command {
  command.description('list the accounts').option('--json', 'one account a line, as JSON');
  return addConnectionOptions(command);
}

/** Declares `cairn accounts create`. */
export function declareAccountsCreate(command: Command): Command {
  command
    .description('create an account and print its root key, once')
    .requiredOption('--name <name>', '1 to 50 characters')
    .option('--account-id <id>', 'twelve digits (default: drawn at random)')
    .option('--email <address>', "the owner's address")
    .option('--json', 'as JSON');
  return addConnectionOptions(command);
}

/** Runs `cairn accounts list`. */
export async function listAccounts(context: CommandContext, options: ListOptions): Promise<ExitCode> {
  const { output, signal } = context;
  const connection = connect(context, options);
  try {
    const { accounts } = await connection.askJson<{ accounts: readonly Account[] }>({
      method: 'GET',
      path,
      signal,
    });
    const rows = accounts.map((account) => [
      account.accountId,
      account.name,
      account.alias ?? '-',
      account.email ?? '-',
      formatTime(Date.parse(account.createdAt)),
      account.management ? 'management' : 'member',
    ]);
    const lines = options.json
      ? accounts.map((account) => JSON.stringify(account))
      : drawTable(columns, rows, output.resultWidth());
    await output.result(`${lines.join('\n')}\n`);
    return exitCodes.ok;
  } finally {
    connection.close();
  }
}

/** Runs `cairn accounts create`. The root key comes as a profile for the AWS credentials file. */
export async function createAccount(context: CommandContext, options: CreateOptions): Promise<ExitCode> {
  const { output, signal } = context;
  const { name, accountId, email } = options;
  const connection = connect(context, options);
  try {
    const created = await connection.askJson<CreatedAccount>({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json' },
      body: { kind: 'bytes', bytes: Buffer.from(JSON.stringify({ name, accountId, email })) },
      signal,
    });
    const { account, rootKey } = created;
    const profile = [
      `[cairn-${account.accountId}]`,
      `aws_access_key_id = ${rootKey.accessKeyId}`,
      `aws_secret_access_key = ${rootKey.secretAccessKey}`,
    ];
    await output.result(options.json ? `${JSON.stringify(created)}\n` : `${profile.join('\n')}\n`);
    output.note(`Account ${account.accountId} is created. Its root key is shown this once.`);
    return exitCodes.ok;
  } finally {
    connection.close();
  }
}
