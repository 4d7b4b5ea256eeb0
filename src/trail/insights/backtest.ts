import type { EventFilter, History } from '../history/index.ts';
import { countedRecord } from './counted-record.ts';
import type { InsightFinding } from './insight-types.ts';
import { baselineHours } from './rate-model.ts';
import { countEvent, newRateEngine, passTime } from './rate-engine.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
/** Time that is read at a time: within it the order of events does not matter. */
const stepMs = 15 * minuteMs;

/**
 * Plays the history through the rates: the 28 days before `from` for the baseline, then up to `to`. Gives what would have
 * been found, in the order of time, whoever wanted insights then.
 */
export async function* backtest(
  history: Pick<History, 'stream'>,
  filter: EventFilter,
  span: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): AsyncIterable<InsightFinding> {
  const begin = Math.floor((span.from - baselineHours * hourMs) / hourMs) * hourMs;
  const engine = newRateEngine(begin, hourMs / minuteMs);
  let stepEnd = begin;
  while (stepEnd < span.to) {
    // Before what is asked for nothing needs to be judged minute by minute.
    const from = stepEnd;
    stepEnd = Math.min(from + (from + hourMs <= span.from ? hourMs : stepMs), span.to);
    signal.throwIfAborted();
    // Minutes are judged once their events are counted: the engine is told that they are open until then.
    for await (const { raw } of history.stream({ ...filter, from, to: stepEnd - 1 }, signal)) {
      const event = countedRecord(raw);
      if (event) countEvent(engine, event);
    }
    for (const finding of passTime(engine, stepEnd + minuteMs)) {
      if (finding.startMinute * minuteMs >= span.from) yield finding;
    }
  }
}
