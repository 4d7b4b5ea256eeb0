import { AwsFault, DiskFullError, limits, OverloadError, type Clock } from '../../kernel/index.ts';
import type { Stream } from '../../journal/index.ts';
import type { Change, State } from '../../state/index.ts';
import { LogFailedError } from '../../store/index.ts';
import {
  invalidRequest,
  type Call,
  type HttpRoute,
  type RouteAnswer,
  type RouteRequest,
} from '../../wire/index.ts';
import { unlessGone } from '../client-gone.ts';
import type { HistoryReader } from '../history-reader.ts';
import { auditTime } from '../recording/user-identity.ts';
import { appendRecords } from './append-records.ts';
import { openByteBudget, type ByteBudget } from './byte-budget.ts';
import type { FileParsers } from './file-parsers.ts';
import type { BadRecord, ParsedLogFile } from './parse-log-file.ts';

/** What `POST /_cairn/import` answers once every good record of a file is durable and searchable. */
export interface ImportSummary {
  readonly sha256: string;
  /** Good records. */
  readonly events: number;
  readonly added: number;
  readonly duplicates: number;
  /** How many records could not be taken. */
  readonly bad: number;
  /** The first hundred of them: their place in the file, from 0, and what is wrong. */
  readonly problems: readonly BadRecord[];
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** ISO 8601; absent without records. */
  readonly from?: string;
  readonly to?: string;
  /** The same file was imported before; the counts are those of that time. */
  readonly alreadyImported?: true;
}

export interface ImportOptions {
  readonly state: State;
  readonly stream: Stream;
  readonly historyReader: Pick<HistoryReader, 'countGroup'>;
  readonly parsers: FileParsers;
  readonly clock: Clock;
  /** The account whose principals may import. */
  readonly managementAccountId: string;
}

const keyPrefix = 'trail/imported-files/';
const hashesPerCheck = 1_000;

function refuseOthers(call: Call | undefined, managementAccountId: string, what: string): void {
  if (call?.accountId === managementAccountId) return;
  const text = `Only principals of the management account ${managementAccountId} may ${what}.`;
  throw new AwsFault('AccessDenied', text, { status: 403 });
}

function busy(): AwsFault {
  const text = `${limits.importFilesInFlight} log files are being imported already. Try again in a moment.`;
  return new AwsFault('ServiceUnavailable', text, { status: 503 });
}

function whyNotTaken(error: unknown): string | undefined {
  if (error instanceof DiskFullError) return 'the disk is full';
  if (error instanceof OverloadError) return 'too much is being written';
  return error instanceof LogFailedError ? 'the disk failed: Cairn has to be started again' : undefined;
}

/** What the caller is told when the journal does not take the file. */
function notTaken(error: unknown): unknown {
  const why = whyNotTaken(error);
  if (why === undefined) return error;
  return new AwsFault(
    'ServiceUnavailable',
    `The log file cannot be taken now because ${why}. Try again later.`,
    {
      status: 503,
      cause: error,
    },
  );
}

async function collect(body: AsyncIterable<Uint8Array>, mostBytes: number): Promise<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > mostBytes) {
      const text = `The log file is larger than ${mostBytes / 1024 / 1024} MiB.`;
      throw new AwsFault('InvalidLogFile', text, { status: 422, members: { reason: text } });
    }
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole.buffer;
}

function json(value: unknown, recorded?: unknown): RouteAnswer {
  const headers = { 'content-type': 'application/json' };
  return {
    status: 200,
    headers,
    body: `${JSON.stringify(value)}\n`,
    ...(recorded !== undefined && { recorded }),
  };
}

function summaryOf(
  file: ParsedLogFile,
  { added, duplicates }: { readonly added: number; readonly duplicates: number },
): ImportSummary {
  return {
    sha256: file.sha256,
    events: file.spans.length / 2,
    added,
    duplicates,
    bad: file.badCount,
    problems: file.bad,
    accounts: file.accounts,
    regions: file.regions,
    ...(file.from !== undefined && { from: auditTime(file.from) }),
    ...(file.to !== undefined && { to: auditTime(file.to) }),
  };
}

/** Whether a file is wanted although it was imported before. */
function isAgain({ query }: RouteRequest): boolean {
  const value = query.get('again');
  if (value !== null && value !== 'true')
    throw invalidRequest(`The parameter again takes true, not "${value}".`);
  return value !== null;
}

async function importFile(
  options: ImportOptions,
  budget: ByteBudget,
  request: RouteRequest,
  change: Pick<Change, 'put'>,
): Promise<ImportSummary> {
  const { state, parsers } = options;
  const again = isAgain(request);
  const body = await collect(request.body, limits.importFileBytes);
  // How far a gzip file unpacks is known afterwards only; log files were seen to unpack about twelvefold.
  using reservation = await budget.reserve(Math.min(limits.importUnpackedBytes, body.byteLength * 16));
  const file = await parsers.parse(body);
  if (file.kind === 'broken') {
    const text = `This is no CloudTrail log file: ${file.reason}.`;
    throw new AwsFault('InvalidLogFile', text, { status: 422, members: { reason: file.reason } });
  }
  reservation.set(file.bytes.byteLength);
  const before = await state.get<ImportSummary>(keyPrefix + file.sha256);
  if (before && !again) return { ...before.value, alreadyImported: true };
  const summary = summaryOf(file, await appendRecords({ ...options, signal: request.signal }, file));
  change.put(keyPrefix + file.sha256, summary);
  return summary;
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

async function readHashes(body: AsyncIterable<Uint8Array>): Promise<readonly string[]> {
  const bytes = await collect(body, 1024 * 1024);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value) || value.length > hashesPerCheck || !value.every(isHash)) {
    const text = `The body must be a JSON list of at most ${hashesPerCheck} SHA-256 values in hexadecimal.`;
    throw new AwsFault('ValidationException', text, { status: 400 });
  }
  return value;
}

/**
 * `POST /_cairn/import` (one CloudTrail log file, as it is, as the body; one that was imported before is taken again with
 * `?again=true`) and `POST /_cairn/import/check` (which of these files were imported completely, so that they need not be
 * sent again). For the management account's principals.
 */
export function importRoutes(options: ImportOptions): readonly HttpRoute<Change>[] {
  const { state, managementAccountId } = options;
  const budget = openByteBudget(limits.importHeldBytes);
  let inFlight = 0;
  return [
    {
      method: 'POST',
      path: '/_cairn/import',
      operationName: 'ImportEvents',
      access: 'write',
      async handle(request, change) {
        refuseOthers(request.call, managementAccountId, 'import events');
        if (inFlight >= limits.importFilesInFlight) throw busy();
        inFlight++;
        try {
          const summary = await unlessGone(request.signal, importFile(options, budget, request, change));
          const { problems: _, ...recorded } = summary;
          return json(summary, recorded);
        } catch (error) {
          throw notTaken(error);
        } finally {
          inFlight--;
        }
      },
    },
    {
      method: 'POST',
      path: '/_cairn/import/check',
      operationName: 'CheckImportedFiles',
      access: 'read',
      async handle(request) {
        refuseOthers(request.call, managementAccountId, 'see what was imported');
        const hashes = await readHashes(request.body);
        const known = await Promise.all(hashes.map((sha256) => state.get<ImportSummary>(keyPrefix + sha256)));
        // A file with records that could not be taken is sent again, so that they are named again.
        return json({ imported: hashes.filter((_, index) => known[index]?.value.bad === 0) });
      },
    },
  ];
}
