import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import { AwsFault, limits } from '../../../kernel/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { placeOf, tokenFor } from '../../api/lookup-token.ts';
import { openTables } from '../lake-parts.ts';
import { queriesPrefix, queryKey, readQuery, type QueryDocument } from '../query-documents.ts';
import { translate, type Translation } from '../sql/index.ts';
import { readStore, storeArn, storeIdOf, everythingId } from '../store-documents.ts';
import { onStore } from './event-data-stores.ts';
import { invalidParameter, pageOf, unsupported } from './lake-operation.ts';
import type { Given, LakeOperation, LakeOperationParts } from './lake-operation.ts';

function refuseOtherOwner(owner: string | undefined, { accountId }: Call): void {
  if (owner !== undefined && owner !== accountId)
    throw new AwsFault(
      'EventDataStoreNotFoundException',
      `No event data store of account ${owner} is shared with account ${accountId}.`,
    );
}

function refuseAlias(input: {
  readonly QueryAlias?: string | undefined;
  readonly QueryParameters?: readonly string[] | undefined;
}): void {
  if (input.QueryAlias !== undefined || input.QueryParameters !== undefined)
    throw unsupported(
      'QueryAlias and QueryParameters belong to dashboards, which are not supported; give a QueryStatement.',
    );
}

async function translated(statement: string, call: Call, parts: LakeOperationParts): Promise<Translation> {
  const tables = await openTables(parts, call, call.time);
  return translate(statement, tables.find, { nowMs: call.time });
}

/** The ids of the event data stores that a statement reads; those of the view, not what the statement calls them. */
async function storeIdsOf(
  statement: string,
  call: Call,
  parts: LakeOperationParts,
): Promise<readonly string[]> {
  const translation = await translated(statement, call, parts);
  if (translation.kind === 'refused') {
    const place = `line ${translation.line}:${translation.column}`;
    throw new AwsFault('InvalidQueryStatementException', `${place}: ${translation.message}`);
  }
  const tables = await openTables(parts, call, call.time);
  return [...new Set(translation.eventDataStoreIds.flatMap((id) => tables.viewOf(id)?.name ?? []))];
}

async function checkStores(ids: readonly string[], call: Call, parts: LakeOperationParts): Promise<void> {
  for (const id of ids) {
    if (id === everythingId) continue;
    const store = await readStore(parts.state, id, call);
    if (store.deletedAt !== undefined)
      throw new AwsFault(
        'InactiveEventDataStoreException',
        `The event data store ${store.arn} is pending deletion.`,
      );
  }
}

async function checkDelivery(uri: string, parts: LakeOperationParts): Promise<void> {
  const [, bucket = ''] = /^s3:\/\/([^/]+)/.exec(uri) ?? [];
  if (!parts.buckets || !parts.signingKeyFor)
    throw unsupported('DeliveryS3Uri is not supported: there is no S3 here.');
  if ((await parts.buckets.find(bucket)) === undefined)
    throw new AwsFault('S3BucketDoesNotExistException', `There is no bucket ${bucket}.`);
}

/** StartQuery: translates the statement, refusing by name what is not supported, and leaves it to the runner. */
export const StartQuery: LakeOperation<CloudTrail.StartQueryRequest, CloudTrail.StartQueryResponse> = {
  access: 'write',
  async needs(input, call, parts) {
    const anywhere = [
      { action: 'cloudtrail:StartQuery', resource: storeArn(call.accountId, call.region, '*') },
    ];
    if (input.QueryStatement === undefined) return anywhere;
    const translation = await translated(input.QueryStatement, call, parts);
    if (translation.kind === 'refused') return anywhere;
    const ids = await storeIdsOf(input.QueryStatement, call, parts);
    return Promise.all(ids.map((id) => onStore('StartQuery', id, call, parts.state)));
  },
  async handle(input, call, change, parts) {
    refuseAlias(input);
    refuseOtherOwner(input.EventDataStoreOwnerAccountId, call);
    if (input.QueryStatement === undefined) throw invalidParameter('QueryStatement is missing.');
    const storeIds = await storeIdsOf(input.QueryStatement, call, parts);
    await checkStores(storeIds, call, parts);
    if (input.DeliveryS3Uri !== undefined) await checkDelivery(input.DeliveryS3Uri, parts);
    if (parts.queries.activeOf(call.accountId) >= limits.lakeQueriesPerAccount) {
      const message = `${limits.lakeQueriesPerAccount} queries of the account wait or run already; try again when one has ended.`;
      throw new AwsFault('MaxConcurrentQueriesException', message);
    }
    const query: QueryDocument = {
      queryId: parts.random.uuid(),
      accountId: call.accountId,
      region: call.region,
      statement: input.QueryStatement,
      storeIds,
      createdAt: call.time,
      status: 'QUEUED',
      ...(input.DeliveryS3Uri !== undefined && {
        deliveryUri: input.DeliveryS3Uri,
        deliveryStatus: 'PENDING',
      }),
    };
    change.put(queryKey(call.accountId, query.queryId), query);
    return { QueryId: query.queryId };
  },
};

/** The caller's query, in the event data store that is named beside it. */
async function findQuery(
  queryId: string,
  input: {
    readonly EventDataStore?: string | undefined;
    readonly EventDataStoreOwnerAccountId?: string | undefined;
  },
  call: Call,
  parts: LakeOperationParts,
): Promise<QueryDocument> {
  refuseOtherOwner(input.EventDataStoreOwnerAccountId, call);
  const query = await readQuery(parts.state, call.accountId, queryId);
  const isInStore =
    input.EventDataStore === undefined || query?.storeIds.includes(storeIdOf(input.EventDataStore, call));
  if (!query || query.region !== call.region || !isInStore)
    throw new AwsFault(
      'QueryIdNotFoundException',
      `There is no query ${queryId} in this account and region.`,
    );
  return query;
}

/** Needs on the event data stores that a query reads; of an unknown query, on all. */
const needsQuery =
  (operation: string) =>
  async (
    input: { readonly QueryId?: string },
    call: Call,
    parts: LakeOperationParts,
  ): Promise<readonly Need[]> => {
    const query = await readQuery(parts.state, call.accountId, input.QueryId ?? '');
    const ids = query && query.storeIds.length > 0 ? query.storeIds : ['*'];
    return Promise.all(ids.map((id) => onStore(operation, id, call, parts.state)));
  };

function statusOf(query: QueryDocument, { queries }: LakeOperationParts): CloudTrail.QueryStatus {
  return query.status === 'QUEUED' && queries.isRunning(query.queryId) ? 'RUNNING' : query.status;
}

function errorOf({ error }: QueryDocument): { ErrorMessage?: string } {
  return error === undefined ? {} : { ErrorMessage: error.slice(0, 1000) };
}

export const DescribeQuery: LakeOperation<CloudTrail.DescribeQueryRequest, CloudTrail.DescribeQueryResponse> =
  {
    access: 'read',
    needs: needsQuery('DescribeQuery'),
    async handle(input, call, _change, parts) {
      if (input.QueryId === undefined || input.QueryAlias !== undefined || input.RefreshId !== undefined)
        throw unsupported(
          'Queries are found by QueryId; QueryAlias and RefreshId belong to dashboards, which are not supported.',
        );
      const query = await findQuery(input.QueryId, input, call, parts);
      return {
        QueryId: query.queryId,
        QueryString: query.statement,
        QueryStatus: statusOf(query, parts),
        QueryStatistics: {
          EventsMatched: query.rows ?? 0,
          EventsScanned: query.scannedRows ?? 0,
          BytesScanned: query.scannedBytes ?? 0,
          ExecutionTimeInMillis: query.executionMs ?? 0,
          CreationTime: new Date(query.createdAt),
        },
        ...errorOf(query),
        ...(query.deliveryUri !== undefined && {
          DeliveryS3Uri: query.deliveryUri,
          DeliveryStatus: query.deliveryStatus,
        }),
      };
    },
  };

/** A row as pairs of column and value, in the order of the columns. What SQL has no value for is empty text. */
function shownRow(names: readonly string[], row: readonly (string | null)[]): Record<string, string>[] {
  return names.map((name, at) => ({ [name]: row[at] ?? '' }));
}

export const GetQueryResults: LakeOperation<
  CloudTrail.GetQueryResultsRequest,
  CloudTrail.GetQueryResultsResponse
> = {
  access: 'read',
  needs: needsQuery('GetQueryResults'),
  async handle(input: Given<CloudTrail.GetQueryResultsRequest>, call, _change, parts) {
    const query = await findQuery(input.QueryId, input, call, parts);
    const { NextToken, MaxQueryResults = 1000 } = input;
    const from = NextToken === undefined ? 0 : Number(placeOf(query.queryId, NextToken));
    const status = { QueryStatus: statusOf(query, parts), ...errorOf(query) };
    if (query.status !== 'FINISHED') return status;
    const page = await parts.results.page(query.queryId, from, MaxQueryResults);
    if (!page) {
      const message = `The rows of the query ${query.queryId} are gone; run it again.`;
      throw new AwsFault('QueryIdNotFoundException', message);
    }
    return {
      ...status,
      QueryStatistics: {
        ResultsCount: page.rows.length,
        TotalResultsCount: query.rows ?? 0,
        BytesScanned: query.scannedBytes ?? 0,
      },
      QueryResultRows: page.rows.map((row) => shownRow(query.columns ?? [], row)),
      ...(page.next !== undefined && { NextToken: tokenFor(query.queryId, String(page.next)) }),
    };
  },
};

/** CancelQuery: the engine's process is ended at once. */
export const CancelQuery: LakeOperation<CloudTrail.CancelQueryRequest, CloudTrail.CancelQueryResponse> = {
  access: 'write',
  needs: needsQuery('CancelQuery'),
  async handle(input, call, _change, parts) {
    const query = await findQuery(input.QueryId, input, call, parts);
    const isCancelled = query.status === 'QUEUED' && (await parts.queries.cancel(query));
    if (!isCancelled)
      throw new AwsFault('InactiveQueryException', `The query ${query.queryId} has ended already.`);
    return { QueryId: query.queryId, QueryStatus: 'CANCELLED' };
  },
};

export const ListQueries: LakeOperation<CloudTrail.ListQueriesRequest, CloudTrail.ListQueriesResponse> = {
  access: 'read',
  needs: async (input, call, { state }) => [await onStore('ListQueries', input.EventDataStore, call, state)],
  async handle(input, call, change, parts) {
    const id = storeIdOf(input.EventDataStore, call);
    if (id !== everythingId) await readStore(change, input.EventDataStore, call);
    const [from, to] = [input.StartTime?.getTime() ?? -Infinity, input.EndTime?.getTime() ?? Infinity];
    if (from > to) throw new AwsFault('InvalidDateRangeException', 'StartTime is after EndTime.');
    const all = (await parts.state.list<QueryDocument>(`${queriesPrefix}${call.accountId}/`))
      .map(({ value }) => value)
      .filter((query) => query.region === call.region && query.storeIds.includes(id))
      .filter(({ createdAt }) => createdAt >= from && createdAt <= to)
      .filter((query) => input.QueryStatus === undefined || statusOf(query, parts) === input.QueryStatus)
      .toSorted((one, other) => other.createdAt - one.createdAt || (one.queryId < other.queryId ? -1 : 1));
    const scope = ['ListQueries', call.accountId, call.region, id, from, to, input.QueryStatus];
    const { items, ...more } = pageOf(all, scope, input);
    return {
      Queries: items.map((query) => ({
        QueryId: query.queryId,
        QueryStatus: statusOf(query, parts),
        CreationTime: new Date(query.createdAt),
      })),
      ...more,
    };
  },
};
