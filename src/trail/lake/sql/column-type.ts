import { arrayOf, mapOf, timestamp } from './types.ts';
import type { RowField, SqlType } from './types.ts';

const simple: Readonly<Record<string, SqlType>> = {
  VARCHAR: { kind: 'varchar' },
  BOOLEAN: { kind: 'boolean' },
  INTEGER: { kind: 'integer' },
  BIGINT: { kind: 'bigint' },
  DOUBLE: { kind: 'double' },
  DATE: { kind: 'date' },
  TIMESTAMP: timestamp(3),
};

/** Reads the DuckDB type of a column of an event data store, such as `MAP(VARCHAR, VARCHAR)` or `STRUCT(a BIGINT)[]`. */
export function readColumnType(text: string): SqlType {
  const tokens = text.match(/"(?:[^"]|"")+"|\w+|[(),]|\[\]/g) ?? [];
  let index = 0;
  const unreadable = (): never => {
    throw new Error(`The type of a lake column is not known: ${text}`);
  };
  const expect = (wanted: string): void => {
    if (tokens[index] !== wanted) unreadable();
    index += 1;
  };
  const readFields = (): RowField[] => {
    const fields: RowField[] = [];
    do {
      index += 1;
      const name = (tokens[index] ?? unreadable()).replace(/^"(.*)"$/, '$1').replaceAll('""', '"');
      index += 1;
      fields.push({ name, physical: name, type: read() });
    } while (tokens[index] === ',');
    expect(')');
    return fields;
  };
  const readBase = (): SqlType => {
    const name = (tokens[index] ?? unreadable()).toUpperCase();
    index += 1;
    if (name === 'STRUCT') return { kind: 'row', fields: readFields() };
    if (name !== 'MAP') return simple[name] ?? unreadable();
    expect('(');
    const key = read();
    expect(',');
    const value = read();
    expect(')');
    return mapOf(key, value);
  };
  const read = (): SqlType => {
    let type = readBase();
    while (tokens[index] === '[]') {
      index += 1;
      type = arrayOf(type);
    }
    return type;
  };
  const type = read();
  if (index !== tokens.length) unreadable();
  return type;
}
