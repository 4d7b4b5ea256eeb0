import { coerce } from '../analyse/coerce.ts';
import { analyseLambda, failing, looseOf, withOperands } from '../analyse/typed.ts';
import type { Lambda, Place, Typed } from '../analyse/typed.ts';
import type { CallExpression, Expression } from '../ast.ts';
import { refuse } from '../refusal.ts';
import { engineType, varchar } from '../types.ts';
import type { SqlType } from '../types.ts';

/** A call of a function of the language, whose arguments are looked at as its rule asks for them. */
export interface Call {
  readonly name: string;
  readonly at: number;
  readonly count: number;
  readonly place: Place;
  readonly expression: CallExpression;
  /** An argument that is no lambda. */
  value(index: number): Typed;
  values(): Typed[];
  isLambda(index: number): boolean;
  /** An argument that is a lambda, with the types of its parameters. */
  lambda(index: number, types: readonly SqlType[]): Lambda;
  /** The same, where each parameter stands for SQL that is given. */
  lambdaOver(index: number, parameters: readonly Typed[]): Typed;
  /** An argument as a type. */
  as(index: number, type: SqlType): Typed;
  /** An argument that must be a string literal. */
  literal(index: number, what: string): string;
  refuse(message: string): never;
}

export type FunctionRule = (call: Call) => Typed;
export type FunctionTable = Readonly<Record<string, FunctionRule>>;

function atOf(expression: CallExpression, index: number): number {
  return expression.parameters[index]?.at ?? expression.at;
}

/** Makes a call's arguments ready to be asked for. */
export function openCall(expression: CallExpression, place: Place): Call {
  const { name, at } = expression;
  const seen: Typed[] = [];
  const parameter = (index: number): Expression =>
    expression.parameters[index] ??
    refuse(at, `The function ${name} takes more arguments than ${expression.parameters.length}`);
  const value = (index: number): Typed => {
    const found = seen[index];
    if (found) return found;
    const argument = parameter(index);
    if (argument.kind === 'lambda') refuse(argument.at, `The function ${name} takes no lambda here`);
    const typed = place.session.analyse(argument, place);
    seen[index] = typed;
    return typed;
  };
  const lambdaOver = (index: number, parameters: readonly Typed[]): Typed => {
    const argument = parameter(index);
    if (argument.kind !== 'lambda')
      refuse(argument.at, `The function ${name} takes a lambda here, such as x -> x > 1`);
    if (argument.parameters.length !== parameters.length)
      refuse(
        argument.at,
        `The lambda of ${name} takes ${parameters.length} parameters, not ${argument.parameters.length}`,
      );
    return analyseLambda(argument, place, parameters);
  };
  return {
    name,
    at,
    count: expression.parameters.length,
    place,
    expression,
    value,
    values: () => expression.parameters.map((_argument, index) => value(index)),
    isLambda: (index) => expression.parameters[index]?.kind === 'lambda',
    lambda(index, types) {
      const parameters = types.map((_type, position) => `"l${place.lambdaDepth}_${position}"`);
      const body = lambdaOver(
        index,
        types.map((type, position) => ({ sql: parameters[position] ?? '', type })),
      );
      return { parameters, body };
    },
    lambdaOver,
    as: (index, type) => coerce(value(index), type, atOf(expression, index), `The function ${name}`),
    literal(index, what) {
      const { text } = value(index);
      return (
        text ?? refuse(atOf(expression, index), `The function ${name} takes ${what} as a string literal`)
      );
    },
    refuse: (message) => refuse(at, message),
  };
}

/** Checks how many arguments there are. */
export function checkCount(call: Call, least: number, most = least): void {
  if (call.count >= least && call.count <= most) return;
  const wanted =
    least === most ? String(least) : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  call.refuse(`The function ${call.name} takes ${wanted} arguments, not ${call.count}`);
}

/** What a call gives: SQL of a type, loose as its arguments are. */
export function give(call: Call, sql: string, type: SqlType, ...more: readonly Typed[]): Typed {
  const values = call.expression.parameters.flatMap((argument, index) =>
    argument.kind === 'lambda' ? [] : [call.value(index)],
  );
  return { sql, type, ...looseOf(...values, ...more) };
}

/** A function of fixed types; with `optional`, the last so many arguments may be missing. */
export function plain(
  types: readonly SqlType[],
  result: SqlType,
  write: (...sql: string[]) => string,
  optional = 0,
): FunctionRule {
  return (call) => {
    checkCount(call, types.length - optional, types.length);
    const values = types.slice(0, call.count).map((type, index) => call.as(index, type).sql);
    return give(call, write(...values), result);
  };
}

/** A function of a text that must have a shape, and else fails with the message. */
export function ofShape(
  shape: string,
  message: string,
  result: SqlType,
  write: (text: string) => string,
): FunctionRule {
  return (call) => {
    checkCount(call, 1);
    const fail = failing(call.place, message, engineType(result));
    const sql = withOperands(
      [call.as(0, varchar).sql],
      (text) =>
        `CASE WHEN ${text} IS NULL OR regexp_matches(${text}, '${shape}') THEN ${write(text)} ELSE ${fail} END`,
    );
    return give(call, sql, result);
  };
}
