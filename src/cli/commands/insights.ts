import type { Command } from 'commander';
import { readLines } from '../connection/lines.ts';
import { addConnectionOptions, connect, type CommandContext, type ConnectionOptions } from '../context.ts';
import { addFilterOptions, filterQuery, type FilterOptions } from '../event-filter.ts';
import { exitCodes, usageError, type ExitCode } from '../exit-codes.ts';
import { formatTime } from '../terminal/figures.ts';
import { paint } from '../terminal/output.ts';

interface InsightsOptions extends ConnectionOptions {
  readonly json?: boolean;
}

interface Averages {
  readonly value: string;
  readonly average: number;
}

/** A line of `GET /_cairn/insights`. */
interface FoundInsight {
  readonly eventTime: string;
  readonly accountId: string;
  readonly awsRegion: string;
  readonly insightDetails: {
    readonly state: 'Start' | 'End';
    readonly eventSource: string;
    readonly eventName: string;
    readonly insightType: string;
    readonly errorCode?: string;
    readonly insightContext: {
      readonly statistics: {
        readonly baseline: { readonly average: number };
        readonly insight: { readonly average: number };
        readonly insightDuration: number;
      };
      readonly attributions: readonly { readonly attribute: string; readonly insight: readonly Averages[] }[];
    };
  };
  readonly why: {
    readonly trigger: { readonly by: 'api' } | { readonly by: 'caller'; readonly caller: string };
    readonly windowMinutes: number;
    readonly observed: number;
    readonly expected: number;
    readonly threshold: number;
  };
}

const needed = 'An account has none before seven full days of its history';

/** Declares `cairn insights`. */
export function declareInsights(command: Command): Command {
  addFilterOptions(
    command.description(
      `what insights would have been found in the history since --from, and why; oldest first. ${needed}.`,
    ),
    'stretch',
  ).option('--json', 'one insight a line');
  return addConnectionOptions(command);
}

const figure = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0));

function describe({ insightDetails, eventTime, accountId, awsRegion, why }: FoundInsight): readonly string[] {
  const { state, eventName, eventSource, insightType, errorCode, insightContext } = insightDetails;
  const { statistics, attributions } = insightContext;
  const what = insightType === 'ApiErrorRateInsight' ? `error rate of ${errorCode ?? '-'}` : 'call rate';
  const whose = why.trigger.by === 'caller' ? `calls of ${why.trigger.caller}` : 'all calls';
  const window = `${figure(why.observed)} in ${why.windowMinutes} minutes, ${figure(why.expected)} expected`;
  const because =
    state === 'Start'
      ? `${window}, unusual from ${figure(why.threshold)} (${whose})`
      : `${window}, calm below ${figure(why.threshold)}; it lasted ${statistics.insightDuration} minutes`;
  return [
    `${formatTime(Date.parse(eventTime))}  ${state.padEnd(5)}  ${eventSource} ${eventName}: ${what}  (${accountId}, ${awsRegion})`,
    `    ${because}`,
    `    ${figure(statistics.insight.average)} a minute, against ${figure(statistics.baseline.average)} over the baseline`,
    ...attributions.flatMap(({ attribute, insight }) =>
      insight.length === 0
        ? []
        : [`    ${attribute}: ${insight.map((one) => `${one.value} (${figure(one.average)})`).join(', ')}`],
    ),
  ];
}

/** Runs `cairn insights`. */
export async function insights(
  context: CommandContext,
  options: InsightsOptions & FilterOptions,
): Promise<ExitCode> {
  const { output, signal, clock } = context;
  const now = clock.now();
  const query = filterQuery(options, now);
  if (query['from'] === undefined) throw usageError('--from is needed, such as --from 7d');
  const connection = connect(context, options);
  try {
    const { body } = await connection.ask({
      method: 'GET',
      path: '/_cairn/insights',
      query: { to: new Date(now).toISOString(), ...query },
      signal,
    });
    let count = 0;
    for await (const raw of readLines(body)) {
      if (raw.length === 0) continue;
      count += 1;
      if (options.json) {
        await output.result(Buffer.concat([raw, Buffer.from('\n')]));
        continue;
      }
      const [title = '', ...lines] = describe(JSON.parse(Buffer.from(raw).toString()) as FoundInsight);
      await output.result(`${[paint(title, 'bold', output.resultColour), ...lines].join('\n')}\n`);
    }
    if (count === 0) output.note(`Nothing would have been unusual. ${needed}.`);
    return exitCodes.ok;
  } finally {
    connection.close();
  }
}
