import { readBody, ConnectionLostError, type Connection } from '../connection/connection.ts';
import { accessFailure, readFailure } from '../connection/failures.ts';
import { CommandError } from '../exit-codes.ts';
import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../terminal/figures.ts';
import type { Check } from './check.ts';

interface Health {
  readonly status: string;
  readonly version: string;
  readonly uptimeSeconds: number;
}

/** What `GET /_cairn/status` answers. */
export interface ServerStatus {
  readonly time: string;
  readonly problems: readonly string[];
  readonly damage: readonly string[];
  readonly measurements: {
    readonly readers: readonly { readonly stream: string; readonly name: string; readonly lag: number }[];
    readonly disk: { readonly freeBytes: number; readonly totalBytes: number };
    readonly journalBytes: number;
    readonly journalFailure?: string;
    readonly history: { readonly events: number; readonly segments: number; readonly sizeBytes: number };
    readonly unindexed: number;
    /** What parts say is wrong with them; servers of before may say nothing. */
    readonly partProblems?: readonly string[];
  };
}

/** SigV4 refuses requests whose clock is further off than this. */
const skewFailMs = 15 * 60_000;
const skewWarnMs = 2 * 60_000;
const lagWarnEntries = 10_000;
const lagFailEntries = 1_000_000;

/** Asks for health, which needs no signature; the answer's Date header tells the server's clock. */
export async function checkHealth(
  connection: Connection,
  signal: AbortSignal,
): Promise<{ readonly checks: readonly Check[]; readonly serverTimeMs: number | undefined }> {
  const at = connection.endpoint.origin;
  try {
    const answer = await connection.send({
      method: 'GET',
      path: '/_cairn/health',
      unsigned: true,
      idleMs: 10_000,
      signal,
    });
    const bytes = await readBody(answer.body);
    const failure = readFailure(answer.status, answer.headers, bytes);
    // One that only a restart helps answers 503, and its status says why.
    const isHealth = answer.status === 200 || (answer.status === 503 && failure.code === undefined);
    if (!isHealth) throw accessFailure(failure, undefined);
    const health = JSON.parse(bytes.toString('utf8')) as Health;
    const finding = `${at}, version ${health.version}, up for ${formatDuration(health.uptimeSeconds * 1000)}`;
    const date = Date.parse(String(answer.headers['date']));
    return {
      checks: [{ level: 'ok', name: 'server', finding }],
      serverTimeMs: Number.isNaN(date) ? undefined : date,
    };
  } catch (error) {
    signal.throwIfAborted();
    // What to do stands in the message's second sentence, which the advice repeats for all failures alike.
    const [first = ''] = (error as Error).message.split(/\. /);
    const finding = error instanceof ConnectionLostError ? first : `${at}: ${first}`;
    const advice = 'start it, or name its address with --endpoint';
    return { checks: [{ level: 'fail', name: 'server', finding, advice }], serverTimeMs: undefined };
  }
}

/** Compares this machine's clock with the server's. */
export function checkClock(nowMs: number, serverTimeMs: number | undefined): Check {
  const name = 'clock';
  const written = new Date(nowMs).toISOString();
  if (nowMs < Date.UTC(2026, 0, 1)) {
    return {
      level: 'fail',
      name,
      finding: `it says ${written}`,
      advice: 'set the clock; run a time service',
    };
  }
  if (serverTimeMs === undefined) return { level: 'ok', name, finding: written };
  const skewMs = Math.abs(nowMs - serverTimeMs);
  // The Date header has whole seconds.
  if (skewMs < skewWarnMs) return { level: 'ok', name, finding: `${written}, as the server's` };
  return {
    level: skewMs >= skewFailMs ? 'fail' : 'warn',
    name,
    finding: `${formatDuration(skewMs)} ${nowMs > serverTimeMs ? 'ahead of' : 'behind'} the server's`,
    advice: 'run a time service on both machines: signatures are refused from 15 minutes on',
  };
}

/** Says whether the newest event lies in the future, which a wrong clock of its source or of ours explains. */
export function checkNewestEvent(newestMs: number | undefined, nowMs: number): Check | undefined {
  if (newestMs === undefined || newestMs - nowMs < skewWarnMs) return undefined;
  return {
    level: 'warn',
    name: 'clock',
    finding: `the newest event is of ${new Date(newestMs).toISOString()}, ${formatDuration(newestMs - nowMs)} from now`,
    advice: 'set the clock of this machine, or of the one that the event came from',
  };
}

function checkReaders({ readers }: ServerStatus['measurements']): readonly Check[] {
  return readers.map(({ stream, name, lag }) => {
    const finding = `${name} of ${stream}: ${lag === 0 ? 'up to date' : `${formatNumberOf(lag, 'entry', 'entries')} behind`}`;
    if (lag < lagWarnEntries) return { level: 'ok', name: 'reader', finding };
    return {
      level: lag < lagFailEntries ? 'warn' : 'fail',
      name: 'reader',
      finding,
      advice:
        'ask again in a minute: a lag that does not shrink means that the reader fails, which the log explains',
    };
  });
}

/** What a part says is wrong with it: with the log of proofs and its witnesses, or with the certificate. */
function checkPart(problem: string): Check {
  if (problem.startsWith('TAMPERING: ')) {
    return {
      level: 'fail',
      name: 'tampering',
      finding: problem.slice('TAMPERING: '.length),
      advice:
        'unless you put an older copy in place yourself, keep the data directory as it is as evidence, and find out who wrote to it',
    };
  }
  return { level: 'warn', name: 'problem', finding: problem, advice: 'the log has the details' };
}

/** Turns what the server says of itself into checks. */
export function checkStatus(status: ServerStatus): readonly Check[] {
  const { measurements } = status;
  const { history, journalBytes, unindexed, disk } = measurements;
  const checks: Check[] = [...checkReaders(measurements)];
  checks.push({
    level: 'ok',
    name: 'history',
    finding: `${formatNumberOf(history.events, 'event')} in ${formatNumberOf(history.segments, 'segment')}, ${formatBytes(history.sizeBytes)}; journal ${formatBytes(journalBytes)}; ${formatBytes(disk.freeBytes)} free`,
  });
  if (measurements.journalFailure !== undefined) {
    checks.push({
      level: 'fail',
      name: 'journal',
      finding: `calls that write fail: ${measurements.journalFailure}`,
      advice: 'check the disk, and restart Cairn, which checks the file',
    });
  }
  for (const damage of status.damage) {
    checks.push({
      level: 'fail',
      name: 'damage',
      finding: damage,
      advice: 'copy the data directory away, check the disk, and restore the file from a backup',
    });
  }
  if (status.damage.length === 0)
    checks.push({ level: 'ok', name: 'damage', finding: 'none met since the start' });
  checks.push(...(measurements.partProblems ?? []).map(checkPart));
  if (unindexed > 0) {
    checks.push({
      level: 'warn',
      name: 'records',
      finding: `${formatCount(unindexed)} records of the journal could not be indexed`,
      advice: 'the log names them; they stay in the journal',
    });
  }
  return checks;
}

/** Asks the server for its status; what keeps it from answering is itself a finding. */
export async function askStatus(connection: Connection, signal: AbortSignal): Promise<ServerStatus | Check> {
  try {
    return await connection.askJson<ServerStatus>({
      method: 'GET',
      path: '/_cairn/status',
      idleMs: 10_000,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandError)) throw error;
    return {
      level: 'fail',
      name: 'status',
      finding: error.message.split('\n')[0] ?? '',
      advice: 'use credentials that may call cairn:GetStatus, such as those of `cairn env`',
    };
  }
}
