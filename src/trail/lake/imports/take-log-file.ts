import type { Clock } from '../../../kernel/index.ts';
import type { Stream } from '../../../journal/index.ts';
import type { HistoryReader } from '../../history-reader.ts';
import { openScanPacker, scanRecord } from '../../history/index.ts';
import { appendRecords } from '../../import/append-records.ts';
import type { FileParsers } from '../../import/file-parsers.ts';
import type { ParsedLogFile } from '../../import/parse-log-file.ts';

/** What of a log file is wanted. */
export interface WantedRecords {
  /** Only of this account, unless it is undefined. */
  readonly accountId: string | undefined;
  /** Only of these times, epoch milliseconds, both inclusive. */
  readonly from: number | undefined;
  readonly to: number | undefined;
}

export type TakenLogFile =
  | {
      readonly kind: 'taken';
      /** Records that were wanted, also those that were there already. */
      readonly events: number;
      /** Records of other accounts, which were left out. */
      readonly foreign: number;
      /** Records that cannot be read. */
      readonly bad: number;
      /** Least and greatest eventTime of those taken, epoch milliseconds. */
      readonly from: number | undefined;
      readonly to: number | undefined;
    }
  | { readonly kind: 'broken'; readonly reason: string };

/** Brings the records of a log file into the journal; they are durable when it resolves. Rejects as the journal does. */
export type TakeLogFile = (
  file: Uint8Array<ArrayBuffer>,
  wanted: WantedRecords,
  signal: AbortSignal,
) => Promise<TakenLogFile>;

interface Chosen {
  readonly file: ParsedLogFile;
  readonly events: number;
  readonly foreign: number;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** The part of a file that is wanted. */
function choose(file: ParsedLogFile, wanted: WantedRecords): Chosen {
  const spans: number[] = [];
  const packer = openScanPacker();
  let [foreign, least, greatest] = [0, Infinity, -Infinity];
  for (let at = 0; at < file.spans.length; at += 2) {
    const [start = 0, end = 0] = [file.spans[at], file.spans[at + 1]];
    const scan = scanRecord(file.bytes.subarray(start, end));
    if (scan.kind !== 'record') continue;
    const { accountId, eventTime } = scan.record;
    if (eventTime < (wanted.from ?? -Infinity) || eventTime > (wanted.to ?? Infinity)) continue;
    if (wanted.accountId !== undefined && accountId !== wanted.accountId) {
      foreign++;
      continue;
    }
    least = Math.min(least, eventTime);
    greatest = Math.max(greatest, eventTime);
    spans.push(start, end);
    packer.add(scan.record);
  }
  const events = spans.length / 2;
  const chosen = {
    ...file,
    spans: Uint32Array.from(spans),
    scans: packer.pack(),
  };
  const times = events > 0 ? { from: least, to: greatest } : { from: undefined, to: undefined };
  return { file: chosen, events, foreign, ...times };
}

/** Opens the way from log files into the journal, over the parts that imports of the command line use too. */
export function openTakeLogFile(parts: {
  readonly parsers: FileParsers;
  readonly stream: Stream;
  readonly historyReader: Pick<HistoryReader, 'countGroup'>;
  readonly clock: Clock;
}): TakeLogFile {
  return async (bytes, wanted, signal) => {
    const file = await parts.parsers.parse(bytes.buffer);
    if (file.kind === 'broken') return file;
    const { file: chosen, ...counts } = choose(file, wanted);
    if (counts.events > 0) await appendRecords({ ...parts, signal }, chosen);
    return { kind: 'taken', ...counts, bad: file.badCount };
  };
}
