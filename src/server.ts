import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger, Random, Settings } from './kernel/index.ts';
import { openDataDirectory, openDuckColumns, type DataDirectory } from './store/embedded/index.ts';
import {
  openDamageList,
  openHashArchive,
  openJournal,
  type DamageList,
  type HashArchive,
  type Stream,
} from './journal/index.ts';
import { openSqliteState, type State } from './state/index.ts';
import {
  classify,
  openAuditView,
  openHttpServer,
  openPipeline,
  openServices,
  type HttpRoute,
  type HttpServer,
} from './wire/index.ts';
import {
  accountRoutes,
  hasEncryptedData,
  openAuthentication,
  openAuthorisation,
  openIam,
  openLastUsed,
  openManagementAccount,
  openMasterKey,
  openSts,
} from './identity/index.ts';
import { openBus, type EventBus } from './bus/index.ts';
import { openEstate } from './estate/index.ts';
import { openCollectThread, openLoggedByTrails } from './trail/delivery/index.ts';
import { openDigests } from './trail/digests/index.ts';
import { openHistory, type OpenedHistory } from './trail/history/index.ts';
import { openInsights, type Insights } from './trail/insights/index.ts';
import { openTrail, openTrails, type Trail, type Trails } from './trail/index.ts';
import { lakeResources, lakeTable, openLake, type Lake } from './trail/lake/index.ts';
import { openProofs, type Proofs } from './trail/proofs/index.ts';
import { findProblems, monitorRoutes, openMetrics, openUpkeep, type Measurements } from './monitor/index.ts';
import { writeCredentialsFile, writeEndpointFile } from './start-files.ts';

/** How often the journal lets go of what all its readers have made their own. */
const trimEveryMs = 30_000;

/** A running Cairn. */
export interface CairnServer {
  /** Such as `http://127.0.0.1:4747`. */
  readonly endpoint: string;
  /** What is wrong at the start, one plain sentence each. */
  readonly problems: readonly string[];
  /** The operations that are present, by the name of their service. */
  readonly operations: Readonly<Record<string, readonly string[]>>;
  /** Cairn's own paths. */
  readonly routes: readonly Pick<HttpRoute, 'method' | 'path' | 'operationName' | 'unsigned'>[];
  /** Stops accepting, finishes what was accepted, makes everything durable; ends the process at once where the data directory is gone. */
  close(): Promise<void>;
}

export interface ServerParts {
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Of the program, such as `0.1.0`. */
  readonly version: string;
}

/** The accounts, keys and policies: who may call, and what. */
async function openIdentity(settings: Settings, parts: ServerParts, state: State, data: DataDirectory) {
  const { clock, random, log } = parts;
  const encryptedDataExists = await hasEncryptedData(state);
  const masterKey = await openMasterKey({ file: join(data.path, 'master.key'), encryptedDataExists, random });
  const { accountId } = settings;
  const account = await openManagementAccount({
    state,
    masterKey,
    random,
    clock,
    accountId,
    rootKey: settings.rootKey,
  });
  if (account.rootKey) await writeCredentialsFile(data.path, account.rootKey, settings.region);
  const identityParts = { state, random, masterKey };
  return {
    masterKey,
    authentication: openAuthentication({ state, clock, masterKey }),
    lastUsed: openLastUsed({ state, clock, log }),
    operations: { iam: openIam(identityParts), sts: openSts(identityParts) },
    routes: accountRoutes(identityParts),
  };
}

interface Measured {
  readonly data: DataDirectory;
  readonly stream: Stream;
  readonly state: State;
  readonly hashes: HashArchive;
  readonly history: OpenedHistory;
  readonly trail: Trail;
  readonly proofs: Proofs;
  readonly lake: Lake;
  readonly trails: Trails;
  readonly insights: Insights;
  readonly bus: EventBus;
  readonly busStream: Stream;
  readonly journalDamage: DamageList;
  /** Set once it listens. */
  http?: HttpServer;
}

/** Every damaged stretch met since the start, in words. */
function damageOf({ journalDamage, history }: Measured): readonly string[] {
  return [
    ...journalDamage.places.map(
      ({ file, offset, length, reason }) => `${file}: ${length} bytes at offset ${offset}: ${reason}`,
    ),
    ...history.damage.map(({ file, offset, reason, lostBytes }) => {
      if (lostBytes === 0)
        return `${file}: at offset ${offset}: ${reason}; its index was made anew, nothing is lost`;
      if (lostBytes !== undefined) return `${file}: ${lostBytes} bytes at offset ${offset}: ${reason}`;
      return `${file}: at offset ${offset}: ${reason}; what can be read of it is searchable, other events that it held are lost here until their log files are imported again (\`cairn import --again\`)`;
    }),
  ];
}

async function measure(measured: Measured): Promise<Measurements> {
  const { data, stream, state, hashes, history, trail, proofs, lake, trails, insights, bus, busStream } =
    measured;
  const [disk, auditBytes, busBytes, stats] = await Promise.all([
    statfs(data.path),
    stream.sizeBytes(),
    busStream.sizeBytes(),
    history.stats(),
  ]);
  return {
    readers: [
      state.reader,
      hashes.reader,
      trail.reader,
      lake.reader,
      trails.delivery.progress,
      insights.reader,
      ...(proofs.reader ? [proofs.reader] : []),
    ]
      .map((reader) => ({ stream: stream.name as string, reader }))
      .concat(bus.readers)
      .map(({ stream: of, reader: { name, applied, lag } }) => ({ stream: of, name, applied, lag })),
    disk: { freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize },
    journalBytes: auditBytes + busBytes,
    journalFailure: (stream.failure ?? busStream.failure)?.message,
    history: { events: stats.events, segments: stats.segments, sizeBytes: stats.sizeBytes },
    damage: damageOf(measured).length,
    unindexed: trail.unindexed,
    suppressedRecords: trail.suppressedRejections,
    bus: bus.report(),
    partProblems: [...proofs.problems, ...bus.problems, ...(measured.http?.problems ?? [])],
  };
}

async function trimJournal(...streams: readonly Stream[]): Promise<void> {
  for (const one of streams) await one.trim();
}

/** As every unforeseen error does: keys and policies that may be wrong let nobody in, and the next start rebuilds them. */
function endTheProcess(error: Error): void {
  queueMicrotask(() => {
    throw error;
  });
}

/**
 * Opens everything, in the order in which the parts stand on each other, and listens. Throws what the parts throw when
 * they cannot be opened (SettingError, DataDirectoryError, MasterKeyError and system errors), with everything closed.
 */
export async function openServer(settings: Settings, parts: ServerParts): Promise<CairnServer> {
  const { clock, random, log, version } = parts;
  await using opening = new AsyncDisposableStack();
  const data = opening.use(
    await openDataDirectory(settings.data, { clock, random, log, onLost: endTheProcess }),
  );
  const journal = opening.use(
    await openJournal({
      openLog: (stream) => data.openLog(stream),
      openCursors: (stream) => data.openCursors(stream),
      clock,
      log,
      streams: ['audit', 'bus'],
    }),
  );
  const stream = journal.stream('audit');
  const journalDamage = openDamageList();
  const onDamage: DamageList['add'] = (damage) => journalDamage.add(damage);
  const state = opening.use(
    await openSqliteState({
      directory: await data.directory('state'),
      stream,
      clock,
      log,
      onDamage: endTheProcess,
    }),
  );
  const identity = await openIdentity(settings, parts, state, data);
  opening.use(identity.authentication);
  const lastUsed = opening.use(identity.lastUsed);
  const authorisation = opening.use(openAuthorisation({ state, lastUsed }));
  const { authorise, authoriseService } = authorisation;
  const { masterKey } = identity;
  const blob = opening.use(await data.openBlob('s3'));
  const estate = opening.use(
    await openEstate({
      ...settings,
      managementAccountId: settings.accountId,
      state,
      blob,
      masterKey,
      authorise,
      authoriseService,
      clock,
      random,
      log,
    }),
  );
  const history = opening.use(await openHistory({ directory: await data.directory('history'), clock, log }));
  const hashes = opening.use(
    await openHashArchive({ stream, pages: await data.openLog('audit-hashes'), clock, log, onDamage }),
  );
  const proofs = opening.use(
    await openProofs({
      ...settings,
      directory: await data.directory('tlog'),
      stream,
      hashes,
      state,
      cipher: identity.masterKey.cipher('tlog/v1'),
      clock,
      random,
      log,
      onDamage,
    }),
  );
  const services = openServices();
  const trail = opening.use(
    await openTrail({
      state,
      stream,
      history,
      authorise: authorisation.authorise,
      clock,
      random,
      log,
      managementAccountId: settings.accountId,
      retentionDays: settings.retentionDays,
      show: openAuditView(services),
      classify,
      onDamage,
    }),
  );
  // Whoever asks right after the start gets the whole history, not a part of it.
  if (trail.reader.lag > 1000)
    log.info({ entries: trail.reader.lag }, 'the event history reads what it has not sealed yet');
  await trail.settle();
  const digests = opening.use(
    openDigests({ ...settings, state, buckets: estate.buckets, masterKey, clock, log }),
  );
  const columns = opening.use(
    await openDuckColumns({ directory: await data.directory('lake'), table: lakeTable, clock, log }),
  );
  const lake = opening.use(
    await openLake({
      state,
      stream,
      columns,
      directory: await data.directory('lake-results'),
      buckets: estate.buckets,
      signingKeyFor: digests.signingKeyFor,
      takeLogFile: trail.takeLogFile,
      history,
      defaultRetentionDays: settings.retentionDays,
      managementAccountId: settings.accountId,
      clock,
      random,
      log,
      onDamage,
    }),
  );
  const collecting = opening.use(openCollectThread({ clock }));
  const trails = opening.use(
    await openTrails({
      ...settings,
      state,
      stream,
      buckets: estate.buckets,
      keys: estate.dataKeys,
      collecting,
      others: lakeResources,
      authoriseService,
      clock,
      random,
      log,
    }),
  );
  const insights = opening.use(
    await openInsights({
      state,
      stream,
      history,
      directory: await data.directory('insights'),
      managementAccountId: settings.accountId,
      clock,
      random,
      log,
      onDamage,
    }),
  );
  const busStream = journal.stream('bus');
  const bus = opening.use(
    await openBus({
      ...settings,
      state,
      audit: stream,
      bus: busStream,
      directory: await data.directory('bus'),
      masterKey,
      authoriseRole: authorisation.authoriseRole,
      openTrailSelection: (from) => openLoggedByTrails({ state, stream, from }),
      clock,
      random,
      log,
      onDamage,
    }),
  );
  const metrics = openMetrics();
  const measured: Measured = {
    data,
    stream,
    state,
    hashes,
    history,
    trail,
    proofs,
    lake,
    trails,
    insights,
    bus,
    busStream,
    journalDamage,
  };
  const operations = {
    ...identity.operations,
    ...trail.operations,
    ...estate.operations,
    events: bus.operations,
    cloudtrail: {
      ...trail.operations.cloudtrail,
      ...trails.operations,
      ...digests.operations,
      ...lake.operations,
      ...insights.operations,
    },
  };
  const routes = [
    ...trail.routes,
    ...lake.routes,
    ...insights.routes,
    ...proofs.routes,
    ...identity.routes,
    ...monitorRoutes({
      clock,
      version,
      metrics,
      managementAccountId: settings.accountId,
      measure: () => measure(measured),
      damage: () => damageOf(measured),
    }),
  ];
  const handle = openPipeline({
    services,
    operations,
    routes,
    findCredential: identity.authentication.findCredential,
    perform: trail.perform,
    recordRejected: trail.recordRejected,
    clock,
    log,
    onRequest: (report) => metrics.observe(report),
  });
  opening.use(openUpkeep({ clock, log, everyMs: trimEveryMs, work: () => trimJournal(stream, busStream) }));
  const http = opening.use(await openHttpServer({ ...settings, clock, random, log, handle }));
  measured.http = http;
  const endpoint = endpointOf(settings, http);
  await writeEndpointFile(data.path, endpoint);
  const opened = opening.move();
  return {
    endpoint,
    problems: findProblems(await measure(measured)),
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, table]) => [name, Object.keys(table)]),
    ),
    routes,
    close: () => {
      const lost = data.lost();
      if (!lost) return opened.disposeAsync();
      endTheProcess(lost);
      return new Promise(() => {});
    },
  };
}

function endpointOf(settings: Settings, http: { readonly address: string; readonly port: number }): string {
  const scheme = settings.tls ? 'https' : 'http';
  const host = http.address.includes(':') ? `[${http.address}]` : http.address;
  return `${scheme}://${host}:${http.port}`;
}
