/** A column of an event data store. */
export interface LakeColumn {
  /** As CloudTrail Lake documents it; the view has a column of this name, and names are compared without case. */
  readonly name: string;
  /**
   * The DuckDB type, such as `VARCHAR`, `TIMESTAMP` (UTC), `MAP(VARCHAR, VARCHAR)` or
   * `STRUCT("type" VARCHAR, arn VARCHAR)[]`, whose fields are named as the view names them.
   */
  readonly type: string;
}

/** What an event data store is to the engine. */
export interface LakeTable {
  /** The name of a DuckDB view or table; it is quoted by the writer. */
  readonly view: string;
  readonly columns: readonly LakeColumn[];
  /** Columns that CloudTrail Lake documents and the view lacks, each with what to tell who names it. */
  readonly withheld?: Readonly<Record<string, string>>;
}

/**
 * Finds an event data store by the id that a statement's FROM has (of an ARN, what follows `eventdatastore/`; in
 * lower case unless it was quoted). Undefined if there is none that this caller may query.
 */
export type FindEventDataStore = (id: string) => LakeTable | undefined;

/** A statement, translated or refused. */
export type Translation =
  | {
      readonly kind: 'query';
      /** One SELECT of DuckDB. It reads nothing but the views that it was given. */
      readonly sql: string;
      /** The ids as `tables` was asked for them, each once, in the order of their first use. */
      readonly eventDataStoreIds: readonly string[];
      /** The columns of the result, in order, with names as written (`_col0` for an expression) and Trino types. */
      readonly columns: readonly LakeColumn[];
    }
  | {
      readonly kind: 'refused';
      /** What was refused, in a sentence without its place. */
      readonly message: string;
      /** From 1. */
      readonly line: number;
      /** From 1, in characters (UTF-16 code units). */
      readonly column: number;
    };

/**
 * Translates one SELECT statement of Trino into one of DuckDB with the same meaning, or refuses it.
 * @param sql the statement, at most 10,000 characters
 * @param tables finds an event data store by its id
 * @param options `nowMs`: what current_timestamp and its kin give, in milliseconds since 1970, UTC; without it
 *   they give the engine's own clock
 */
export function translate(
  sql: string,
  tables: FindEventDataStore,
  options: { readonly nowMs?: number } = {},
): Translation {
  void [sql, tables, options];
  return { kind: 'refused', message: 'Nothing is translated yet', line: 1, column: 1 };
}
