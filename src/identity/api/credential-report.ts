import type { GenerateCredentialReportResponse, GetCredentialReportResponse } from '@aws-sdk/client-iam';
import { AwsFault } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import { rootArn, userArn } from '../arns.ts';
import {
  keys,
  read,
  type AccessKeyDocument,
  type AccountDocument,
  type LastUsedDocument,
  type UserDocument,
} from '../documents.ts';
import { onEverything } from '../needs.ts';
import type { IdentityOperation, Nothing } from '../operation.ts';

/** A report is asked for first and fetched then; it is good for four hours ("Getting credential reports"). */
const reportMs = 4 * 3_600_000;

interface ReportRequest {
  /** Epoch milliseconds. */
  readonly generatedAt: number;
}

const columns = [
  'user',
  'arn',
  'user_creation_time',
  'password_enabled',
  'password_last_used',
  'password_last_changed',
  'password_next_rotation',
  'mfa_active',
  ...[1, 2].flatMap((number) => [
    `access_key_${number}_active`,
    `access_key_${number}_last_rotated`,
    `access_key_${number}_last_used_date`,
    `access_key_${number}_last_used_region`,
    `access_key_${number}_last_used_service`,
  ]),
  'cert_1_active',
  'cert_1_last_rotated',
  'cert_2_active',
  'cert_2_last_rotated',
];

const timeText = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19)}+00:00`;

/** The five columns of an access key, or of none. */
async function keyColumns(view: StateView, accessKeyId: string | undefined): Promise<readonly string[]> {
  const key =
    accessKeyId === undefined ? undefined : await read<AccessKeyDocument>(view, keys.accessKey(accessKeyId));
  if (!key) return ['false', 'N/A', 'N/A', 'N/A', 'N/A'];
  const used = await read<LastUsedDocument>(view, keys.accessKeyLastUsed(key.accessKeyId));
  return [
    String(key.status === 'Active'),
    timeText(key.createdAt),
    used ? timeText(used.time) : 'N/A',
    used?.region ?? 'N/A',
    used?.service ?? 'N/A',
  ];
}

async function row(
  view: StateView,
  name: string,
  arn: string,
  owner: { readonly createdAt: number; readonly accessKeyIds: readonly string[] },
): Promise<string> {
  const noPassword = ['false', 'N/A', 'N/A', 'N/A', 'false'];
  const noCertificates = ['false', 'N/A', 'false', 'N/A'];
  const [first, second] = owner.accessKeyIds;
  const values = [
    name,
    arn,
    timeText(owner.createdAt),
    ...noPassword,
    ...(await keyColumns(view, first)),
    ...(await keyColumns(view, second)),
    ...noCertificates,
  ];
  return values.map((value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',');
}

async function report(view: StateView, accountId: string): Promise<string> {
  const rows = [columns.join(',')];
  const account = await read<AccountDocument>(view, keys.account(accountId));
  if (account) rows.push(await row(view, '<root_account>', rootArn(accountId), account));
  for (const { value: user } of await view.list<UserDocument>(keys.user(accountId))) {
    rows.push(await row(view, user.name, userArn(accountId, user.path, user.name), user));
  }
  return rows.join('\n');
}

export const GenerateCredentialReport: IdentityOperation<Nothing, GenerateCredentialReportResponse> = {
  access: 'write',
  needs: () => onEverything('iam:GenerateCredentialReport'),
  async handle(_input, call, change) {
    const key = keys.credentialReport(call.accountId);
    const earlier = await read<ReportRequest>(change, key);
    if (earlier && call.time - earlier.generatedAt < reportMs) return { State: 'COMPLETE' };
    change.put(key, { generatedAt: call.time } satisfies ReportRequest);
    return { State: 'STARTED', Description: 'No report exists. Starting a new report generation task' };
  },
};

/**
 * The report is made when it is fetched, so it shows the account as it is now, and says so: GeneratedTime is the time of
 * the call. It must have been asked for in the last four hours all the same, as clients expect.
 */
export const GetCredentialReport: IdentityOperation<Nothing, GetCredentialReportResponse> = {
  access: 'read',
  needs: () => onEverything('iam:GetCredentialReport'),
  async handle(_input, call, change) {
    const asked = await read<ReportRequest>(change, keys.credentialReport(call.accountId));
    if (!asked) {
      throw new AwsFault(
        'CredentialReportNotPresentException',
        'Report is not present. Please use GenerateCredentialReport to generate one.',
      );
    }
    if (call.time - asked.generatedAt >= reportMs) {
      throw new AwsFault(
        'CredentialReportExpiredException',
        'The most recent credential report has expired. Please use GenerateCredentialReport to generate a new one.',
      );
    }
    return {
      Content: Buffer.from(await report(change, call.accountId)),
      ReportFormat: 'text/csv',
      GeneratedTime: new Date(Math.floor(call.time / 1000) * 1000),
    };
  },
};
