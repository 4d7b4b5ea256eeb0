import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { RequestReport } from '../wire/index.ts';

/** How far a reader of the journal is behind. */
export interface ReaderReport {
  readonly stream: string;
  readonly name: string;
  readonly applied: number;
  readonly lag: number;
}

export interface DiskReport {
  /** Room left on the file system of the data directory. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What is known at the moment of asking. */
export interface Measurements {
  readonly readers: readonly ReaderReport[];
  readonly disk: DiskReport;
  readonly journalBytes: number;
  /** Why the journal takes nothing more until a restart; absent while it does. */
  readonly journalFailure?: string | undefined;
  readonly history: { readonly events: number; readonly segments: number; readonly sizeBytes: number };
  /** Stretches of files that could not be read since the start. */
  readonly damage: number;
  /** Records of the journal that could not be indexed since the start. */
  readonly unindexed: number;
  /** Failed authentications that were answered and, for their number, not recorded since the start. */
  readonly suppressedRecords: number;
  /** The event bus: since the start, and what waits now. */
  readonly bus: {
    readonly delivered: number;
    readonly failedAttempts: number;
    readonly givenUp: number;
    readonly waiting: number;
  };
  /** What parts say is wrong with them, one plain sentence each. */
  readonly partProblems?: readonly string[];
}

export interface Metrics {
  observe(report: RequestReport): void;
  /** The metrics in Prometheus' text format. */
  text(measurements: Measurements): Promise<string>;
  readonly contentType: string;
}

/**
 * Opens the metrics. Operation names come from the models, so that a caller cannot make up labels; what has no
 * operation is counted under `-`.
 */
export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'cairn_' });
  const registers = [registry];
  const requests = new Counter({
    name: 'cairn_requests_total',
    help: 'Requests answered, by service, operation, HTTP status and AWS error code.',
    labelNames: ['service', 'operation', 'status', 'error'],
    registers,
  });
  const latency = new Histogram({
    name: 'cairn_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['service'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const lag = gauge(
    'cairn_journal_reader_lag_entries',
    'Durable entries that the reader has not applied yet.',
    ['stream', 'reader'],
  );
  const journalBytes = gauge('cairn_journal_bytes', 'Bytes that the journal holds on disk.');
  const journalFailed = gauge(
    'cairn_journal_failed',
    '1 once the disk failed while the journal was written: calls that write fail until a restart.',
  );
  const historyEvents = gauge('cairn_history_events', 'Events in the event history.');
  const historySegments = gauge('cairn_history_segments', 'Sealed segments of the event history.');
  const historyBytes = gauge('cairn_history_bytes', 'Bytes of the sealed segments of the event history.');
  const diskFree = gauge('cairn_disk_free_bytes', 'Room left on the file system of the data directory.');
  const diskTotal = gauge('cairn_disk_total_bytes', 'Size of the file system of the data directory.');
  const damage = gauge(
    'cairn_damaged_stretches',
    'Stretches of files that could not be read since the start.',
  );
  const unindexed = gauge(
    'cairn_unindexed_records',
    'Records of the journal that could not be indexed since the start.',
  );
  const suppressed = gauge(
    'cairn_suppressed_records',
    'Failed authentications beyond the bound on recording since the start.',
  );
  const busDelivered = gauge('cairn_bus_delivered', 'Events that targets took since the start.');
  const busFailed = gauge('cairn_bus_failed_attempts', 'Attempts to deliver that failed since the start.');
  const busGivenUp = gauge('cairn_bus_given_up', 'Deliveries that were given up since the start.');
  const busWaiting = gauge('cairn_bus_waiting', 'Deliveries that are neither made nor given up.');

  return {
    contentType: registry.contentType,
    observe(report) {
      const { service, operation } = report;
      requests.inc({ service, operation, status: report.status, error: report.errorCode ?? '' });
      latency.observe({ service }, report.durationMs / 1000);
    },
    text(now) {
      lag.reset();
      for (const reader of now.readers) lag.set({ stream: reader.stream, reader: reader.name }, reader.lag);
      journalBytes.set(now.journalBytes);
      journalFailed.set(now.journalFailure === undefined ? 0 : 1);
      historyEvents.set(now.history.events);
      historySegments.set(now.history.segments);
      historyBytes.set(now.history.sizeBytes);
      diskFree.set(now.disk.freeBytes);
      diskTotal.set(now.disk.totalBytes);
      damage.set(now.damage);
      unindexed.set(now.unindexed);
      suppressed.set(now.suppressedRecords);
      busDelivered.set(now.bus.delivered);
      busFailed.set(now.bus.failedAttempts);
      busGivenUp.set(now.bus.givenUp);
      busWaiting.set(now.bus.waiting);
      return registry.metrics();
    },
  };
}
