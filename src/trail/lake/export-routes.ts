import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsFault, limits } from '../../kernel/index.ts';
import {
  invalidRequest,
  jsonAnswer,
  type Call,
  type HttpRoute,
  type RouteRequest,
} from '../../wire/index.ts';
import type { ColumnsPart } from '../../store/index.ts';
import { retentionOf, type LakeParts } from './lake-parts.ts';
import type { LakeReader } from './lake-reader.ts';
import { viewOfEverything } from './store-view.ts';

export interface ExportOptions extends LakeParts {
  readonly reader: LakeReader;
  /** For the files while they are sent. */
  readonly directory: string;
}

const dayForm = /^\d{4}-\d{2}-\d{2}$/;

function callOf({ call }: RouteRequest): Call {
  if (!call) throw new AwsFault('AccessDenied', 'This path needs a signed request.', { status: 403 });
  return call;
}

function timeParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const time = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(time))
    throw invalidRequest(`The parameter ${name} takes epoch milliseconds, not "${text}".`);
  return time;
}

/** The region of events that name none, as Hive writes it. */
const noRegion = '__HIVE_DEFAULT_PARTITION__';

function partsOf(query: URLSearchParams): readonly Omit<ColumnsPart, 'rows'>[] {
  const [owner, day, regions] = [query.get('account') ?? '', query.get('day') ?? '', query.getAll('region')];
  if (!/^\d{12}$/.test(owner)) throw invalidRequest('The parameter account takes twelve digits.');
  if (!dayForm.test(day)) throw invalidRequest('The parameter day takes YYYY-MM-DD.');
  if (regions.length === 0 || regions.length > limits.exportRegions)
    throw invalidRequest(`The parameter region is given once to ${limits.exportRegions} times.`);
  return regions.map((region) => ({
    owner,
    day,
    values: { awsRegion: region === noRegion ? null : region },
  }));
}

/** The files one behind the other; gone when they have been read, or nobody reads them any more. */
async function* thenRemoved(directory: string, paths: readonly string[]): AsyncIterable<Uint8Array> {
  try {
    for (const path of paths) yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * `GET /_cairn/lake/partitions` (what there is, by account, region and day; `from` and `to` in epoch milliseconds) and
 * `GET /_cairn/lake/partition` (those of an account and a day, for each `region` asked for a Parquet file, one behind the
 * other; the header `cairn-file-sizes` says how many bytes each has). Principals of the management account see every
 * account, others their own.
 */
export function exportRoutes(options: ExportOptions): readonly HttpRoute[] {
  const { columns, reader, directory, managementAccountId, clock, random } = options;
  const viewFor = async (accountId: string) => {
    const days = await retentionOf(options.state, accountId, options.defaultRetentionDays);
    return viewOfEverything(accountId, clock.now(), days);
  };
  return [
    {
      method: 'GET',
      path: '/_cairn/lake/partitions',
      operationName: 'ListPartitions',
      access: 'read',
      async handle(request) {
        const { accountId } = callOf(request);
        const [from, to] = [timeParameter(request.query, 'from'), timeParameter(request.query, 'to')];
        await reader.flush(request.signal);
        const owners = accountId === managementAccountId ? columns.owners() : [accountId];
        const range = {
          by: ['awsRegion'],
          ...(from !== undefined && { from }),
          ...(to !== undefined && { to }),
        };
        const partitions = [];
        for (const owner of owners) {
          for (const part of await columns.parts(await viewFor(owner), range, request.signal)) {
            const { day, rows, values } = part;
            partitions.push({ account: owner, region: values['awsRegion'], day, events: rows });
          }
        }
        return jsonAnswer({ partitions });
      },
    },
    {
      method: 'GET',
      path: '/_cairn/lake/partition',
      operationName: 'ExportPartition',
      access: 'read',
      async handle(request) {
        const { accountId } = callOf(request);
        const parts = partsOf(request.query);
        const owner = parts[0]?.owner ?? '';
        if (accountId !== managementAccountId && owner !== accountId) {
          const text = `Principals of account ${accountId} may not export the events of account ${owner}.`;
          throw new AwsFault('AccessDenied', text, { status: 403 });
        }
        const folder = join(directory, random.uuid());
        const files = parts.map((part, at) => ({ ...part, into: join(folder, `${at}.parquet`) }));
        const paths = files.map(({ into }) => into);
        await mkdir(folder, { mode: 0o700 });
        try {
          await columns.writeParts(await viewFor(owner), files, request.signal);
          const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
          return {
            status: 200,
            headers: {
              'content-type': 'application/octet-stream',
              'cairn-file-sizes': sizes.join(','),
            },
            body: thenRemoved(folder, paths),
          };
        } catch (error) {
          await rm(folder, { recursive: true, force: true });
          throw error;
        }
      },
    },
  ];
}
