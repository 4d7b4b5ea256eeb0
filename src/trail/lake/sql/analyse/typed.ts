import { createHash } from 'node:crypto';
import type { Expression, LambdaExpression, Query } from '../ast.ts';
import type { FindEventDataStore } from '../translate.ts';
import type { RowField, SqlType } from '../types.ts';

/** An expression of the statement as SQL of the engine, with its type. */
export interface Typed {
  readonly sql: string;
  readonly type: SqlType;
  /** A column in it that is neither grouped nor aggregated: what a query with GROUP BY may not have. */
  readonly loose?: { readonly name: string; readonly at: number } | undefined;
  /** The value, if it is a literal. */
  readonly text?: string | undefined;
  readonly number?: number | undefined;
  /** Members of it that the engine has as columns: their SQL, by path. */
  readonly flat?: Readonly<Record<string, string>> | undefined;
}

/** A column that names can mean. */
export interface ScopeColumn {
  readonly name?: string;
  readonly relation?: string;
  readonly sql: string;
  readonly type: SqlType;
  readonly flat?: Readonly<Record<string, string>>;
  /** The reading of a store whose view has the column only for who names it; * does not stand for it. */
  readonly apart?: { readonly store: string; readonly reading: number };
}

/** What names mean at one place, and outside it. */
export interface Scope {
  readonly columns: readonly ScopeColumn[];
  readonly parent?: Scope | undefined;
  /** Set once a query is known to be grouped: the SQL of what it is grouped by. */
  groups?: ReadonlySet<string>;
  /** Names that come before the columns: the parameters of a lambda, the aliases that ORDER BY sees. */
  readonly names?: ReadonlyMap<string, Typed>;
}

/** A common table or the result of a query. */
export interface Result {
  readonly sql: string;
  readonly columns: readonly ResultColumn[];
}

export interface ResultColumn {
  readonly name?: string;
  /** What the SQL calls it. */
  readonly physical: string;
  readonly type: SqlType;
}

/** Bounds of the times of events, as SQL of the engine that means the same for every event; all of them hold. */
export interface TimeBounds {
  readonly atLeast: readonly string[];
  readonly atMost: readonly string[];
}

/** What one reading of a store can see of it: events with these ids, and of these times; all of them where it does not say. */
export interface SeenEvents {
  readonly ids?: readonly string[];
  readonly times?: TimeBounds;
  /** The events in SQL: what is read, their ids, and conditions that hold for all that can be seen. */
  readonly events: {
    readonly from: string;
    readonly id: string;
    readonly where: () => readonly string[];
  };
  /** Whether a column is asked for that the view has only for who names it. */
  readonly asksApart?: boolean;
}

/** The stores that a statement reads: for each reading what it can see. */
export type StoreUses = Map<string, SeenEvents[]>;

/** What holds for the whole statement. */
export interface Session {
  readonly tables: FindEventDataStore;
  readonly nowMs: number | undefined;
  readonly stores: StoreUses;
  /** A name that nothing else in the statement has. */
  unique(prefix: string): string;
  analyseQuery(query: Query, common: CommonTables, outer: Scope | undefined): Result;
  analyse(expression: Expression, place: Place): Typed;
}

/** The common tables in sight, by name in lower case. */
export type CommonTables = ReadonlyMap<
  string,
  { readonly physical: string; readonly columns: readonly ResultColumn[] }
>;

/** Where an expression stands. */
export interface Place {
  readonly session: Session;
  readonly scope: Scope;
  readonly common: CommonTables;
  /** The clause, for messages. */
  readonly clause: string;
  readonly aggregates: boolean;
  readonly windows: boolean;
  /** Inside try(): errors must be of the kind that the engine's TRY takes. */
  readonly trying: boolean;
  readonly lambdaDepth: number;
  /** Named windows of the query, by name in lower case. */
  readonly namedWindows: ReadonlyMap<string, WindowParts>;
}

export interface WindowParts {
  readonly partitionBy: string;
  readonly orderBy: string;
  readonly frame: string;
  readonly loose?: Typed['loose'];
}

/** A lambda, analysed with the types that its parameters have. */
export interface Lambda {
  readonly parameters: readonly string[];
  readonly body: Typed;
}

/** Analyses a lambda. `bind` gives what each parameter stands for; by default a parameter of the engine's lambda. */
export function analyseLambda(lambda: LambdaExpression, place: Place, parameters: readonly Typed[]): Typed {
  const names = new Map(
    lambda.parameters.map((name, index) => [name.text.toLowerCase(), parameters[index] as Typed]),
  );
  const scope: Scope = { columns: [], parent: place.scope, names };
  return place.session.analyse(lambda.body, {
    ...place,
    scope,
    clause: 'a lambda',
    aggregates: false,
    windows: false,
    lambdaDepth: place.lambdaDepth + 1,
  });
}

/** SQL short enough, and without chance in it, that it may stand twice. */
const cheapLength = 100;

/**
 * Writes SQL that uses operands more than once. What is long is named by a lambda over a list of one, so that
 * nesting does not double the text at every level. The name is the operand's own hash: the same expression is
 * written alike wherever it stands, which GROUP BY relies on.
 */
export function withOperands(operands: readonly string[], write: (...names: string[]) => string): string {
  const isCheap = (sql: string): boolean =>
    sql.length <= cheapLength && !sql.includes('random()') && !sql.includes(outerColumn);
  if (operands.every(isCheap)) return write(...operands);
  const packed = operands.map((sql, index) => `'p${index}': ${sql}`).join(', ');
  const name = `"h${createHash('sha256').update(packed).digest('hex').slice(0, 16)}"`;
  const fields = operands.map((_sql, index) => `struct_extract(${name}, 'p${index}')`);
  const body = write(...fields);
  // Where a lambda cannot be, the operands stand twice; the bound on what is written holds.
  if (body.includes(notInLambda) || body.includes(outerColumn)) return write(...operands);
  return `list_transform([{${packed}}], lambda ${name}: ${body})[1]`;
}

/** Stands before the SQL of a subquery, an aggregate and a window function, which the engine takes in no lambda. */
export const notInLambda = '/*whole*/';

/** Stands before a column of a query around the one that names it, which the engine does not find from a lambda. */
export const outerColumn = '/*outer*/';

/** Whether the body of a lambda in this SQL has a column of a query around it. */
export function hasOuterInLambda(sql: string): boolean {
  if (!sql.includes(outerColumn)) return false;
  let depth = 0;
  const bodies: number[] = [];
  for (const [part] of sql.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|\/\*outer\*\/|\blambda\b|[([{]|[)\]}]/g)) {
    if (part === 'lambda') bodies.push(depth);
    else if (part === outerColumn && bodies.length > 0) return true;
    else if ('([{'.includes(part)) depth += 1;
    else if (')]}'.includes(part)) {
      depth -= 1;
      while ((bodies.at(-1) ?? -1) > depth) bodies.pop();
    }
  }
  return false;
}

/** SQL of a type that fails with a message when it is evaluated. */
export function failing(place: Place, message: string, engineType: string): string {
  const text = `'${message.replaceAll("'", "''")}'`;
  const error = place.trying ? `CAST(${text} AS INTEGER)` : `error(${text})`;
  return `${canFail}CAST(${error} AS ${engineType})`;
}

/** Stands before SQL that can fail, so that AND and OR keep it from rows that the operands before it have decided. */
export const canFail = '/*fails*/';

/** The first column among these that is neither grouped nor aggregated. */
export function looseOf(...parts: readonly (Typed | undefined)[]): Pick<Typed, 'loose'> {
  const loose = parts.find((part) => part?.loose)?.loose;
  return loose ? { loose } : {};
}

/** Reads a field of a row. */
export function readField(sql: string, field: RowField): string {
  return `struct_extract(${sql}, '${field.physical.replaceAll("'", "''")}')`;
}
