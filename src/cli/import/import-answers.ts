import type { ImportSummary } from '../../trail/index.ts';

/** What `POST /_cairn/import` answers for one log file, as far as the command reads it. */
export type ImportAnswer = Omit<ImportSummary, 'sha256'>;

/** What `POST /_cairn/import/check` answers: those of the SHA-256 that are imported already. */
export interface CheckAnswer {
  readonly imported: readonly string[];
}
