import type { TypeName } from '../ast.ts';
import { refuse } from '../refusal.ts';
import { parseList, parseName, unexpected } from './cursor.ts';
import type { Cursor } from './cursor.ts';

function parseNumber(cursor: Cursor): number {
  const token = cursor.next();
  if (token.kind !== 'number' || !/^\d{1,9}$/.test(token.text)) unexpected(token, 'a whole number');
  return Number(token.text);
}

function parseParameters(cursor: Cursor, name: string): Pick<TypeName, 'numbers' | 'parameters'> {
  if (name === 'row') {
    cursor.expect('(');
    const parameters = parseList(cursor, () => {
      const behind = cursor.peek(1);
      const isLast = behind.kind === 'symbol' && [',', ')', '('].includes(behind.text);
      const isTimed = ['WITH', 'WITHOUT', 'PRECISION'].includes(behind.keyword);
      if (isLast || isTimed) return { type: parseTypeName(cursor) };
      return { name: parseName(cursor, 'a field name'), type: parseTypeName(cursor) };
    });
    cursor.expect(')');
    return { numbers: [], parameters };
  }
  if ((name === 'array' || name === 'map') && (cursor.sees('(') || cursor.sees('<'))) {
    const close = cursor.next().text === '(' ? ')' : '>';
    const parameters = parseList(cursor, () => ({ type: parseTypeName(cursor) }));
    cursor.expect(close);
    return { numbers: [], parameters };
  }
  if (!cursor.takes('(')) return { numbers: [], parameters: [] };
  const numbers = parseList(cursor, () => parseNumber(cursor));
  cursor.expect(')');
  return { numbers, parameters: [] };
}

/** A type as CAST takes it. */
export function parseTypeName(cursor: Cursor): TypeName {
  return cursor.deeper(() => {
    const { at, text } = parseName(cursor, 'a type');
    const name = text.toLowerCase();
    if (name === 'interval') refuse(at, 'CAST to an interval is not supported');
    if (name === 'double') cursor.takes('PRECISION');
    const inner = parseParameters(cursor, name);
    const timed = name === 'timestamp' || name === 'time';
    const withTimeZone = timed && cursor.takes('WITH', 'TIME', 'ZONE');
    if (timed && !withTimeZone) cursor.takes('WITHOUT', 'TIME', 'ZONE');
    let type: TypeName = { at, name, ...inner, withTimeZone };
    while (cursor.takes('ARRAY'))
      type = { at, name: 'array', numbers: [], parameters: [{ type }], withTimeZone: false };
    return type;
  });
}
