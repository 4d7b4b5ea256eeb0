import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * PostgreSQL 15 as Debian packages it, in a cluster of its own on a socket in a temporary directory, filled by COPY.
 * It is given the attributes already taken out of the records, so it does less work than Cairn does.
 */
const binaries = '/usr/lib/postgresql/15/bin';
export const hasPostgres = existsSync(join(binaries, 'postgres'));

const schema = `
  CREATE TABLE events (
    event_id uuid, event_time timestamptz, event_name text, read_only bool, username text, event_source text,
    access_key_id text, resource_names text[], resource_types text[], error_code text, source_ip text, principal_arn text,
    principal_type text, account_id text, region text, category text, event_type text, raw text);`;

/** The attributes that Cairn indexes, each with the time, because the newest are asked for. */
const indexed = [
  'event_name',
  'read_only',
  'username',
  'event_source',
  'access_key_id',
  'source_ip',
  'principal_arn',
  'principal_type',
  'account_id',
  'region',
  'category',
  'event_type',
];
const indexes = `
  CREATE UNIQUE INDEX ON events (event_id);
  CREATE INDEX ON events (event_time);
  ${indexed.map((column) => `CREATE INDEX ON events (${column}, event_time);`).join('\n  ')}
  CREATE INDEX ON events (error_code, event_time) WHERE error_code IS NOT NULL;
  CREATE INDEX ON events USING gin (resource_names);
  CREATE INDEX ON events USING gin (resource_types);`;

export interface PostgresPeer extends AsyncDisposable {
  /** Rows in COPY's text format; resolves when they are committed. */
  copy(rows: AsyncIterable<string>): Promise<void>;
  /** Runs SQL and gives what psql prints, unaligned. */
  query(sql: string): string;
  /** Runs SQL `times` times in one session and gives the milliseconds that psql's \timing measured for each. */
  time(sql: string, times: number): readonly number[];
  /** Bytes of the table with its indexes and TOAST. */
  sizeBytes(): number;
}

function asPostgres(command: string, ...parameters: string[]): string {
  const outcome = spawnSync(
    'su',
    ['postgres', '-s', '/bin/sh', '-c', `${command} "$@"`, '--', 'sh', ...parameters],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      cwd: tmpdir(),
    },
  );
  if (outcome.status !== 0) throw new Error(`${command}: ${outcome.stderr}`);
  return outcome.stdout;
}

/** Starts the cluster and makes the table with its indexes. Needs root, to become the user `postgres`. */
export async function openPostgres(): Promise<PostgresPeer> {
  const home = mkdtempSync(join(tmpdir(), 'bench-postgres-'));
  const uid = Number(spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout);
  chownSync(home, uid, uid);
  const data = join(home, 'data');
  asPostgres(`${binaries}/initdb`, '-D', data, '-E', 'UTF8', '--locale=C', '-A', 'trust');
  asPostgres(
    `${binaries}/pg_ctl`,
    '-D',
    data,
    '-w',
    '-l',
    join(home, 'log'),
    'start',
    '-o',
    `-c listen_addresses= -k ${home} -c shared_buffers=1GB -c max_wal_size=8GB -c maintenance_work_mem=512MB`,
  );
  const psql = ['-h', home, '-U', 'postgres', '-X', '-q', '-v', 'ON_ERROR_STOP=1'];
  const run = (parameters: readonly string[], input = ''): string => {
    const outcome = spawnSync('psql', [...psql, ...parameters], {
      encoding: 'utf8',
      input,
      maxBuffer: 1 << 28,
    });
    if (outcome.status !== 0) throw new Error(outcome.stderr);
    return outcome.stdout;
  };
  run([], schema + indexes);
  return {
    async copy(rows) {
      const child = spawn('psql', [...psql, '-c', 'COPY events FROM STDIN'], {
        stdio: ['pipe', 'inherit', 'inherit'],
      });
      const ended = once(child, 'exit') as Promise<[number | null]>;
      await pipeline(Readable.from(rows), child.stdin);
      const [code] = await ended;
      if (code !== 0) throw new Error(`COPY failed with ${code}`);
    },
    query: (sql) => run(['-A', '-t', '-c', sql]).trim(),
    time(sql, times) {
      const script = `\\timing on\n${`${sql.trim().replace(/;?$/, ';')}\n`.repeat(times)}`;
      return [...run(['-A', '-t', '-o', '/dev/null'], script).matchAll(/^Time: ([\d.]+) ms/gm)].map((match) =>
        Number(match[1]),
      );
    },
    sizeBytes: () => Number(run(['-A', '-t', '-c', `SELECT pg_total_relation_size('events')`])),
    async [Symbol.asyncDispose]() {
      asPostgres(`${binaries}/pg_ctl`, '-D', data, '-w', '-m', 'immediate', 'stop');
      rmSync(home, { recursive: true, force: true });
      await Promise.resolve();
    },
  };
}

interface ParsedRecord {
  readonly [name: string]: unknown;
  readonly userIdentity?: {
    readonly userName?: string;
    readonly accessKeyId?: string;
    readonly principalId?: string;
    readonly arn?: string;
    readonly type?: string;
  };
  readonly resources?: readonly { readonly ARN?: string; readonly type?: string }[];
}

function escapeText(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}

function cell(value: unknown): string {
  return typeof value === 'string' || typeof value === 'boolean' ? escapeText(String(value)) : '\\N';
}

function listCell(texts: readonly (string | undefined)[]): string {
  const quoted = texts.flatMap((text) =>
    text === undefined ? [] : [`"${text.replaceAll(/["\\]/g, '\\$&')}"`],
  );
  return escapeText(`{${quoted.join(',')}}`);
}

/** One row in COPY's text format from a CloudTrail record. */
export function copyRow(record: string): string {
  const event = JSON.parse(record) as ParsedRecord;
  const { userIdentity: who, resources = [] } = event;
  return `${[
    cell(event['eventID']),
    cell(event['eventTime']),
    cell(event['eventName']),
    cell(event['readOnly']),
    cell(who?.userName ?? who?.principalId),
    cell(event['eventSource']),
    cell(who?.accessKeyId),
    listCell(resources.map(({ ARN }) => ARN)),
    listCell(resources.map(({ type }) => type)),
    cell(event['errorCode']),
    cell(event['sourceIPAddress']),
    cell(who?.arn),
    cell(who?.type),
    cell(event['recipientAccountId']),
    cell(event['awsRegion']),
    cell(event['eventCategory']),
    cell(event['eventType']),
    escapeText(record),
  ].join('\t')}\n`;
}
