import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import { AwsFault, limits } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { refusedBucket } from '../../buckets.ts';
import { placeOf, tokenFor } from '../../api/lookup-token.ts';
import { openTables } from '../lake-parts.ts';
import { statementOfAlias } from '../dashboards/alias-statement.ts';
import { newRefreshId } from '../dashboards/refresh-id.ts';
import {
  findAliasQuery,
  putQuery,
  queriesPrefix,
  readQuery,
  type QueryDocument,
} from '../query-documents.ts';
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

type QueryInput = Pick<
  Given<CloudTrail.StartQueryRequest>,
  'QueryStatement' | 'QueryAlias' | 'QueryParameters'
>;

/** The statement to run: given, or of a dashboard's widget. */
async function statementOf(input: QueryInput, call: Call, view: StateView): Promise<string> {
  const { QueryStatement, QueryAlias, QueryParameters } = input;
  if ((QueryStatement === undefined) === (QueryAlias === undefined))
    throw invalidParameter('Give either a QueryStatement, or the QueryAlias of a dashboard widget.');
  if (QueryAlias !== undefined) return statementOfAlias(view, call, QueryAlias, QueryParameters);
  if (QueryParameters !== undefined)
    throw invalidParameter('QueryParameters go with a QueryAlias; a QueryStatement has none.');
  return QueryStatement ?? '';
}

async function translated(statement: string, call: Call, parts: LakeOperationParts): Promise<Translation> {
  const tables = await openTables(parts, call, call.time);
  return translate(statement, tables.find, { nowMs: call.time });
}

const storeId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The ids of the event data stores that a statement reads; those of the view, not what the statement calls them. */
export async function storeIdsOf(
  statement: string,
  call: Call,
  parts: LakeOperationParts,
): Promise<readonly string[]> {
  const translation = await translated(statement, call, parts);
  if (translation.kind === 'refused') {
    const place = `line ${translation.line}:${translation.column}`;
    // A name that no event data store can have is a mistake of the statement; the id of one may be that of a store that was.
    const code = storeId.test(translation.unknownStore ?? '')
      ? 'EventDataStoreNotFoundException'
      : 'InvalidQueryStatementException';
    throw new AwsFault(code, `${place}: ${translation.message}`);
  }
  const tables = await openTables(parts, call, call.time);
  return [...new Set(translation.eventDataStoreIds.flatMap((id) => tables.viewOf(id)?.name ?? []))];
}

export async function checkStores(
  ids: readonly string[],
  call: Call,
  parts: LakeOperationParts,
): Promise<void> {
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

async function checkDelivery(uri: string, { accountId }: Call, parts: LakeOperationParts): Promise<void> {
  const [, bucket = ''] = /^s3:\/\/([^/]+)/.exec(uri) ?? [];
  if (!parts.buckets || !parts.signingKeyFor)
    throw unsupported('DeliveryS3Uri is not supported: there is no S3 here.');
  const facts = await parts.buckets.find(bucket, accountId);
  if (facts === undefined)
    throw new AwsFault('S3BucketDoesNotExistException', `There is no bucket ${bucket}.`);
  if (facts === 'refused') {
    throw new AwsFault('InsufficientS3BucketPolicyException', refusedBucket(bucket, accountId));
  }
}

/** StartQuery on every event data store that a statement reads; on all where it reads none, or while that cannot be told. */
export async function needsOfStatement(
  statement: string | undefined,
  call: Call,
  parts: LakeOperationParts,
): Promise<readonly Need[]> {
  const translation = statement === undefined ? undefined : await translated(statement, call, parts);
  const readsStores = translation?.kind === 'query' && translation.eventDataStoreIds.length > 0;
  if (statement === undefined || !readsStores)
    return [{ action: 'cloudtrail:StartQuery', resource: storeArn(call.accountId, call.region, '*') }];
  const ids = await storeIdsOf(statement, call, parts);
  return Promise.all(ids.map((id) => onStore('StartQuery', id, call, parts.state)));
}

/** StartQuery: translates the statement, refusing by name what is not supported, and leaves it to the runner. */
export const StartQuery: LakeOperation<CloudTrail.StartQueryRequest, CloudTrail.StartQueryResponse> = {
  access: 'write',
  async needs(input, call, parts) {
    // What is wrong with the request is said to whoever may start queries.
    const statement = await statementOf(input, call, parts.state).catch(() => undefined);
    return needsOfStatement(statement, call, parts);
  },
  async handle(input, call, change, parts) {
    refuseOtherOwner(input.EventDataStoreOwnerAccountId, call);
    const statement = await statementOf(input, call, change);
    const storeIds = await storeIdsOf(statement, call, parts);
    await checkStores(storeIds, call, parts);
    if (input.DeliveryS3Uri !== undefined) await checkDelivery(input.DeliveryS3Uri, call, parts);
    if (parts.queries.activeOf(call.accountId) >= limits.lakeQueriesPerAccount) {
      const message = `${limits.lakeQueriesPerAccount} queries of the account wait or run already; try again when one has ended.`;
      throw new AwsFault('MaxConcurrentQueriesException', message);
    }
    const query: QueryDocument = {
      queryId: parts.random.uuid(),
      accountId: call.accountId,
      region: call.region,
      statement,
      storeIds,
      createdAt: call.time,
      status: 'QUEUED',
      ...(input.DeliveryS3Uri !== undefined && {
        deliveryUri: input.DeliveryS3Uri,
        deliveryStatus: 'PENDING',
      }),
      ...(input.QueryAlias !== undefined && {
        alias: { name: input.QueryAlias, order: newRefreshId(undefined, call.time, parts.random) },
      }),
    };
    putQuery(change, query);
    return { QueryId: query.queryId };
  },
};

function checkFound(
  query: QueryDocument | undefined,
  named: string,
  input: {
    readonly EventDataStore?: string | undefined;
    readonly EventDataStoreOwnerAccountId?: string | undefined;
  },
  call: Call,
): QueryDocument {
  refuseOtherOwner(input.EventDataStoreOwnerAccountId, call);
  const isInStore =
    input.EventDataStore === undefined || query?.storeIds.includes(storeIdOf(input.EventDataStore, call));
  if (!query || query.region !== call.region || !isInStore)
    throw new AwsFault('QueryIdNotFoundException', `There is no query ${named} in this account and region.`);
  return query;
}

/** The caller's query, in the event data store that is named beside it. */
async function findQuery(
  queryId: string,
  input: Parameters<typeof checkFound>[2],
  call: Call,
  parts: LakeOperationParts,
): Promise<QueryDocument> {
  return checkFound(await readQuery(parts.state, call.accountId, queryId), queryId, input, call);
}

/** The query of an id, or of the alias of a widget, if need be in one refresh of its dashboard. */
async function queryNamed(
  { QueryId = '', QueryAlias, RefreshId }: Given<CloudTrail.DescribeQueryRequest>,
  { accountId }: Call,
  { state }: LakeOperationParts,
): Promise<QueryDocument | undefined> {
  return QueryAlias === undefined
    ? readQuery(state, accountId, QueryId)
    : findAliasQuery(state, accountId, QueryAlias, RefreshId);
}

/** Needs on the event data stores that a query reads; of an unknown query, on all. */
const needsQuery =
  (operation: string) =>
  async (
    input: Given<CloudTrail.DescribeQueryRequest>,
    call: Call,
    parts: LakeOperationParts,
  ): Promise<readonly Need[]> => {
    const query = await queryNamed(input, call, parts);
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
      const { QueryId, QueryAlias, RefreshId } = input;
      if ((QueryId === undefined) === (QueryAlias === undefined))
        throw invalidParameter('Give either a QueryId or a QueryAlias.');
      if (RefreshId !== undefined && QueryAlias === undefined)
        throw invalidParameter('A RefreshId goes with a QueryAlias.');
      const named =
        QueryId ?? `${QueryAlias}${RefreshId === undefined ? '' : ` of the refresh ${RefreshId}`}`;
      const query = checkFound(await queryNamed(input, call, parts), named, input, call);
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
