import type { BucketSource } from './bucket-source.ts';
import type { Finding } from './findings.ts';
import type { Pool } from './pool.ts';
import type { PublicKeys } from './public-keys.ts';
import type { Remembered } from './remembered.ts';

/** What of one kind of file was valid. `remembered` are the valid ones that an earlier run had verified. */
export interface FileCount {
  valid: number;
  invalid: number;
  remembered: number;
}

export interface VerifyTotals {
  readonly digests: FileCount;
  readonly backfillDigests: FileCount;
  readonly logs: FileCount;
  /** Log files that are newer than the last digest of their region. */
  newer: number;
  /** Log files of times that no valid digest covers: nothing is known of them. */
  uncovered: number;
  findings: number;
  /** Files to be looked at, and looked at, for the progress. */
  filesTotal: number;
  filesDone: number;
  bytesTotal: number;
  bytesDone: number;
}

const none = (): FileCount => ({ valid: 0, invalid: 0, remembered: 0 });

export function emptyTotals(): VerifyTotals {
  return {
    digests: none(),
    backfillDigests: none(),
    logs: none(),
    newer: 0,
    uncovered: 0,
    findings: 0,
    filesTotal: 0,
    filesDone: 0,
    bytesTotal: 0,
    bytesDone: 0,
  };
}

/** Everything that a run of the command works with. */
export interface VerifyRun {
  readonly source: BucketSource;
  readonly keys: PublicKeys;
  readonly remembered: Remembered;
  readonly pool: Pool;
  /** Epoch milliseconds; -Infinity and Infinity where there is no bound. */
  readonly startTime: number;
  readonly endTime: number;
  /** The digests of this trail alone. */
  readonly trail:
    | { readonly accountId: string; readonly homeRegion: string; readonly name: string }
    | undefined;
  readonly totals: VerifyTotals;
  report(finding: Finding): void;
  /** Something to know that is no problem. */
  note(line: string): void;
  progressed(): void;
}
