import { decodePercent } from './text.ts';

/** A decoded query string; a key may stand several times. */
export type Query = ReadonlyMap<string, readonly string[]>;

/** Decodes a raw query string; undefined where its percent-encoding is broken. A key without `=` has the value ''. */
export function parseQuery(raw: string): Query | undefined {
  const query = new Map<string, string[]>();
  for (const pair of raw.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = decodePercent((equals === -1 ? pair : pair.slice(0, equals)).replaceAll('+', ' '));
    const value = decodePercent((equals === -1 ? '' : pair.slice(equals + 1)).replaceAll('+', ' '));
    if (key === undefined || value === undefined) return undefined;
    const values = query.get(key);
    if (values) values.push(value);
    else query.set(key, [value]);
  }
  return query;
}
