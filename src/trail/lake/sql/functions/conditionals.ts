import { unify } from '../analyse/coerce.ts';
import { compare } from '../analyse/predicates.ts';
import { looseOf } from '../analyse/typed.ts';
import type { Typed } from '../analyse/typed.ts';
import { boolean, engineType, isOrderable, quoteText, typeText, varchar } from '../types.ts';
import { checkCount, give } from './rule.ts';
import type { Call, FunctionTable } from './rule.ts';

function extremum(call: Call): Typed {
  checkCount(call, 1, Infinity);
  const { values, type } = unify(call.values(), call.at, call.name);
  if (!isOrderable(type)) return call.refuse(`${call.name} is not supported for ${typeText(type)}`);
  const missing = values.map(({ sql }) => `${sql} IS NULL`).join(' OR ');
  return give(
    call,
    `CASE WHEN ${missing} THEN NULL ELSE ${call.name}(${values.map(({ sql }) => sql).join(', ')}) END`,
    type,
  );
}

/** Functions that choose between their arguments, and typeof. */
export const conditionalFunctions: FunctionTable = {
  if(call) {
    checkCount(call, 2, 3);
    const condition = call.as(0, boolean);
    const { values, type } = unify(
      [call.value(1), ...(call.count > 2 ? [call.value(2)] : [])],
      call.at,
      'if',
    );
    const rest = values[1]?.sql ?? `CAST(NULL AS ${engineType(type)})`;
    return give(call, `CASE WHEN ${condition.sql} THEN ${values[0]?.sql} ELSE ${rest} END`, type);
  },
  coalesce(call) {
    checkCount(call, 2, Infinity);
    const { values, type } = unify(call.values(), call.at, 'coalesce');
    return give(call, `coalesce(${values.map(({ sql }) => sql).join(', ')})`, type);
  },
  nullif(call) {
    checkCount(call, 2);
    const first = call.value(0);
    const equal = compare('=', first, call.value(1), call.at);
    return give(call, `CASE WHEN ${equal.sql} THEN NULL ELSE ${first.sql} END`, first.type);
  },
  try(call) {
    checkCount(call, 1);
    const argument = call.expression.parameters[0];
    if (!argument) return call.refuse('try takes an expression');
    const inner = { ...call.place, trying: true, aggregates: false, windows: false, clause: 'try()' };
    const value = call.place.session.analyse(argument, inner);
    if (value.sql.includes('random()')) return call.refuse('random() in try() is not supported');
    return { sql: `TRY(${value.sql})`, type: value.type, ...looseOf(value) };
  },
  greatest: extremum,
  least: extremum,
  typeof(call) {
    checkCount(call, 1);
    const { type } = call.value(0);
    return give(call, quoteText(typeText(type)), varchar);
  },
};
