import type { ColumnsTable, ColumnType } from '../../columns-port.ts';
import { quoteName } from './table-sql.ts';

/**
 * A JSON object can have a name twice. Of a map that the engine makes of it every function would see something else, and those that make
 * a map of it fail: one such record would make everybody's queries fail. So the last of them counts, as for every reader of JSON.
 */

function repeats(map: string): string {
  return `(cardinality(${map}) > 1 AND list_unique(map_keys(${map})) <> cardinality(${map}))`;
}

/** The map with the last value of each name. Sorted, so that a map of very many takes no more than its share of time. */
function lastOfEach(map: string): string {
  const places = `range(cardinality(${map})::BIGINT)`;
  const sorted = `list_sort(list_zip(map_keys(${map}), ${places}, map_values(${map})))`;
  const withNext = `list_zip(${sorted}, ${sorted}[2:])`;
  const last = `list_filter(${withNext}, lambda "p": "p"[2] IS NULL OR "p"[1][1] <> "p"[2][1])`;
  return `map_from_entries(list_transform(${last}, lambda "p": {k: "p"[1][1], v: "p"[1][3]}))`;
}

/** The struct with the map at a path in it replaced by one whose names are unique. */
function updated(struct: string, [member = '', ...rest]: readonly string[]): string {
  const inner = `${struct}.${quoteName(member)}`;
  const value = rest.length === 0 ? lastOfEach(inner) : updated(inner, rest);
  return `struct_update(${struct}, ${quoteName(member)} := ${value})`;
}

/** The column with the names of one of its maps unique. */
function withUnique(name: string, path: readonly string[]): string {
  const column = quoteName(name);
  const map = [column, ...path.map(quoteName)].join('.');
  const value = path.length === 0 ? lastOfEach(map) : updated(column, path);
  return `CASE WHEN ${repeats(map)} THEN ${value} ELSE ${column} END AS ${column}`;
}

/** The paths of the maps in a column; the empty one for a column that is a map. */
function mapsOf({ type, maps = [] }: ColumnType): readonly (readonly string[])[] {
  return type.startsWith('MAP(') ? [[]] : maps;
}

/**
 * Rows as they are read from JSON; the statement fails where a name stands twice in one of their maps. Making names unique copies every map, which
 * costs a tenth of the reading, and hardly ever is there anything to do.
 */
export function rowsWithoutRepeats({ columns }: ColumnsTable, rows: string): string {
  const tests = columns.flatMap((column) => {
    const found = mapsOf(column).map((path) => repeats([column.name, ...path].map(quoteName).join('.')));
    if (found.length === 0) return [];
    return `(${quoteName(column.name)} IS NOT NULL AND (${found.join(' OR ')}))`;
  });
  if (tests.length === 0) return rows;
  const failing = `CASE WHEN ${tests.join(' OR ')} THEN error('a name stands twice')::BOOLEAN ELSE true END`;
  return `SELECT * FROM (${rows}) WHERE ${failing}`;
}

/** Rows as they were read from JSON, with the names in all their maps unique. */
export function rowsWithUniqueKeys({ columns }: ColumnsTable, rows: string): string {
  const rounds = Math.max(...columns.map((column) => mapsOf(column).length));
  return Array.from({ length: rounds }).reduce<string>((source, _, round) => {
    const replaced = columns.flatMap((column) => {
      const path = mapsOf(column)[round];
      return path ? [withUnique(column.name, path)] : [];
    });
    return `SELECT * REPLACE (${replaced.join(', ')}) FROM (${source})`;
  }, rows);
}
