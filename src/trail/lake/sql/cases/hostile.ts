import { eventsId } from './data.ts';

/** A hostile statement: refused with a message, or harmless, with its rows. */
export interface HostileCase {
  readonly what: string;
  readonly sql: string;
  readonly refused?: string;
  readonly rows?: readonly (readonly (string | null)[])[];
}

const row = (...cells: readonly (string | null)[]): readonly (readonly (string | null)[])[] => [cells];
const drop = 'DROP TABLE archive; --';

export const hostileCases: readonly HostileCase[] = [
  { what: 'a quote in a string', sql: `SELECT 'x''; ${drop}'`, rows: row(`x'; ${drop}`) },
  { what: 'a quote after a backslash', sql: `SELECT '\\'; ${drop}'`, refused: 'Only one statement' },
  { what: 'a backslash is itself', sql: "SELECT '\\', '\\n', '\\x27'", rows: row('\\', '\\n', '\\x27') },
  {
    what: 'a quote by its code',
    sql: `SELECT U&'\\0027; ${drop}', U&'\\+000027'`,
    rows: row(`'; ${drop}`, "'"),
  },
  {
    what: 'half of a surrogate pair',
    sql: String.raw`SELECT U&'\D800'`,
    refused: 'The Unicode escape in this string is not valid',
  },
  { what: 'NUL in a string', sql: "SELECT length('a\0b'), 'a\0b' = 'a'", rows: row('3', 'false') },
  { what: 'NUL outside of one', sql: 'SELECT 1\0', refused: 'is not understood here' },
  { what: 'a quote in an alias', sql: `SELECT 1 AS "x""; ${drop}"`, rows: row('1') },
  {
    what: 'a quote in a column',
    sql: `SELECT "x""; ${drop}" FROM ${eventsId}`,
    refused: 'There is no column',
  },
  {
    what: 'a quote in a relation alias',
    sql: `SELECT "q"") AS x; --".eventID FROM ${eventsId} AS "q"") AS x; --" WHERE eventID = 'e01'`,
    rows: row('e01'),
  },
  {
    what: 'a quote in a store id',
    sql: `SELECT * FROM "x"" UNION SELECT 1; --"`,
    refused: 'There is no event data store',
  },
  {
    what: 'a quote in a field name',
    sql: `SELECT CAST(ROW(1) AS ROW("a"": '); --" integer))."a"": '); --"`,
    rows: row('1'),
  },
  {
    what: 'a quote in a common table',
    sql: `WITH "w"" AS (SELECT 1); --"("c"") --") AS (SELECT 7) SELECT "c"") --" FROM "w"" AS (SELECT 1); --"`,
    rows: row('7'),
  },
  {
    what: 'a quote in a window name',
    sql: `SELECT count(*) OVER "w"") --" FROM (VALUES 1) AS t(x) WINDOW "w"") --" AS (ORDER BY x)`,
    rows: row('1'),
  },
  {
    what: 'a quote in a lambda parameter',
    sql: 'SELECT transform(ARRAY[1], "x"": 1) --" -> "x"": 1) --" + 1)',
    rows: row('[2]'),
  },
  { what: 'a quote in a path', sql: `SELECT json_extract('{"a''b":1}', '$["a''b"]')`, rows: row('1') },
  {
    what: 'a quote in a format',
    sql: `SELECT date_format(TIMESTAMP '2023-01-01 00:00:00', '%Y''); ${drop}')`,
    rows: row(`2023'); ${drop}`),
  },
  {
    what: 'a quote in a separator',
    sql: "SELECT listagg(x, ''', 1); --') WITHIN GROUP (ORDER BY x) FROM (VALUES 'a', 'b') AS t(x)",
    rows: row("a', 1); --b"),
  },
  { what: 'a quote in an escape', sql: "SELECT 'a''b' LIKE 'a''''b' ESCAPE ''''", rows: row('true') },
  { what: 'comments do not nest', sql: 'SELECT 1 /* /* */ , 2 */', refused: 'is not understood here' },
  {
    what: 'a comment that closes a string',
    sql: "SELECT 'a /* ' , ' */ b' -- '",
    rows: row('a /* ', ' */ b'),
  },
  { what: 'a carriage return ends a comment', sql: 'SELECT 1 -- x\r, 2', rows: row('1', '2') },
  { what: 'dollar quotes', sql: 'SELECT $$x$$', refused: '"$" is not understood here' },
  {
    what: 'strings with escapes of others',
    sql: "SELECT E'\\''",
    refused: 'The string that begins here is not closed',
  },
  { what: 'a national string', sql: "SELECT N'x'", refused: 'Literals of the type n are not supported' },
  { what: 'casts of others', sql: 'SELECT 1::varchar', refused: 'is not understood here' },
  {
    what: "a star with others' clauses",
    sql: `SELECT * EXCLUDE (eventID) FROM ${eventsId}`,
    refused: 'is not understood here',
  },
  {
    what: 'QUALIFY',
    sql: `SELECT eventID FROM ${eventsId} WHERE true QUALIFY row_number() OVER () = 1`,
    refused: 'is not understood here',
  },
  { what: 'FROM first', sql: `FROM ${eventsId}`, refused: 'Only SELECT statements are supported' },
  {
    what: 'the view itself',
    sql: 'SELECT * FROM "events ""of"" cases"',
    refused: 'There is no event data store',
  },
  {
    what: 'a table of the catalogue',
    sql: 'SELECT * FROM duckdb_settings',
    refused: 'There is no event data store duckdb_settings',
  },
  { what: 'a file as a table', sql: `SELECT * FROM "/etc/passwd"`, refused: 'There is no event data store' },
  {
    what: 'a function as a table',
    sql: `SELECT * FROM "read_text('/etc/passwd')"`,
    refused: 'There is no event data store',
  },
  {
    what: 'a secret',
    sql: 'SELECT * FROM duckdb_secrets()',
    refused: 'Table functions such as duckdb_secrets',
  },
  {
    what: 'names that every object has',
    sql: 'SELECT hasOwnProperty(1)',
    refused: 'The function hasownproperty is not supported',
  },
  {
    what: 'a field that every object has',
    sql: 'SELECT extract(constructor FROM now())',
    refused: 'EXTRACT knows no field constructor',
  },
  {
    what: 'a type that every object has',
    sql: 'SELECT CAST(1 AS constructor)',
    refused: 'The type constructor is not supported',
  },
  { what: 'parentheses', sql: `SELECT ${'('.repeat(4000)}1${')'.repeat(4000)}`, refused: 'nested more than' },
  { what: 'parentheses that do not close', sql: `SELECT ${'('.repeat(9000)}`, refused: 'nested more than' },
  { what: 'NOT', sql: `SELECT ${'NOT '.repeat(2000)} true`, refused: 'nested more than' },
  { what: 'signs', sql: `SELECT ${'- '.repeat(4000)} 1`, refused: 'nested more than' },
  { what: 'arrays', sql: `SELECT ${'ARRAY['.repeat(1000)}${']'.repeat(1000)}`, refused: 'nested more than' },
  {
    what: 'CASE',
    sql: `SELECT ${'CASE WHEN true THEN '.repeat(400)}1${' END'.repeat(400)}`,
    refused: 'nested more than',
  },
  {
    what: 'subqueries',
    sql: `SELECT ${'(SELECT '.repeat(900)}1${')'.repeat(900)}`,
    refused: 'nested more than',
  },
  { what: 'calls', sql: `SELECT ${'abs('.repeat(1500)}1${')'.repeat(1500)}`, refused: 'nested more than' },
  {
    what: 'lambdas',
    sql: `SELECT transform(ARRAY[1], ${'x -> '.repeat(1500)}1)`,
    refused: 'nested more than',
  },
  {
    what: 'types',
    sql: `SELECT CAST(NULL AS ${'array('.repeat(1000)}bigint${')'.repeat(1000)})`,
    refused: 'nested more than',
  },
  { what: 'joins in parentheses', sql: `SELECT 1 FROM ${'('.repeat(3000)}x`, refused: 'nested more than' },
  { what: 'fields', sql: `SELECT a${'.a'.repeat(3000)}`, refused: 'fields or subscripts in a row' },
  { what: 'subscripts', sql: `SELECT a${'[1]'.repeat(3000)}`, refused: 'fields or subscripts in a row' },
  { what: 'sums', sql: `SELECT ${'1+'.repeat(4000)}1`, refused: 'operators in a row' },
  { what: 'concatenations', sql: `SELECT ${"''||".repeat(2000)}''`, refused: 'operators in a row' },
  { what: 'unions', sql: `SELECT 1 ${'UNION SELECT 1 '.repeat(500)}`, refused: 'queries in a row' },
  {
    what: 'divisors inside one another',
    sql: `SELECT ${'1/('.repeat(25)}1${')'.repeat(25)}`,
    rows: row('1'),
  },
  {
    what: 'conditions',
    sql: `SELECT count(*) FROM (VALUES 1) AS t(x) WHERE ${'x = 1 AND '.repeat(900)} true`,
    rows: row('1'),
  },
  {
    what: 'a long IN',
    sql: `SELECT 2000 IN (${Array.from({ length: 1900 }, (_none, index) => index + 100).join(',')})`,
    rows: row('false'),
  },
  {
    what: 'a long statement',
    sql: `SELECT '${'x'.repeat(10_000)}'`,
    refused: 'A statement has at most 10000 characters',
  },
  {
    what: 'a regular expression that backtracks',
    sql: "SELECT regexp_like(x, '(a+)+$') FROM (SELECT array_join(repeat('a', 10000), '') || 'b') AS t(x)",
    rows: row('false'),
  },
  {
    what: 'repetitions inside one another',
    sql: "SELECT regexp_like('a', '((a{100}){100}){100}')",
    refused: 'a repetition of more than 1000 times',
  },
  {
    what: 'a regular expression that grows',
    sql: `SELECT regexp_like('a', '${'a{900}'.repeat(20)}')`,
    refused: 'parts when its repetitions are written out',
  },
  {
    what: 'a LIKE that backtracks',
    sql: `SELECT x LIKE '${'%a'.repeat(25)}%b' FROM (SELECT array_join(repeat('a', 10000), '')) AS t(x)`,
    rows: row('false'),
  },
  {
    what: 'one with any character',
    sql: `SELECT x LIKE '${'%a_'.repeat(20)}%b' FROM (SELECT array_join(repeat('a', 5000), '')) AS t(x)`,
    rows: row('false'),
  },
  {
    what: 'one that is computed',
    sql: `SELECT x LIKE y || '%b' FROM (SELECT array_join(repeat('a', 5000), ''), array_join(repeat('%a', 25), '')) AS t(x, y)`,
    rows: row('false'),
  },
  {
    what: 'a pattern that is one of RE2',
    sql: String.raw`SELECT 'a' LIKE p FROM (VALUES '(?i)A', '.', '[a]', 'a|b') AS t(p)`,
    rows: [['false'], ['false'], ['false'], ['false']],
  },
  {
    what: 'a long padding',
    sql: "SELECT lpad('x', 2000000000, 'y')",
    refused: 'The size of lpad must be a whole number from 0 to 100000',
  },
  {
    what: 'a cube of many columns',
    sql: `SELECT 1 FROM (VALUES 1) AS t(x) GROUP BY CUBE (${Array.from({ length: 20 }, (_none, index) => `x + ${index}`).join(', ')})`,
    refused: 'CUBE takes at most 12 columns',
  },
  { what: 'white space of Unicode', sql: 'SELECT\u00A01\u2003+\u30001', rows: row('2') },
  { what: 'letters that look alike', sql: 'SЕLECT 1', refused: 'Only SELECT statements' },
];
