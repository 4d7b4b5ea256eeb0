import { coerce } from '../analyse/coerce.ts';
import { looseOf, notInLambda } from '../analyse/typed.ts';
import type { Place, Typed } from '../analyse/typed.ts';
import { analyseWindow, writeSort, writeWindow } from '../analyse/window.ts';
import type { CallExpression, Expression } from '../ast.ts';
import { refuse } from '../refusal.ts';
import { bigint, boolean } from '../types.ts';
import { aggregates } from './aggregates.ts';
import { arrayFunctions } from './arrays.ts';
import { conditionalFunctions } from './conditionals.ts';
import { jsonFunctions } from './json.ts';
import { mapFunctions } from './maps.ts';
import { numberFunctions } from './numbers.ts';
import { regexpFunctions } from './regexps.ts';
import { openCall } from './rule.ts';
import type { Call, FunctionTable } from './rule.ts';
import { splitFunctions } from './splits.ts';
import { stringFunctions } from './strings.ts';
import { timeFunctions } from './times.ts';
import { urlFunctions } from './urls.ts';
import { windowFunctions } from './windows.ts';

const scalars: FunctionTable = {
  ...arrayFunctions,
  ...conditionalFunctions,
  ...jsonFunctions,
  ...mapFunctions,
  ...numberFunctions,
  ...regexpFunctions,
  ...splitFunctions,
  ...stringFunctions,
  ...timeFunctions,
  ...urlFunctions,
};

/** The names of all functions of the language; FORMAT.md lists them. */
export const functionNames: readonly string[] = [
  ...Object.keys(scalars),
  ...Object.keys(aggregates),
  ...Object.keys(windowFunctions),
  'grouping',
];

/** Whether a call without OVER makes its query a grouped one. */
export function isAggregate(call: CallExpression): boolean {
  return call.over === undefined && (Object.hasOwn(aggregates, call.name) || call.name === 'grouping');
}

function refuseClauses(expression: CallExpression, what: string): void {
  const { at, name } = expression;
  if (expression.distinct) refuse(at, `DISTINCT stands only in an aggregate, not in ${what} ${name}`);
  if (expression.orderBy.length > 0)
    refuse(at, `ORDER BY stands only in an aggregate, not in ${what} ${name}`);
  if (expression.filter) refuse(at, `FILTER stands only behind an aggregate, not behind ${what} ${name}`);
  if (expression.star) refuse(at, `${name}(*) is not supported`);
}

function writeOver(
  expression: CallExpression,
  place: Place,
): { readonly sql: string; readonly loose: Typed['loose'] } {
  if (!expression.over) return { sql: '', loose: undefined };
  if (!place.windows) refuse(expression.at, `Window functions cannot stand in ${place.clause}`);
  const window = analyseWindow(expression.over, place);
  return { sql: ` ${writeWindow(window)}`, loose: window.loose };
}

function aggregateCall(expression: CallExpression, place: Place): Typed {
  const { at, name, over } = expression;
  if (place.trying) refuse(at, `Aggregates such as ${name} cannot stand in try() and TRY_CAST`);
  if (!over && !place.aggregates) refuse(at, `Aggregates such as ${name} cannot stand in ${place.clause}`);
  if (expression.ignoreNulls) refuse(at, `IGNORE NULLS behind ${name} is not supported`);
  if (expression.star && name !== 'count') refuse(at, `${name}(*) is not supported`);
  const inner: Place = over
    ? { ...place, windows: false }
    : { ...place, aggregates: false, windows: false, clause: `the aggregate ${name}` };
  const call = openCall(expression, inner);
  const aggregate = (aggregates[name] as (call: Call) => ReturnType<(typeof aggregates)[string]>)(call);
  if (expression.distinct && aggregate.distinct !== true) refuse(at, `DISTINCT in ${name} is not supported`);
  const filter =
    expression.filter &&
    coerce(place.session.analyse(expression.filter, inner), boolean, expression.filter.at, 'FILTER');
  const sort = writeSort(expression.orderBy, inner);
  const given = call.expression.star ? [] : [call.value(0).sql];
  if (expression.distinct && sort.values.some(({ sql }) => !given.includes(sql)))
    refuse(at, `With DISTINCT, ORDER BY in ${name} takes its argument alone`);
  const window = writeOver(expression, place);
  const apply = (engine: string, parameters: string, own?: string): string => {
    const conditions = [own, filter?.sql].filter((condition) => condition !== undefined);
    const where = conditions.length === 0 ? '' : ` FILTER (WHERE ${conditions.join(' AND ')})`;
    const order = sort.sql === '' || parameters === '*' ? '' : ` ORDER BY ${sort.sql}`;
    return `${notInLambda}${engine}(${expression.distinct ? 'DISTINCT ' : ''}${parameters}${order})${where}${window.sql}`;
  };
  const sql = aggregate.write(apply);
  const operands = expression.parameters.flatMap((argument, index) =>
    argument.kind === 'lambda' || expression.star ? [] : [safe(call, index)],
  );
  const loose = over ? (looseOf(...operands, filter, ...sort.values).loose ?? window.loose) : undefined;
  return { sql, type: aggregate.type, loose };
}

/** An argument that its rule read as a list of literals has no value of its own to be loose. */
function safe(call: Call, index: number): Typed | undefined {
  return call.name === 'approx_percentile' && index > 0 ? undefined : call.value(index);
}

function windowCall(expression: CallExpression, place: Place): Typed {
  const { at, name } = expression;
  refuseClauses(expression, 'the window function');
  if (!expression.over) refuse(at, `The window function ${name} needs OVER (…)`);
  if (place.trying) refuse(at, `Window functions such as ${name} cannot stand in try() and TRY_CAST`);
  const call = openCall(expression, { ...place, windows: false });
  const found = (windowFunctions[name] as (call: Call) => ReturnType<(typeof windowFunctions)[string]>)(call);
  if (expression.ignoreNulls && !found.nulls) refuse(at, `IGNORE NULLS behind ${name} is not supported`);
  const window = writeOver(expression, place);
  if (found.ordered && !window.sql.includes('ORDER BY')) refuse(at, `The window of ${name} needs ORDER BY`);
  const nulls = expression.ignoreNulls ? ' IGNORE NULLS' : '';
  const loose = looseOf(...call.values()).loose ?? window.loose;
  return {
    sql: `${notInLambda}${found.name}(${found.parameters}${nulls})${window.sql}`,
    type: found.type,
    loose,
  };
}

function groupingCall(expression: CallExpression, place: Place): Typed {
  if (!place.aggregates) refuse(expression.at, `GROUPING cannot stand in ${place.clause}`);
  const values = expression.parameters.map((parameter: Expression) => {
    const value = place.session.analyse(parameter, place);
    if (!place.scope.groups?.has(value.sql))
      refuse(parameter.at, 'The arguments of GROUPING must be columns of GROUP BY');
    return value.sql;
  });
  if (values.length === 0 || values.length > 31) refuse(expression.at, 'GROUPING takes 1 to 31 columns');
  return { sql: `${notInLambda}CAST(grouping(${values.join(', ')}) AS BIGINT)`, type: bigint };
}

/** A call of any function of the language; what it does not know is refused by name. */
export function callFunction(expression: CallExpression, place: Place): Typed {
  const { at, name } = expression;
  if (name === 'grouping') return groupingCall(expression, place);
  if (Object.hasOwn(aggregates, name)) return aggregateCall(expression, place);
  if (Object.hasOwn(windowFunctions, name)) return windowCall(expression, place);
  const rule = Object.hasOwn(scalars, name) ? scalars[name] : undefined;
  if (!rule) refuse(at, `The function ${name.slice(0, 60)} is not supported`);
  refuseClauses(expression, 'the function');
  if (expression.over)
    refuse(at, `OVER stands only behind an aggregate or a window function, not behind ${name}`);
  if (expression.ignoreNulls)
    refuse(at, `IGNORE NULLS stands only behind a window function, not behind ${name}`);
  return rule(openCall(expression, place));
}
