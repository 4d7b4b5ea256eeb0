import type { ColumnsTable, ColumnType } from '../../columns-port.ts';

/** The names and types of the columns in DuckDB's SQL. */

/** The column that holds the place in the journal, beside those of the table. */
export const sequenceColumn = '_sequence';

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(', ')}]`;
}

const plainTypes: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP',
};

/** What stands between the angle brackets, cut at the commas that are in no further brackets. */
function cutMembers(text: string): readonly string[] {
  const members: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const letter = text[at];
    if (letter === '<') depth++;
    if (letter === '>') depth--;
    if (at === text.length || (letter === ',' && depth === 0)) {
      members.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return members;
}

/** The DuckDB type of a type in Hive's notation. */
export function engineType(type: string): string {
  const plain = plainTypes[type];
  if (plain !== undefined) return plain;
  const [, kind, inner = ''] = /^(map|array|struct)<(.*)>$/.exec(type) ?? [];
  if (kind === undefined) throw new TypeError(`no type of a column: ${type}`);
  const members = cutMembers(inner);
  if (kind === 'array') return `${engineType(inner)}[]`;
  if (kind === 'map') return `MAP(${members.map(engineType).join(', ')})`;
  const fields = members.map((member) => {
    const colon = member.indexOf(':');
    return `${quoteName(member.slice(0, colon))} ${engineType(member.slice(colon + 1))}`;
  });
  return `STRUCT(${fields.join(', ')})`;
}

function structOf(columns: readonly ColumnType[]): string {
  return `STRUCT(${columns.map(({ name, type }) => `${quoteName(name)} ${engineType(type)}`).join(', ')})`;
}

/** The rows of staged files, each line `{"s":SEQUENCE,"r":ROW}`. Fails when a member is not of its column's type. */
export function strictRows({ columns }: ColumnsTable, file: string): string {
  const types = `{s: 'BIGINT', r: ${quoteText(structOf(columns))}}`;
  return `SELECT s AS ${quoteName(sequenceColumn)}, unnest(r) FROM read_json(${quoteText(file)}, format = 'newline_delimited', columns = ${types})`;
}

/** As `strictRows`, slower: a member that is not of its column's type is null, a line that is no JSON is left out. */
export function lenientRows({ columns }: ColumnsTable, file: string): string {
  const types = JSON.stringify(Object.fromEntries(columns.map(({ name, type }) => [name, engineType(type)])));
  return (
    `SELECT s AS ${quoteName(sequenceColumn)}, unnest(json_transform(r, ${quoteText(types)})) ` +
    `FROM read_json(${quoteText(file)}, format = 'newline_delimited', ignore_errors = true, columns = {s: 'BIGINT', r: 'JSON'})`
  );
}

/** How sealed files are written. The second version of Parquet's encodings keeps ids and paths short. */
export const sealedFormat =
  'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, PARQUET_VERSION V2, ROW_GROUP_SIZE 122880';

/** How files are written that other engines read. */
export const exportFormat = 'FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1, ROW_GROUP_SIZE 122880';

/** Epoch milliseconds as a TIMESTAMP. */
export function timeLiteral(epochMs: number): string {
  return `epoch_ms(${Math.trunc(epochMs)})`;
}
