import { AwsFault } from '../../kernel/index.ts';
import { invalidRequest, type HttpRoute, type RouteAnswer, type RouteRequest } from '../../wire/index.ts';
import type { History } from '../history/index.ts';
import { readFilter } from '../search/event-query.ts';
import { backtest } from './backtest.ts';
import { insightDetails, insightTime } from './insight-record.ts';
import type { InsightFinding } from './insight-types.ts';

export interface InsightRoutesOptions {
  readonly history: Pick<History, 'stream'>;
  /** The account whose principals see all accounts. */
  readonly managementAccountId: string;
}

/** Backtests at once: each reads more than four weeks of events. */
const backtestsAtOnce = 1;

/** A finding as a line of the answer: the Insights event's own words, and why. */
function lineOf(finding: InsightFinding): string {
  const { subject, trigger, observed, expected, threshold } = finding;
  return `${JSON.stringify({
    eventTime: new Date(insightTime(finding)).toISOString(),
    accountId: subject.accountId,
    awsRegion: subject.region,
    insightDetails: insightDetails(finding),
    why: { trigger, windowMinutes: 5, observed, expected, threshold },
  })}\n`;
}

async function* lines(findings: AsyncIterable<InsightFinding>, end: () => void): AsyncIterable<Uint8Array> {
  try {
    for await (const finding of findings) yield Buffer.from(lineOf(finding));
  } finally {
    end();
  }
}

/**
 * `GET /_cairn/insights?from=…&to=…`: what the history of that time would have been found unusual, as lines of JSON, oldest
 * first. Takes the filter of `GET /_cairn/events`; events that it leaves out are not counted.
 */
export function insightRoutes({ history, managementAccountId }: InsightRoutesOptions): readonly HttpRoute[] {
  let running = 0;

  function handle({ query, call, signal }: RouteRequest): Promise<RouteAnswer> {
    if (!call) throw new AwsFault('AccessDenied', 'This path needs a signed request.', { status: 403 });
    const { from, to, ...filter } = readFilter(query, [], call, managementAccountId);
    if (from === undefined || to === undefined)
      throw invalidRequest('The parameters from and to are needed.');
    if (running >= backtestsAtOnce) {
      throw new AwsFault('ServiceUnavailable', 'A backtest is being made already. Try again later.', {
        status: 503,
      });
    }
    running += 1;
    let ended = false;
    const end = () => {
      if (!ended) running -= 1;
      ended = true;
    };
    // An answer that nobody begins to read never reaches the end of its generator.
    signal.addEventListener('abort', end, { once: true });
    return Promise.resolve({
      status: 200,
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines(backtest(history, filter, { from, to }, signal), end),
    });
  }

  return [
    { method: 'GET', path: '/_cairn/insights', operationName: 'BacktestInsights', access: 'read', handle },
  ];
}
