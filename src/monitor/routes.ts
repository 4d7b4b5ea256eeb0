import { AwsFault, type Clock } from '../kernel/index.ts';
import { jsonAnswer, type HttpRoute } from '../wire/index.ts';
import type { Measurements, Metrics } from './metrics.ts';
import { findProblems } from './problems.ts';

export interface MonitorOptions {
  readonly clock: Clock;
  readonly version: string;
  readonly metrics: Metrics;
  /** The account whose principals may see the status, which speaks of files and of all accounts together. */
  readonly managementAccountId: string;
  /** Asked anew for every answer. */
  measure(): Promise<Measurements>;
  /** Details for `cairn doctor`: each damaged stretch in words. */
  damage(): readonly string[];
}

/**
 * The routes `GET /_cairn/health` (200, but 503 where only a restart helps) and `GET /_cairn/metrics` (unsigned: they say nothing of any account) and
 * `GET /_cairn/status` (signed, for the management account; what `cairn doctor` asks).
 */
export function monitorRoutes(options: MonitorOptions): readonly HttpRoute[] {
  const { clock, version, metrics, managementAccountId } = options;
  const started = clock.monotonic();
  const uptimeSeconds = () => Math.round((clock.monotonic() - started) / 1000);
  return [
    {
      method: 'GET',
      path: '/_cairn/health',
      unsigned: true,
      operationName: 'GetHealth',
      access: 'read',
      async handle() {
        const now = await options.measure();
        const isFailed = now.journalFailure !== undefined;
        const answer = jsonAnswer({
          status: isFailed ? 'failed' : 'ok',
          version,
          uptimeSeconds: uptimeSeconds(),
          problems: findProblems(now),
        });
        return isFailed ? { ...answer, status: 503 } : answer;
      },
    },
    {
      method: 'GET',
      path: '/_cairn/metrics',
      unsigned: true,
      operationName: 'GetMetrics',
      access: 'read',
      async handle() {
        return {
          status: 200,
          headers: { 'content-type': metrics.contentType },
          body: await metrics.text(await options.measure()),
        };
      },
    },
    {
      method: 'GET',
      path: '/_cairn/status',
      operationName: 'GetStatus',
      access: 'read',
      async handle({ call }) {
        if (call?.accountId !== managementAccountId) {
          const text = `Only principals of the management account ${managementAccountId} may see the status.`;
          throw new AwsFault('AccessDenied', text, { status: 403 });
        }
        const now = await options.measure();
        return jsonAnswer({
          version,
          time: new Date(clock.now()).toISOString(),
          uptimeSeconds: uptimeSeconds(),
          problems: findProblems(now),
          damage: options.damage(),
          measurements: now,
        });
      },
    },
  ];
}
