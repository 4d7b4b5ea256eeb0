import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { systemClock, type Timer } from '../../../kernel/index.ts';
import {
  DuckDBArrayType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  DuckDBTypeId,
  type DuckDBPreparedStatement,
  type DuckDBType,
} from '@duckdb/node-api';
import { QueryProblem } from './check-statement.ts';
import type { EngineInstance } from './engine-instance.ts';
import { quoteName, quoteText } from './table-sql.ts';

const timestamps = new Set([
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.TIMESTAMP_S,
]);
const nested = new Set([DuckDBTypeId.LIST, DuckDBTypeId.STRUCT, DuckDBTypeId.MAP, DuckDBTypeId.ARRAY]);

/** A floating number; what is no number has the names that Trino gives it. */
function floatText(column: string): string {
  const infinite = `CASE WHEN ${column} > 0 THEN 'Infinity' ELSE '-Infinity' END`;
  return `CASE WHEN isnan(${column}) THEN 'NaN' WHEN isinf(${column}) THEN ${infinite} ELSE ${column}::VARCHAR END`;
}

function holdsFloat(type: DuckDBType): boolean {
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) return holdsFloat(type.valueType);
  if (type instanceof DuckDBMapType) return holdsFloat(type.valueType);
  if (type instanceof DuckDBStructType) return type.entryTypes.some(holdsFloat);
  return type.typeId === DuckDBTypeId.DOUBLE || type.typeId === DuckDBTypeId.FLOAT;
}

/** A value as JSON. What is no number is a string there, as Trino's writer of JSON has it; the engine would write no JSON. */
function jsonOf(value: string, type: DuckDBType): string {
  if (!holdsFloat(type)) return `to_json(${value})`;
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) {
    return `to_json(list_transform(${value}, lambda "j": ${jsonOf('"j"', type.valueType)}))`;
  }
  if (type instanceof DuckDBMapType) {
    const values = `list_transform(map_values(${value}), lambda "j": ${jsonOf('"j"', type.valueType)})`;
    return `CASE WHEN ${value} IS NULL THEN NULL ELSE to_json(map(map_keys(${value}), ${values})) END`;
  }
  if (type instanceof DuckDBStructType) {
    const members = type.entryNames.map((name, at) => {
      const member = `struct_extract(${value}, ${quoteText(name)})`;
      return `${quoteText(name)}: ${jsonOf(member, type.entryTypes[at] ?? type)}`;
    });
    return `CASE WHEN ${value} IS NULL THEN NULL ELSE to_json({${members.join(', ')}}) END`;
  }
  return `CASE WHEN isnan(${value}) OR isinf(${value}) THEN to_json(${floatText(value)}) ELSE to_json(${value}) END`;
}

/** A value as a query's result shows it: times as Trino writes them, what is nested as JSON. */
function textOf(column: string, type: DuckDBType): string {
  const { typeId } = type;
  if (typeId === DuckDBTypeId.VARCHAR) return column;
  if (timestamps.has(typeId)) return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%g')`;
  if (typeId === DuckDBTypeId.TIMESTAMP_TZ) return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%g UTC')`;
  if (typeId === DuckDBTypeId.DOUBLE || typeId === DuckDBTypeId.FLOAT) return floatText(column);
  return nested.has(typeId) ? `${jsonOf(column, type)}::VARCHAR` : `${column}::VARCHAR`;
}

/** A file of lines that hold no control characters, so that nothing in it needs quotes. */
const plainLines = `FORMAT csv, HEADER false, DELIMITER E'\\x01', QUOTE '', ESCAPE '', USE_TMP_FILE false`;

const lookEveryMs = 20;

/** Where a result goes, and how large it may be. */
export interface ResultFile {
  readonly into: string;
  readonly mostBytes: number;
}

interface SizeWatch extends Disposable {
  /** Whether the file has had more bytes than it may. */
  readonly isExceeded: boolean;
}

/** Interrupts the engine once the file has more bytes than it may. */
function watchSize(engine: EngineInstance, { into, mostBytes }: ResultFile): SizeWatch {
  let timer: Timer | undefined;
  let isExceeded = false;
  const look = (): void => {
    // The engine removes the file of a statement that fails.
    isExceeded ||= (statSync(into, { throwIfNoEntry: false })?.size ?? 0) > mostBytes;
    if (isExceeded) engine.connection.interrupt();
    timer = systemClock.after(lookEveryMs, look);
  };
  look();
  return {
    get isExceeded() {
      return isExceeded;
    },
    [Symbol.dispose]: () => timer?.cancel(),
  };
}

interface Written {
  readonly rows: number;
  readonly bytes: number;
}

function tooLarge({ mostBytes }: ResultFile): QueryProblem {
  return new QueryProblem(`the result is larger than ${mostBytes} bytes; narrow it down, or add a LIMIT`);
}

/** Has the engine write the lines. It is the fastest way, but holds some hundred thousand of them in memory. */
async function copyLines(engine: EngineInstance, lines: string, result: ResultFile): Promise<Written> {
  using size = watchSize(engine, result);
  const copied = engine.rows(`COPY (${lines}) TO ${quoteText(result.into)} (${plainLines})`);
  const [[rows] = []] = await copied.catch((error: unknown) => {
    throw size.isExceeded ? tooLarge(result) : error;
  });
  const bytes = statSync(result.into).size;
  if (bytes > result.mostBytes) throw tooLarge(result);
  return { rows: Number(rows), bytes };
}

/** Writes the lines as they come, a few thousand at a time. */
async function streamLines(engine: EngineInstance, lines: string, result: ResultFile): Promise<Written> {
  const stream = await engine.connection.stream(lines);
  const file = openSync(result.into, 'w', 0o600);
  let rows = 0;
  let bytes = 0;
  try {
    for (;;) {
      const chunk = await stream.fetchChunk();
      if (!chunk || chunk.rowCount === 0) return { rows, bytes };
      const text = Buffer.from(`${chunk.getColumnValues(0).join('\n')}\n`);
      rows += chunk.rowCount;
      bytes += text.length;
      if (bytes > result.mostBytes) throw tooLarge(result);
      for (let done = 0; done < text.length;) done += writeSync(file, text, done);
    }
  } finally {
    closeSync(file);
  }
}

/** Writes the rows of a statement to the file, a JSON list of texts and nulls on each line; how many rows and bytes. */
export async function writeResult(
  engine: EngineInstance,
  sql: string,
  prepared: DuckDBPreparedStatement,
  result: ResultFile,
): Promise<Written> {
  const names = Array.from({ length: prepared.columnCount }, (_, at) => quoteName(`c${at}`));
  const cells = names.map((name, at) => textOf(name, prepared.columnType(at)));
  // The statement stands on lines of its own, so that a comment at its end comments nothing else out.
  const lines = `SELECT json_array(${cells.join(', ')})::VARCHAR FROM (\n${sql}\n) AS result(${names.join(', ')})`;
  // Made here, for nobody else may read it.
  closeSync(openSync(result.into, 'w', 0o600));
  try {
    return await copyLines(engine, lines, result);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('Out of Memory'))) throw error;
    return await streamLines(engine, lines, result);
  }
}
