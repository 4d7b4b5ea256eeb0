import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../terminal/figures.ts';
import { neutralise } from '../terminal/text.ts';
import type { ImportAnswer } from './import-answers.ts';
import { otherName, type LogFile, type Unreadable, type Walk } from './walk.ts';

/** What an import has done so far; the run adds to it. */
export interface ImportTotals {
  filesDone: number;
  filesTotal: number;
  bytesDone: number;
  bytesTotal: number;
  /** Files that had been imported before. */
  filesKnown: number;
  /** Records that were read. */
  events: number;
  added: number;
  duplicates: number;
  badRecords: number;
  readonly accounts: Set<string>;
  readonly regions: Set<string>;
  /** ISO 8601 of the oldest and newest record. */
  from: string | undefined;
  to: string | undefined;
  readonly broken: Unreadable[];
}

export function emptyTotals(files: readonly LogFile[]): ImportTotals {
  return {
    filesDone: 0,
    filesTotal: files.length,
    bytesDone: 0,
    bytesTotal: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    filesKnown: 0,
    events: 0,
    added: 0,
    duplicates: 0,
    badRecords: 0,
    accounts: new Set(),
    regions: new Set(),
    from: undefined,
    to: undefined,
    broken: [],
  };
}

/** Adds what the server said of one file. */
export function addAnswer(totals: ImportTotals, answer: ImportAnswer): void {
  totals.events += answer.events;
  totals.added += answer.added;
  totals.duplicates += answer.duplicates;
  totals.badRecords += answer.bad;
  for (const account of answer.accounts) totals.accounts.add(account);
  for (const region of answer.regions) totals.regions.add(region);
  const { from, to } = answer;
  if (from !== undefined && (totals.from === undefined || from < totals.from)) totals.from = from;
  if (to !== undefined && (totals.to === undefined || to > totals.to)) totals.to = to;
}

/** Counts a file that was imported before: its events are not new, but what is wrong with it still is. */
export function addKnown(totals: ImportTotals, answer: ImportAnswer): void {
  totals.filesKnown++;
  totals.badRecords += answer.bad;
}

/** Anything that the exit code must tell. */
export function hasProblems(totals: ImportTotals): boolean {
  return totals.broken.length > 0 || totals.badRecords > 0;
}

const mostNames = 12;

function listNames(names: ReadonlySet<string>): string {
  const sorted = [...names].toSorted();
  const shown = sorted.slice(0, mostNames).map(neutralise).join(', ');
  const rest = sorted.length - mostNames;
  return rest > 0 ? `${shown} and ${formatCount(rest)} more` : shown;
}

/** The summary of an import, one line each. */
export function summarise(
  totals: ImportTotals,
  passedOver: Walk['passedOver'],
  durationMs: number,
): readonly string[] {
  const seconds = Math.max(durationMs, 1) / 1000;
  const fileParts = [`${formatNumberOf(totals.filesDone, 'file')} (${formatBytes(totals.bytesDone)})`];
  if (totals.filesKnown > 0) fileParts.push(`${formatCount(totals.filesKnown)} imported before`);
  if (totals.broken.length > 0) fileParts.push(`${formatCount(totals.broken.length)} broken`);
  const eventParts = [
    `${formatNumberOf(totals.events, 'event')}: ${formatCount(totals.added)} new`,
    formatNumberOf(totals.duplicates, 'duplicate'),
  ];
  if (totals.badRecords > 0) eventParts.push(formatNumberOf(totals.badRecords, 'bad record'));
  const lines = [`files     ${fileParts.join(', ')}`, `events    ${eventParts.join(', ')}`];
  if (totals.accounts.size > 0) lines.push(`accounts  ${listNames(totals.accounts)}`);
  if (totals.regions.size > 0) lines.push(`regions   ${listNames(totals.regions)}`);
  if (totals.from !== undefined) lines.push(`time      ${totals.from} to ${totals.to ?? totals.from}`);
  for (const { what, count } of passedOver) {
    const why =
      what === otherName ? 'their names do not end in .json or .json.gz' : 'no CloudTrail log files';
    lines.push(`passed    ${formatNumberOf(count, what)} (${why})`);
  }
  const rates = `${formatCount(totals.events / seconds)} events/s, ${formatBytes(totals.bytesDone / seconds)}/s`;
  lines.push(`took      ${formatDuration(durationMs)} (${rates})`);
  return lines;
}

/** The summary for programs: one JSON object. */
export function summaryJson(
  totals: ImportTotals,
  passedOver: Walk['passedOver'],
  durationMs: number,
): string {
  const { accounts, regions, broken, from, to, ...counts } = totals;
  return JSON.stringify({
    ...counts,
    accounts: [...accounts].toSorted(),
    regions: [...regions].toSorted(),
    ...(from === undefined ? {} : { from, to }),
    broken,
    passedOver,
    durationMs: Math.round(durationMs),
  });
}
