import { intervalDayText, intervalMonthText, timestampText } from './analyse/cast-text.ts';
import { analyseExpression } from './analyse/expression.ts';
import { analyseQuery } from './analyse/query.ts';
import { hasOuterInLambda } from './analyse/typed.ts';
import type { Result, Session, StoreUses, TimeBounds } from './analyse/typed.ts';
import { bounds } from './bounds.ts';
import { parseStatement } from './parse/query.ts';
import { RefusedError, placeOf, refuse } from './refusal.ts';
import { quoteName, typeText } from './types.ts';
import type { SqlType } from './types.ts';
import { toLocal } from './zones.ts';

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
  /** Text columns that * does not stand for, and that the view has only where `Translation.apart` says so. */
  readonly apart?: readonly string[];
  /** Paths of members of rows (`userIdentity.arn`, letter by letter) that the view has as columns of that name as well. */
  readonly flat?: readonly string[];
  /** The string column that tells events apart, and the timestamp that tells when they were. */
  readonly idColumn?: string;
  readonly timeColumn?: string;
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
      /** Of stores of which the statement can see events with these ids alone: the ids. */
      readonly eventIds: Readonly<Record<string, readonly string[]>>;
      /** Of stores of which the statement can see events of some times alone: those of each reading. */
      readonly eventTimes: Readonly<Record<string, readonly TimeBounds[]>>;
      /**
       * Of stores of whose events columns are asked for that the view has not else (`LakeTable.apart`): a SELECT of the engine
       * of the ids of all events of which they can be seen, and perhaps some more.
       */
      readonly apart: Readonly<Record<string, string>>;
      /** The columns of the result, in order, with names as written (`_col0` for an expression) and Trino types. */
      readonly columns: readonly LakeColumn[];
    }
  | {
      readonly kind: 'refused';
      /** What was refused, in a sentence without its place. */
      readonly message: string;
      /** The id that FROM has of an event data store that there is not, where that is why. */
      readonly unknownStore?: string;
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
  try {
    if (sql.length > bounds.statementCharacters)
      refuse(0, `A statement has at most ${bounds.statementCharacters} characters, not ${sql.length}`);
    const stores: StoreUses = new Map();
    const session = openSession(tables, options.nowMs, stores);
    const result = session.analyseQuery(parseStatement(sql), new Map(), undefined);
    const written = present(result);
    if (written.sql.length > bounds.writtenCharacters)
      refuse(0, 'The statement is too complex; give its parts names with WITH, or divide it');
    return {
      kind: 'query',
      ...written,
      eventDataStoreIds: [...stores.keys()],
      eventIds: onlyIds(stores),
      eventTimes: onlyTimes(stores),
      apart: apartOf(stores),
    };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const { message, unknownStore, at } = error;
    return {
      kind: 'refused',
      message,
      ...placeOf(sql, at),
      ...(unknownStore !== undefined && { unknownStore }),
    };
  }
}

/** The ids asked for of each store that the statement reads once; of one that is read twice the parts would have to be joined. */
function onlyIds(stores: StoreUses): Readonly<Record<string, readonly string[]>> {
  const found = [...stores].flatMap(([store, uses]) => {
    const [seen, ...more] = uses;
    return seen?.ids && more.length === 0 ? [[store, seen.ids] as const] : [];
  });
  return Object.fromEntries(found);
}

/** The times of each reading of the stores of which every reading says them. */
function onlyTimes(stores: StoreUses): Readonly<Record<string, readonly TimeBounds[]>> {
  const found = [...stores].flatMap(([store, uses]) => {
    const times = uses.flatMap((seen) => seen.times ?? []);
    return times.length === uses.length ? [[store, times] as const] : [];
  });
  return Object.fromEntries(found);
}

function apartOf(stores: StoreUses): Readonly<Record<string, string>> {
  const found = [...stores].flatMap(([store, uses]) => {
    const parts = uses.flatMap(({ asksApart, events }) => {
      if (!asksApart) return [];
      const where = ['true', ...events.where()].map((condition) => `(${condition})`).join(' AND ');
      return [`SELECT ${events.id} AS "id" FROM ${events.from} WHERE ${where}`];
    });
    return parts.length === 0 ? [] : [[store, parts.join(' UNION ')] as const];
  });
  return Object.fromEntries(found);
}

function openSession(tables: FindEventDataStore, nowMs: number | undefined, stores: StoreUses): Session {
  const counts = new Map<string, number>();
  const session: Session = {
    tables,
    nowMs,
    stores,
    unique(prefix) {
      const count = (counts.get(prefix) ?? 0) + 1;
      counts.set(prefix, count);
      return `${prefix}${count}`;
    },
    analyseQuery: (query, common, outer) => analyseQuery(query, session, common, outer),
    analyse(expression, place) {
      const typed = analyseExpression(expression, place);
      if (typed.sql.length > bounds.writtenCharacters)
        refuse(expression.at, 'This expression is too complex; give its parts names with WITH, or divide it');
      if (hasOuterInLambda(typed.sql))
        refuse(
          expression.at,
          'Inside a subquery, LATERAL or UNNEST, a lambda or its function cannot use columns from outside',
        );
      return typed;
    },
  };
  return session;
}

/** A value as the engine's caller reads it: what is held otherwise than its type says becomes text. */
function presented(sql: string, type: SqlType): string {
  if (type.kind === 'timestamptz')
    return `(${timestampText(toLocal(sql, type.zone), type.precision)} || ' ${type.zone}')`;
  // As a double, the shortest digits of a real are its digits; else they would be those of the nearest double.
  if (type.kind === 'real') return `CAST(CAST(${sql} AS VARCHAR) AS DOUBLE)`;
  if (type.kind === 'interval-day') return intervalDayText(sql);
  if (type.kind === 'interval-month') return intervalMonthText(sql);
  if (holdsAddress(type))
    refuse(0, 'A result cannot have values of the type ipaddress; select the text that they were cast from');
  return sql;
}

function holdsAddress(type: SqlType): boolean {
  if (type.kind === 'array') return holdsAddress(type.element);
  if (type.kind === 'map') return holdsAddress(type.key) || holdsAddress(type.value);
  if (type.kind === 'row') return type.fields.some((field) => holdsAddress(field.type));
  return type.kind === 'ipaddress';
}

/** The outermost query, whose columns have the names that the statement gives them. */
function present(result: Result): { readonly sql: string; readonly columns: readonly LakeColumn[] } {
  const columns = result.columns.map(({ name, type }, index) => ({
    name: name ?? `_col${index}`,
    type: typeText(type),
  }));
  const written = result.columns.map(({ physical, type }, index) => {
    const read = `"result".${quoteName(physical)}`;
    return `${presented(read, type)} AS ${quoteName(columns[index]?.name ?? physical)}`;
  });
  return { sql: `SELECT ${written.join(', ')} FROM (${result.sql}) AS "result"`, columns };
}
