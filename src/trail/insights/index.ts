/**
 * Insights: unusual rates of calls and of errors. In flow the entries of the journal's `audit` stream, which are counted by
 * the minute, and the insight selectors of trails and event data stores; out flow Insights events, appended to the same
 * stream, and backtests over the history. FORMAT.md says what is kept, and when a rate is unusual.
 */
export { openInsights, type Insights } from './open-insights.ts';
