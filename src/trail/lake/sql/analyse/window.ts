import type { FrameBound, SortItem, WindowSpecification } from '../ast.ts';
import { refuse } from '../refusal.ts';
import { bigint, engineType, isInteger, isNumeric, isOrderable, typeText } from '../types.ts';
import { coerce } from './coerce.ts';
import { looseOf } from './typed.ts';
import type { Place, Typed, WindowParts } from './typed.ts';

/** Items of ORDER BY, written with their place for nulls. */
export function writeSort(
  items: readonly SortItem[],
  place: Place,
): { readonly sql: string; readonly values: Typed[] } {
  const values = items.map(({ expression }) => {
    const value = place.session.analyse(expression, place);
    if (!isOrderable(value.type))
      refuse(expression.at, `ORDER BY is not supported for ${typeText(value.type).slice(0, 100)}`);
    return value;
  });
  const sql = values
    .map((value, index) => `${sortKey(value)}${sortSuffix(items[index] as SortItem)}`)
    .join(', ');
  return { sql, values };
}

/** A value to order by. The engine takes a bare literal for a mistake; to Trino it is an order that changes nothing. */
export function sortKey({ sql, type }: Pick<Typed, 'sql' | 'type'>): string {
  return /^(?:'|(?:TRUE|FALSE|NULL)$)/.test(sql) ? `CAST(${sql} AS ${engineType(type)})` : sql;
}

/** The direction of an item of ORDER BY, and where nulls go. */
export function sortSuffix({ descending, nullsFirst }: SortItem): string {
  return `${descending ? ' DESC' : ' ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
}

function writeBound(bound: FrameBound, unit: string, ordered: readonly Typed[], place: Place): Typed {
  if (!bound.offset) return { sql: bound.kind.toUpperCase(), type: bigint };
  const value = place.session.analyse(bound.offset, place);
  const direction = bound.kind.toUpperCase();
  if (unit !== 'RANGE') {
    if (value.number === undefined || !isInteger(value.type) || value.number < 0)
      refuse(bound.at, `The offset of a ${unit} frame must be a whole number`);
    return { ...value, sql: `${value.number} ${direction}` };
  }
  const [key] = ordered;
  if (!key || ordered.length > 1)
    refuse(bound.at, 'A RANGE frame with an offset needs one expression in ORDER BY');
  if (isNumeric(key.type) && isNumeric(value.type))
    return { ...value, sql: `${coerce(value, key.type, bound.at, 'RANGE').sql} ${direction}` };
  const amount =
    value.type.kind === 'interval-day'
      ? 'to_milliseconds'
      : value.type.kind === 'interval-month'
        ? 'to_months'
        : undefined;
  if (amount === undefined || !['timestamp', 'timestamptz', 'date'].includes(key.type.kind))
    refuse(
      bound.at,
      `A RANGE frame over ${typeText(key.type)} cannot have an offset of ${typeText(value.type)}`,
    );
  return { ...value, sql: `${amount}(${value.sql}) ${direction}` };
}

/** The parts of a window, with those of the named window that it builds on. */
export function analyseWindow(window: WindowSpecification, place: Place): WindowParts {
  const inner: Place = { ...place, windows: false };
  const named = window.base && place.namedWindows.get(window.base.text.toLowerCase());
  if (window.base && !named) refuse(window.base.at, `There is no window ${window.base.text}`);
  if (named && window.partitionBy.length > 0)
    refuse(window.at, 'A window that builds on another cannot have PARTITION BY');
  if (named && named.orderBy !== '' && window.orderBy.length > 0)
    refuse(window.at, 'Both windows have ORDER BY');
  const partition = window.partitionBy.map((expression) => place.session.analyse(expression, inner));
  const sort = writeSort(window.orderBy, inner);
  const { frame } = window;
  const start = frame && writeBound(frame.start, frame.unit, sort.values, inner);
  const end = frame && writeBound(frame.end, frame.unit, sort.values, inner);
  if (frame?.start.kind === 'unbounded following' || frame?.end.kind === 'unbounded preceding')
    refuse(window.at, 'The frame of this window ends before it begins');
  return {
    partitionBy:
      partition.length > 0 ? partition.map(({ sql }) => sql).join(', ') : (named?.partitionBy ?? ''),
    orderBy: sort.sql === '' ? (named?.orderBy ?? '') : sort.sql,
    frame: frame ? `${frame.unit} BETWEEN ${start?.sql} AND ${end?.sql}` : (named?.frame ?? ''),
    loose: looseOf(...partition, ...sort.values).loose ?? named?.loose,
  };
}

/** What stands between the parentheses of OVER. */
export function writeWindow({ partitionBy, orderBy, frame }: WindowParts): string {
  const partition = partitionBy === '' ? '' : `PARTITION BY ${partitionBy} `;
  const order = orderBy === '' ? '' : `ORDER BY ${orderBy} `;
  return `OVER (${partition}${order}${frame})`;
}
