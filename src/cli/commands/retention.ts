import type { Command } from 'commander';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { exitCodes, usageError, type ExitCode } from '../exit-codes.ts';
import { formatNumberOf } from '../terminal/figures.ts';
import { drawTable, type Column } from '../terminal/table.ts';
import { parseCount } from '../times.ts';

interface RetentionOptions extends ConnectionOptions {
  readonly accountId?: string;
  readonly days?: string;
  readonly json?: boolean;
}

/** What `GET /_cairn/retention` answers; null keeps events for good. */
interface RetentionAnswer {
  readonly defaultDays: number | null;
  readonly accounts: readonly { readonly accountId: string; readonly days: number | null }[];
}

const path = '/_cairn/retention';
const mostDays = 36_500;
const columns: readonly Column[] = [
  { title: 'ACCOUNT', minWidth: 12, keep: 1 },
  { title: 'KEPT', minWidth: 8, keep: 2 },
];

/** Declares `cairn retention`. */
export function declareRetention(command: Command): Command {
  command
    .description('show, or set with --account-id and --days, how long the event history keeps events')
    .option('--account-id <id>', 'the account whose events it is about')
    .option('--days <days>', 'days that they are kept, or "forever"')
    .option('--json', 'as JSON');
  return addConnectionOptions(command);
}

function kept(days: number | null): string {
  return days === null ? 'for good' : formatNumberOf(days, 'day');
}

/** Runs `cairn retention`. */
export async function retention(context: CommandContext, options: RetentionOptions): Promise<ExitCode> {
  const { output, signal } = context;
  const { accountId, days, json } = options;
  if ((accountId === undefined) !== (days === undefined)) {
    throw usageError('--account-id and --days go together');
  }
  const connection = connect(context, options);
  try {
    if (accountId !== undefined && days !== undefined) {
      const wanted = days === 'forever' ? null : parseCount(days, '--days', mostDays);
      const body = {
        kind: 'bytes',
        bytes: Buffer.from(JSON.stringify({ accountId, days: wanted })),
      } as const;
      await connection.askJson({ method: 'POST', path, body, signal });
    }
    const answer = await connection.askJson<RetentionAnswer>({ method: 'GET', path, signal });
    if (json) {
      await output.result(`${JSON.stringify(answer)}\n`);
      return exitCodes.ok;
    }
    const rows = [
      ...answer.accounts.map((account) => [account.accountId, kept(account.days)]),
      ['all others', kept(answer.defaultDays)],
    ];
    await output.result(`${drawTable(columns, rows, output.resultWidth()).join('\n')}\n`);
    return exitCodes.ok;
  } finally {
    connection.close();
  }
}
