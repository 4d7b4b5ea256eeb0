/** A query and the rows that it must give, each cell as text: null for NULL, `[a, b]`, `{k=v}` and `(a, b)` for values that hold others. */
export interface QueryCase {
  readonly sql: string;
  readonly rows?: readonly (readonly (string | null)[])[];
  /** Instead of rows: what the failure says while the query runs. */
  readonly fails?: string;
}

/** Cases with the page that says what they must give. */
export interface CaseGroup {
  readonly page: string;
  readonly cases: readonly QueryCase[];
}

/** A query of one row. */
export function one(sql: string, ...cells: readonly (string | null)[]): QueryCase {
  return { sql, rows: [cells] };
}

/** A query of one column. */
export function column(sql: string, ...cells: readonly (string | null)[]): QueryCase {
  return { sql, rows: cells.map((cell) => [cell]) };
}

/** A query of several rows. */
export function rows(sql: string, ...expected: readonly (readonly (string | null)[])[]): QueryCase {
  return { sql, rows: expected };
}

/** A query that fails while it runs. */
export function fails(sql: string, message: string): QueryCase {
  return { sql, fails: message };
}
