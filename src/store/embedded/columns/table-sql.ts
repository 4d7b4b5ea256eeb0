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

function structOf(columns: readonly ColumnType[]): string {
  return `STRUCT(${columns.map(({ name, type }) => `${quoteName(name)} ${type}`).join(', ')})`;
}

/** The rows of staged files, each line `{"s":SEQUENCE,"r":ROW}`. Fails when a member is not of its column's type. */
export function strictRows({ columns }: ColumnsTable, file: string): string {
  const types = `{s: 'BIGINT', r: ${quoteText(structOf(columns))}}`;
  return `SELECT s AS ${quoteName(sequenceColumn)}, unnest(r) FROM read_json(${quoteText(file)}, format = 'newline_delimited', columns = ${types})`;
}

/** As `strictRows`, slower: a member that is not of its column's type is null, a line that is no JSON is left out. */
export function lenientRows({ columns }: ColumnsTable, file: string): string {
  const types = JSON.stringify(Object.fromEntries(columns.map(({ name, type }) => [name, type])));
  return (
    `SELECT s AS ${quoteName(sequenceColumn)}, unnest(json_transform(r, ${quoteText(types)})) ` +
    `FROM read_json(${quoteText(file)}, format = 'newline_delimited', ignore_errors = true, columns = {s: 'BIGINT', r: 'JSON'})`
  );
}

/** The version of files that are written now. */
export function versionOf({ version = 1 }: ColumnsTable): number {
  return version;
}

function isIn({ since = 1 }: { readonly since?: number }, version: number): boolean {
  return since <= version;
}

/** Where UUIDs of a string column are: the column itself has its other values. */
function uuidName(name: string): string {
  return quoteName(`${name}.uuid`);
}

function hasUuids({ uuidsSince }: ColumnType, version: number): boolean {
  return uuidsSince !== undefined && uuidsSince <= version;
}

/** A column of files of a version as its type says. */
function shownColumn(column: ColumnType, version: number): string {
  const name = quoteName(column.name);
  if (!isIn(column, version)) return `(${column.earlier ?? 'NULL'})::${column.type} AS ${name}`;
  return hasUuids(column, version) ? `coalesce(${uuidName(column.name)}::VARCHAR, ${name}) AS ${name}` : name;
}

/** A column of files of a version as it is written into files: that of UUIDs beside it, where it has one. */
function storedColumn(column: ColumnType, version: number): string {
  const { name, uuidsSince } = column;
  if (uuidsSince === undefined) return shownColumn(column, version);
  if (hasUuids(column, version)) return `${quoteName(name)}, ${uuidName(name)}`;
  // Only what is shown letter by letter as it came is one.
  const uuid = `TRY_CAST(${quoteName(name)} AS UUID)`;
  const isUuid = `coalesce(${uuid}::VARCHAR = ${quoteName(name)}, false)`;
  return (
    `CASE WHEN ${isUuid} THEN NULL ELSE ${quoteName(name)} END AS ${quoteName(name)}, ` +
    `CASE WHEN ${isUuid} THEN ${uuid} END AS ${uuidName(name)}`
  );
}

/** What is to be had of rows: the table's columns and the derived ones, or what is written of them into files. */
export type Form = 'shown' | 'stored';

/** The columns of a version in a form, and `_sequence`, as expressions over its files. */
export function columnsOf({ columns, derived = [] }: ColumnsTable, version: number, form: Form): string {
  const own = columns.map((column) => (form === 'shown' ? shownColumn : storedColumn)(column, version));
  const made = derived.map((column) =>
    isIn(column, version) ? quoteName(column.name) : `${column.from} AS ${quoteName(column.name)}`,
  );
  return [...own, ...made, quoteName(sequenceColumn)].join(', ');
}

function idColumn({ columns, id }: ColumnsTable): ColumnType {
  return columns.find(({ name }) => name === id) ?? { name: id, type: 'VARCHAR' };
}

/** The columns of files of a version that tell the ids of rows apart; one of them is not null. */
export function idParts(table: ColumnsTable, version: number): readonly string[] {
  const column = idColumn(table);
  return [quoteName(table.id), ...(hasUuids(column, version) ? [uuidName(table.id)] : [])];
}

/** The id in files of a version, as text. */
export function idText(table: ColumnsTable, version: number): string {
  const [text = '', uuid] = idParts(table, version);
  return uuid === undefined ? text : `coalesce(${uuid}::VARCHAR, ${text})`;
}

const uuidForm = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Conditions that a column has one of the texts, each of them written as `as` says. */
function amongst(column: string | undefined, texts: readonly string[], as = ''): readonly string[] {
  if (column === undefined || texts.length === 0) return [];
  return [`${column} IN (${texts.map((text) => `${quoteText(text)}${as}`).join(', ')})`];
}

/** The condition over files of a version that a row has one of the ids. */
export function isOneOf(table: ColumnsTable, version: number, ids: readonly string[]): string {
  const [text, uuid] = idParts(table, version);
  const uuids = uuid === undefined ? [] : ids.filter((id) => uuidForm.test(id));
  const others = ids.filter((id) => !uuids.includes(id));
  const tests = [...amongst(uuid, uuids, '::UUID'), ...amongst(text, others)];
  return tests.length === 0 ? 'false' : `(${tests.join(' OR ')})`;
}

/**
 * Rows of files as one SELECT, whichever version wrote them. With `where`, of the rows that it holds for: a condition over
 * the files of a version.
 */
export function rowsOfFiles(
  table: ColumnsTable,
  files: readonly TableFile[],
  select: (version: number) => string,
  where: (version: number) => string = () => 'true',
): string {
  const versions = [...new Set(files.map(({ version }) => version))];
  const parts = versions.map((version) => {
    const paths = files.filter((file) => file.version === version).map(({ path }) => path);
    return `SELECT ${select(version)} FROM read_parquet(${quoteList(paths)}) WHERE ${where(version)}`;
  });
  return parts.length === 0 ? noRows(table) : parts.join(' UNION ALL ');
}

/** A file and the version of the table that wrote it. */
export interface TableFile {
  readonly path: string;
  readonly version: number;
}

function noRows(table: ColumnsTable): string {
  const nulls = table.columns.map(({ name, type }) => `NULL::${type} AS ${quoteName(name)}`);
  const none = `(SELECT ${nulls.join(', ')}, NULL::BIGINT AS ${quoteName(sequenceColumn)})`;
  return `SELECT ${columnsOf({ ...table, columns: table.columns.map(({ name, type }) => ({ name, type })) }, 0, 'shown')} FROM ${none} WHERE false`;
}

/**
 * Rows of a row group, whose statistics tell which times are in it. A full batch has two of them: every query reads what a file
 * says about each column of each.
 */
export const rowGroup = 131_072;

/**
 * How files are written. The second version of Parquet's encodings keeps ids and paths short; higher levels of zstd take
 * longer, and no less space.
 */
export const fileFormat = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION V2, ROW_GROUP_SIZE ${rowGroup}`;

/** How files are written that other engines read. */
export const exportFormat = 'FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V1, ROW_GROUP_SIZE 122880';

/** Epoch milliseconds as a TIMESTAMP. */
export function timeLiteral(epochMs: number): string {
  return `epoch_ms(${Math.trunc(epochMs)})`;
}
