import { coerce } from '../analyse/coerce.ts';
import { bigint, double } from '../types.ts';
import type { SqlType } from '../types.ts';
import { checkCount } from './rule.ts';
import type { Call } from './rule.ts';

/** A function that stands only with OVER. */
export interface WindowFunction {
  readonly type: SqlType;
  readonly name: string;
  readonly parameters: string;
  /** Whether IGNORE NULLS may stand behind it. */
  readonly nulls: boolean;
  /** Whether the window must have ORDER BY. */
  readonly ordered: boolean;
}

export type WindowRule = (call: Call) => WindowFunction;

const ranking =
  (name: string, type: SqlType): WindowRule =>
  (call) => {
    checkCount(call, 0);
    return { type, name, parameters: '', nulls: false, ordered: name !== 'row_number' };
  };

const ntile: WindowRule = (call) => {
  checkCount(call, 1);
  const buckets = call.as(0, bigint);
  if (buckets.number === undefined || buckets.number < 1)
    return call.refuse('ntile takes a whole number greater than 0');
  return { type: bigint, name: 'ntile', parameters: String(buckets.number), nulls: false, ordered: false };
};

const shifted =
  (name: string): WindowRule =>
  (call) => {
    checkCount(call, 1, 3);
    const value = call.value(0);
    const offset = call.count > 1 ? call.as(1, bigint) : undefined;
    if (offset && (offset.number === undefined || offset.number < 0))
      return call.refuse(`The offset of ${name} must be a whole number of at least 0`);
    const parts = [value.sql, String(offset?.number ?? 1)];
    if (call.count > 2) parts.push(coerce(call.value(2), value.type, call.at, `The default of ${name}`).sql);
    return { type: value.type, name, parameters: parts.join(', '), nulls: true, ordered: true };
  };

const valued =
  (name: string): WindowRule =>
  (call) => {
    checkCount(call, 1);
    const value = call.value(0);
    return { type: value.type, name, parameters: value.sql, nulls: true, ordered: false };
  };

const nthValue: WindowRule = (call) => {
  checkCount(call, 2);
  const value = call.value(0);
  const offset = call.as(1, bigint);
  if (offset.number === undefined || offset.number < 1)
    return call.refuse('The offset of nth_value must be a whole number of at least 1');
  return {
    type: value.type,
    name: 'nth_value',
    parameters: `${value.sql}, ${offset.number}`,
    nulls: true,
    ordered: false,
  };
};

export const windowFunctions: Readonly<Record<string, WindowRule>> = {
  rank: ranking('rank', bigint),
  dense_rank: ranking('dense_rank', bigint),
  row_number: ranking('row_number', bigint),
  percent_rank: ranking('percent_rank', double),
  cume_dist: ranking('cume_dist', double),
  ntile,
  lag: shifted('lag'),
  lead: shifted('lead'),
  first_value: valued('first_value'),
  last_value: valued('last_value'),
  nth_value: nthValue,
};
