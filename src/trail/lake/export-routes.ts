import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsFault } from '../../kernel/index.ts';
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

function partOf(query: URLSearchParams): ColumnsPart {
  const [owner, day] = [query.get('account') ?? '', query.get('day') ?? ''];
  if (!/^\d{12}$/.test(owner)) throw invalidRequest('The parameter account takes twelve digits.');
  if (!dayForm.test(day)) throw invalidRequest('The parameter day takes YYYY-MM-DD.');
  return { owner, values: { awsRegion: query.get('region') }, day, rows: 0 };
}

async function* thenRemoved(path: string): AsyncIterable<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * `GET /_cairn/lake/partitions` (what there is, by account, region and day; `from` and `to` in epoch milliseconds) and
 * `GET /_cairn/lake/partition` (one of them as a Parquet file). Principals of the management account see every account,
 * others their own.
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
        const part = partOf(request.query);
        if (accountId !== managementAccountId && part.owner !== accountId) {
          const text = `Principals of account ${accountId} may not export the events of account ${part.owner}.`;
          throw new AwsFault('AccessDenied', text, { status: 403 });
        }
        const path = join(directory, `${random.uuid()}.parquet`);
        try {
          await columns.writePart(await viewFor(part.owner), part, path, request.signal);
        } catch (error) {
          await rm(path, { force: true });
          throw error;
        }
        return {
          status: 200,
          headers: { 'content-type': 'application/vnd.apache.parquet' },
          body: thenRemoved(path),
        };
      },
    },
  ];
}
