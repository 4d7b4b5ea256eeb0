import { limits, type Clock, type Logger, type Random } from '../kernel/index.ts';
import type { Reader, ReaderOptions, Stream } from '../journal/index.ts';
import type { Change, State } from '../state/index.ts';
import type { Authorise, HttpRoute, Operations, Perform, RecordRejected } from '../wire/index.ts';
import { openCloudTrail, openCloudTrailData } from './api/operations.ts';
import type { History } from './history/index.ts';
import { openHistoryReader } from './history-reader.ts';
import { openEventPreparer } from './ingest/event-preparer.ts';
import { openFileParsers } from './import/file-parsers.ts';
import { importRoutes } from './import/import-routes.ts';
import { openTakeLogFile, type TakeLogFile } from './lake/index.ts';
import { openRecording, type RecordingOptions } from './recording/recording.ts';
import { openRetention } from './retention.ts';
import { searchRoutes } from './search/search-routes.ts';

export interface TrailOptions {
  readonly state: State;
  /** The journal's `audit` stream, on which `state` stands. */
  readonly stream: Stream;
  /** Closed by whoever opened it, after the trail. */
  readonly history: History;
  readonly authorise: Authorise;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly managementAccountId: string;
  readonly retentionDays: number | undefined;
  readonly show: RecordingOptions['show'];
  readonly classify: RecordingOptions['classify'];
  /** Told of stretches of the journal that cannot be read. */
  readonly onDamage?: ReaderOptions['onDamage'];
  /** Threads that take imported log files apart; 2 by default. */
  readonly importThreads?: number;
  /** Threads that take large requests of PutAuditEvents apart; 2 by default. */
  readonly ingestThreads?: number;
}

/** Everything of the trail, put together. Close it before the history, the state and the journal. */
export interface Trail extends AsyncDisposable {
  readonly perform: Perform<Change>;
  readonly recordRejected: RecordRejected;
  /** By the names of the services. */
  readonly operations: Readonly<Record<'cloudtrail' | 'cloudtrail-data', Operations<Change>>>;
  readonly routes: readonly HttpRoute<Change>[];
  /** Brings log files into the journal, for the lake's imports. */
  readonly takeLogFile: TakeLogFile;
  /** The reader that brings the journal into the history, for its lag. */
  readonly reader: Reader;
  /** Records of the journal that could not be indexed since the start. */
  readonly unindexed: number;
  /** Failed authentications that were answered and, for their number, not recorded since the start. */
  readonly suppressedRejections: number;
  /** Resolves once everything recorded so far, reads too, is durable and searchable. */
  settle(): Promise<void>;
}

/** Opens the trail over its parts. */
export async function openTrail(options: TrailOptions): Promise<Trail> {
  const { state, stream, history, clock, log, managementAccountId } = options;
  await using opening = new AsyncDisposableStack();
  const historyReader = opening.use(await openHistoryReader(options));
  const retention = opening.use(
    await openRetention({
      state,
      history,
      clock,
      log,
      defaultDays: options.retentionDays,
      managementAccountId,
    }),
  );
  const parsers = opening.use(
    openFileParsers({
      clock,
      threads: options.importThreads ?? 2,
      mostBytes: limits.importUnpackedBytes,
      idleMs: 30_000,
    }),
  );
  const preparer = opening.use(
    openEventPreparer({
      clock,
      log,
      threads: options.ingestThreads ?? 2,
      idleMs: 300_000,
      threadBytes: limits.putAuditEventsThreadBytes,
    }),
  );
  const recording = opening.use(openRecording(options));
  const shared = { state, stream, history, historyReader, clock, managementAccountId };
  const opened = opening.move();
  return {
    perform: recording.perform,
    recordRejected: recording.recordRejected,
    operations: {
      cloudtrail: openCloudTrail({ history }),
      'cloudtrail-data': openCloudTrailData({ preparer, state }),
    },
    routes: [...searchRoutes(shared), ...importRoutes({ ...shared, parsers }), ...retention.routes],
    takeLogFile: openTakeLogFile({ ...shared, parsers }),
    reader: historyReader.reader,
    get unindexed() {
      return historyReader.unindexed;
    },
    get suppressedRejections() {
      return recording.suppressedRejections;
    },
    async settle() {
      await recording.flush();
      await historyReader.reached(stream.end);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
