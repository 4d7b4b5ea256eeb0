/** What `POST /_cairn/import` answers for one log file. */
export interface ImportAnswer {
  readonly events: number;
  readonly added: number;
  readonly duplicates: number;
  /** Records that could not be taken. */
  readonly bad: number;
  /** The first of the bad records: their place in the file, from 0, and what is wrong. */
  readonly problems: readonly { readonly record: number; readonly reason: string }[];
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** ISO 8601; absent when the file holds no record. */
  readonly from?: string;
  readonly to?: string;
  /** The same file was imported before; the counts are those of that time. */
  readonly alreadyImported?: true;
}

/** What `POST /_cairn/import/check` answers: those of the SHA-256 that are imported already. */
export interface CheckAnswer {
  readonly imported: readonly string[];
}
