import type { Sequence } from '../kernel/index.ts';

/** A column of the table. */
export interface ColumnType {
  /** The member of the JSON object that it is taken from, letter by letter. */
  readonly name: string;
  /** VARCHAR, BOOLEAN, TIMESTAMP, MAP(…, …), STRUCT(name …, …), and any of them with [] behind it. */
  readonly type: string;
  /** The version of the table in which it came, or became what it is; 1 unless told. */
  readonly since?: number;
  /** Its value in files of versions before that, in SQL of the engine over their columns; null unless told. */
  readonly earlier?: string;
  /** Of a string column most of whose values are UUIDs: the version of the table since which they take 16 bytes. */
  readonly uuidsSince?: number;
  /** Of a struct: the paths of the maps in it. */
  readonly maps?: readonly (readonly string[])[];
}

/** A column that queries find beside the others, made of them: reading it is faster than reading what it is made of. */
export interface DerivedColumn {
  readonly name: string;
  /** SQL of the engine over the columns. */
  readonly from: string;
  /** The version of the table in which it came; 1 unless told. */
  readonly since?: number;
}

/** What a table of columns holds, and which columns tell its rows apart. */
export interface ColumnsTable {
  /** Counts up with every change to the columns. What an earlier version wrote stays and is read as the columns say. 1 unless told. */
  readonly version?: number;
  readonly columns: readonly ColumnType[];
  readonly derived?: readonly DerivedColumn[];
  /** Names of string columns: whom a row belongs to (twelve digits), and what tells the rows of one owner apart. */
  readonly owner: string;
  readonly id: string;
  /** Name of a timestamp column: rows are sorted, pruned and dropped by it. */
  readonly time: string;
}

/** One JSON object to be kept. */
export interface ColumnsRow {
  /** Its place in the journal; below zero for a row that has none any more. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Rows that are gathered for a batch, and take no memory while they wait. Disposing lets go of them where they were not taken. */
export interface GatheredRows extends AsyncDisposable {
  readonly count: number;
  readonly sizeBytes: number;
  /** Adds rows, in the order of their sequences. When it rejects, none of them was added. One at a time. */
  add(rows: readonly ColumnsRow[]): Promise<void>;
}

export interface ColumnsBatch {
  readonly rows: readonly ColumnsRow[] | GatheredRows;
  /** Everything of the journal before it is in this batch or was in an earlier one. */
  readonly through: Sequence;
}

export interface Appended {
  readonly added: number;
  /** Rows whose owner and id (at the same time) were there already. */
  readonly duplicates: number;
  /** Rows that could not be taken: no owner, id or time that can be read. At most the first hundred are named. */
  readonly unreadable: readonly Sequence[];
}

/** A view that a query reads: rows of one owner. No other rows can be reached from the query. */
export interface ColumnsView {
  readonly name: string;
  readonly owner: string;
  /** SQL of the engine over the table's columns and `_sequence`, written by the program and never by a caller. */
  readonly where?: string;
  /** All ids that the query asks for: of other rows any may be missing in the view. Every row unless told. */
  readonly ids?: readonly string[];
  /** Stretches of time that the query reads rows of: of other times any may be missing in the view. All times unless told. */
  readonly times?: readonly TimeStretch[];
  /**
   * More columns of the view, all of text: their names, and a file with a line for each row that has them, a JSON object of
   * them and the row's `id`. Elsewhere they are null.
   */
  readonly apart?: { readonly columns: readonly string[]; readonly file: string };
}

/** Bounds of times, inclusive, in SQL of the engine that names no columns; all of them hold. */
export interface TimeStretch {
  readonly atLeast: readonly string[];
  readonly atMost: readonly string[];
}

export interface ColumnsQuery {
  /** One SELECT in the engine's own SQL over the views. */
  readonly sql: string;
  readonly views: readonly ColumnsView[];
  /** File that the rows are written to: a line for each, a JSON list of texts and nulls. Replaced if it is there. */
  readonly into: string;
  /** Rows beyond it make the query fail. */
  readonly mostBytes: number;
}

export type QueryOutcome =
  | {
      readonly kind: 'finished';
      readonly columns: readonly { readonly name: string; readonly type: string }[];
      readonly rows: number;
      /** Of the file that was written. */
      readonly bytes: number;
      /** Rows and bytes of the files that the query had before it. */
      readonly scannedRows: number;
      readonly scannedBytes: number;
    }
  /** The engine refused it, a bound was reached, or the engine died of it. */
  | { readonly kind: 'failed'; readonly reason: string };

/** One stretch of rows for an export. */
export interface ColumnsPart {
  readonly owner: string;
  readonly values: Readonly<Record<string, string | null>>;
  /** UTC, `YYYY-MM-DD`. */
  readonly day: string;
  readonly rows: number;
}

export interface ColumnsStats {
  readonly rows: number;
  readonly files: number;
  readonly sizeBytes: number;
}

/**
 * The `columns` port: rows as typed columns that SQL is asked of, a projection of the journal. Batches come in the order
 * of the journal; one that was taken before is left out by its `through`, also after a crash, so a row is there once.
 */
export interface Columns extends AsyncDisposable {
  /** Everything of the journal before it is durable here. */
  readonly durable: Sequence;
  /** Begins to gather rows. They are to be handed to `append` or `fill`, or let go of; else they are kept until the columns are closed. */
  gather(): Promise<GatheredRows>;
  /**
   * Takes a batch; durable and seen by queries that begin later, all of it or nothing, when it resolves. One at a time.
   * Rows that were gathered can be handed in again when it rejects, and no more when it resolves.
   */
  append(batch: ColumnsBatch): Promise<Appended>;
  /**
   * Takes rows that the journal has no more, with sequences below zero, each another. Those that are there already are left
   * out. Else as `append`, and beside it.
   */
  fill(rows: GatheredRows): Promise<Pick<Appended, 'added' | 'duplicates'>>;
  /**
   * Runs a query apart from this process, within bounds of memory. Aborting ends it and frees what it holds at once; then it
   * rejects with the signal's reason.
   */
  query(query: ColumnsQuery, signal: AbortSignal): Promise<QueryOutcome>;
  /** The parts of an owner's rows by `by` (string columns) and day, with times from (inclusive) to (exclusive), epoch milliseconds. */
  parts(
    view: ColumnsView,
    range: { readonly by: readonly string[]; readonly from?: number; readonly to?: number },
    signal: AbortSignal,
  ): Promise<readonly ColumnsPart[]>;
  /** Writes the rows of each part as a Parquet file that other engines read. */
  writeParts(
    view: ColumnsView,
    parts: readonly (Omit<ColumnsPart, 'rows'> & { readonly into: string })[],
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Drops rows older than the owner's time (epoch milliseconds), by whole files, some of them written anew; how many files
   * that were.
   */
  drop(before: ReadonlyMap<string, number>): Promise<number>;
  /** Owners of whom there are rows. */
  owners(): readonly string[];
  stats(): ColumnsStats;
  /** Resolves when no merge is running or due. */
  settled(): Promise<void>;
}
