import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { busEventText } from '../journal/index.ts';
import type { CalledFrom } from './bus-names.ts';
import { busQuotas } from './bus-quotas.ts';
import { checkDetail } from './event-detail.ts';

/** Why an entry of PutEvents is not taken, as its place in the answer says ("PutEventsResultEntry"). */
export interface EntryFailure {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}

/** An entry that has what every event needs. */
export interface CheckedEntry {
  readonly source: string;
  readonly detailType: string;
  readonly detail: string;
  /** Epoch milliseconds; undefined where the entry leaves it to the time of the call. */
  readonly time: number | undefined;
  readonly resources: readonly string[];
}

/**
 * Bytes of an entry, as "Calculating Amazon EventBridge PutEvents event entry size" counts them: 14 for a time, and the
 * UTF-8 of source, detail type, detail and resources.
 */
export function entryBytes({ Time, Source, DetailType, Detail, Resources }: PutEventsRequestEntry): number {
  const texts = [Source, DetailType, Detail, ...(Resources ?? [])];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), Time === undefined ? 0 : 14);
}

const invalidArgument = (name: string, reason: string): EntryFailure => ({
  ErrorCode: 'InvalidArgument',
  ErrorMessage: `Parameter ${name} is not valid. Reason: ${reason}`,
});

const missing = (name: string): EntryFailure => invalidArgument(name, `${name} is a required argument.`);

/** Events have years of four digits. */
const isShown = (time: number): boolean => time >= Date.UTC(0) && time < Date.UTC(10_000, 0);

/** What is wrong with one entry, or the entry as an event has it. */
export function checkEntry(entry: PutEventsRequestEntry): CheckedEntry | EntryFailure {
  const { Source, DetailType, Detail, Time, Resources } = entry;
  if (Source === undefined || Source === '') return missing('Source');
  if (DetailType === undefined || DetailType === '') return missing('DetailType');
  if (Detail === undefined || Detail === '') return missing('Detail');
  if (DetailType.length > busQuotas.detailTypeCharacters) {
    return invalidArgument(
      'DetailType',
      `DetailType has at most ${busQuotas.detailTypeCharacters} characters.`,
    );
  }
  if (Source.startsWith('aws.')) {
    return {
      ErrorCode: 'NotAuthorizedForSourceException',
      ErrorMessage: 'Not authorized for the source.',
    };
  }
  const time = Time?.getTime();
  if (time !== undefined && !isShown(time)) return invalidArgument('Time', 'Time is out of range.');
  if (!checkDetail(Detail)) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  return { source: Source, detailType: DetailType, detail: Detail, time, resources: Resources ?? [] };
}

export const isFailure = (checked: CheckedEntry | EntryFailure): checked is EntryFailure =>
  'ErrorCode' in checked;

/** The event that an entry becomes: of the account and region of its sender, whoever's bus it is put on. */
export function eventTextOf(
  { time, ...entry }: CheckedEntry,
  id: string,
  call: CalledFrom & { readonly time: number },
): string {
  return busEventText({
    ...entry,
    id,
    account: call.accountId,
    region: call.region,
    time: time ?? call.time,
  });
}
