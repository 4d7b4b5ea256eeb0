import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  region,
  seededRandom,
  sequence,
  silentLog,
  systemClock,
  type AccountId,
} from '../src/kernel/index.ts';
import type { ReaderOptions, Stream } from '../src/journal/index.ts';
import type { Columns } from '../src/store/index.ts';
import { openDuckColumns } from '../src/store/embedded/index.ts';
import { lakeTable, openLake, type Lake, type LakeOptions } from '../src/trail/lake/index.ts';
import type { RouteAnswer } from '../src/wire/index.ts';
import { openMemoryBuckets, type MemoryBuckets } from './memory-buckets.ts';
import {
  callBy,
  managementAccount,
  openTrailFixture,
  rootOf,
  serviceNamed,
  type TrailFixture,
} from './trail-fixture.ts';

/** A lake for tests: the engine on disk, everything else in memory, time by hand. */
export interface LakeFixture extends AsyncDisposable {
  readonly trail: TrailFixture;
  readonly lake: Lake;
  readonly columns: Columns;
  readonly buckets: MemoryBuckets;
  /** Calls an operation of CloudTrail as the pipeline does. */
  // eslint-disable-next-line typescript/no-explicit-any -- operations of many output types
  call(operation: string, input?: object, over?: { account?: AccountId; region?: string }): Promise<any>;
  route(pathAndQuery: string, account?: AccountId): Promise<RouteAnswer>;
  /** Puts records into the journal. */
  add(...records: readonly Record<string, unknown>[]): Promise<void>;
  /** Starts a query and waits until it has ended: its description. */
  // eslint-disable-next-line typescript/no-explicit-any -- as above
  run(statement: string, over?: { account?: AccountId; input?: object }): Promise<any>;
  /** Runs a query and gives its rows, each as its values. */
  rows(statement: string, account?: AccountId): Promise<string[][]>;
  /** Closes the lake and opens it again, if told without its columns and with an empty journal. */
  reopen(over?: { loseColumns?: boolean }): Promise<void>;
  /** Says what is still to be brought from the history. */
  readonly progressFile: string;
}

let nextRecord = 0;

/** A record; each has an id and a second of its own. */
export function lakeRecord(over: Record<string, unknown> = {}): Record<string, unknown> {
  nextRecord++;
  return {
    eventVersion: '1.11',
    userIdentity: { type: 'IAMUser', userName: 'alice', arn: 'arn:aws:iam::000000000000:user/alice' },
    eventTime: new Date(Date.UTC(2026, 10, 22, 9, 0, nextRecord)).toISOString().replace('.000', ''),
    eventSource: 'iam.amazonaws.com',
    eventName: 'CreateUser',
    awsRegion: 'eu-central-1',
    sourceIPAddress: '192.0.2.1',
    requestParameters: { userName: `u${nextRecord}` },
    eventID: `event-${nextRecord}`,
    readOnly: false,
    managementEvent: true,
    recipientAccountId: managementAccount,
    eventCategory: 'Management',
    ...over,
  };
}

/** Creates an event data store, unprotected. */
export async function createStore(
  fixture: LakeFixture,
  over: object = {},
): Promise<{ id: string; arn: string }> {
  const { EventDataStoreArn: arn } = await fixture.call('CreateEventDataStore', {
    Name: 'main',
    TerminationProtectionEnabled: false,
    ...over,
  });
  return { arn, id: arn.split('/')[1] };
}

/** How many events a query sees. */
export const countOf = async (fixture: LakeFixture, id: string, account = managementAccount) =>
  Number((await fixture.rows(`SELECT count(*) AS n FROM ${id}`, account))[0]?.[0]);

/** The stream as it is when everything up to now has been trimmed from the journal. */
function trimmed(stream: Stream): Stream {
  const start = stream.end;
  return Object.create(stream, {
    start: { value: start },
    follow: {
      value: (options: ReaderOptions) =>
        stream.follow({ ...options, from: sequence(Math.max(options.from ?? 0, start)) }),
    },
  }) as Stream;
}

export async function openLakeFixture(over: Partial<LakeOptions> = {}): Promise<LakeFixture> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'cairn-lake-'));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const trail = opening.use(await openTrailFixture());
  const buckets = openMemoryBuckets();
  const random = seededRandom(7);
  let stream = trail.stream;
  const openBoth = async () => {
    await using half = new AsyncDisposableStack();
    const columns = half.use(
      await openDuckColumns({
        directory: join(directory, 'columns'),
        table: lakeTable,
        clock: systemClock,
        log: silentLog,
      }),
    );
    const lake = half.use(
      await openLake({
        state: trail.state,
        stream,
        columns,
        directory: join(directory, 'results'),
        buckets,
        signingKeyFor: () =>
          Promise.resolve({
            fingerprint: 'f00d',
            sign: (text) => Promise.resolve(Buffer.from(text).toString('hex')),
          }),
        takeLogFile: trail.trail.takeLogFile,
        history: trail.history,
        defaultRetentionDays: undefined,
        managementAccountId: managementAccount,
        clock: trail.clock,
        random,
        log: silentLog,
        ...over,
      }),
    );
    return { columns, lake, stack: half.move() };
  };
  let both = await openBoth();
  opening.defer(() => both.stack.disposeAsync());
  const call: LakeFixture['call'] = (
    operationName,
    input = {},
    { account = managementAccount, region: where = 'eu-central-1' } = {},
  ) =>
    trail.perform(both.lake.operations[operationName], {
      service: serviceNamed('cloudtrail'),
      operationName,
      input: input as Record<string, unknown>,
      call: callBy(rootOf(account), { time: trail.clock.now(), region: region(where) }),
    });
  const run: LakeFixture['run'] = async (
    QueryStatement,
    { account = managementAccount, input = {} } = {},
  ) => {
    const { QueryId } = (await call('StartQuery', { QueryStatement, ...input }, { account })) as {
      QueryId: string;
    };
    await both.lake.ended(QueryId);
    return call('DescribeQuery', { QueryId }, { account });
  };
  const opened = opening.move();
  return {
    trail,
    get lake() {
      return both.lake;
    },
    get columns() {
      return both.columns;
    },
    buckets,
    call,
    run,
    async route(pathAndQuery, account = managementAccount) {
      const url = new URL(pathAndQuery, 'http://localhost');
      const route = both.lake.routes.find(({ path }) => path === url.pathname);
      if (!route) throw new Error(`no route ${url.pathname}`);
      const request = {
        path: url.pathname,
        query: url.searchParams,
        headers: {},
        body: (async function* () {})(),
        call: callBy(rootOf(account)),
        signal: new AbortController().signal,
      };
      return route.handle(request, undefined as never);
    },
    async add(...records) {
      await trail.stream.append(
        records.map((record) => ({ kind: 'imported', payload: Buffer.from(JSON.stringify(record)) })),
      );
    },
    async rows(statement, account = managementAccount) {
      const { QueryId, QueryStatus, ErrorMessage } = await run(statement, { account });
      if (QueryStatus !== 'FINISHED') throw new Error(`${QueryStatus}: ${ErrorMessage}`);
      const answer = await call('GetQueryResults', { QueryId }, { account });
      return (answer.QueryResultRows as Record<string, string>[][]).map((row) =>
        row.flatMap((cell) => Object.values(cell)),
      );
    },
    async reopen({ loseColumns = false } = {}) {
      await both.stack.disposeAsync();
      if (loseColumns) {
        stream = trimmed(trail.stream);
        await rm(join(directory, 'columns'), { recursive: true });
      }
      both = await openBoth();
    },
    progressFile: join(directory, 'results', 'backfill.json'),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
