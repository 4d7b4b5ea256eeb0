import type { Expression, Name } from '../ast.ts';
import { refuse } from '../refusal.ts';
import { typeText } from '../types.ts';
import { outerColumn, readField } from './typed.ts';
import type { Place, Scope, ScopeColumn, Typed } from './typed.ts';

function same(left: string | undefined, right: string): boolean {
  return left?.toLowerCase() === right.toLowerCase();
}

function isStore(left: string | undefined, right: string): boolean {
  return same(left, right) || same(left, right.slice(right.lastIndexOf('/') + 1));
}

/** A column as an expression; one of a grouped query that is not grouped is marked, or refused from inside. */
function useColumn(column: ScopeColumn, owner: Scope, name: string, at: number, direct: boolean): Typed {
  const { sql, type, flat } = column;
  if (direct) return { sql, type, flat, loose: { name, at } };
  if (owner.groups && !owner.groups.has(sql))
    refuse(at, `The column ${name} of the outer query must appear in its GROUP BY`);
  return { sql: `${outerColumn}${sql}`, type };
}

function noteApart({ store, reading }: NonNullable<ScopeColumn['apart']>, { session }: Place): void {
  const uses = session.stores.get(store);
  const use = uses?.[reading];
  if (use) uses[reading] = { ...use, asksApart: true };
}

function only(found: readonly ScopeColumn[], name: string, at: number): ScopeColumn | undefined {
  if (found.length > 1) refuse(at, `The column ${name} is ambiguous; say which relation's`);
  return found[0];
}

/** Looks a name up, from the innermost scope out; with a relation, that relation's column. */
function find(place: Place, relation: string | undefined, name: string, at: number): Typed | undefined {
  const shown = relation === undefined ? name : `${relation}.${name}`;
  let direct = true;
  for (let scope: Scope | undefined = place.scope; scope; scope = scope.parent) {
    const bound = relation === undefined ? scope.names?.get(name.toLowerCase()) : undefined;
    if (bound) return bound;
    const columns = scope.columns.filter(
      (column) => same(column.name, name) && (relation === undefined || isStore(column.relation, relation)),
    );
    const column = only(columns, shown, at);
    if (column?.apart) noteApart(column.apart, place);
    if (column) return useColumn(column, scope, shown, at, direct);
    if (!scope.names) direct = false;
  }
  return undefined;
}

function namesOf(expression: Expression): Name[] | undefined {
  if (expression.kind === 'name') return [expression.name];
  if (expression.kind !== 'field') return undefined;
  const base = namesOf(expression.base);
  return base && [...base, expression.name];
}

/** Of what is flat in a row, what is so in one of its fields. */
function membersOf(flat: Readonly<Record<string, string>>, field: string): Readonly<Record<string, string>> {
  const inside = Object.entries(flat).filter(([path]) => path.startsWith(`${field}.`));
  return Object.fromEntries(inside.map(([path, sql]) => [path.slice(field.length + 1), sql]));
}

/** Reads a field of a value. */
export function fieldOf(value: Typed, name: Name): Typed {
  const { type } = value;
  if (type.kind !== 'row')
    refuse(
      name.at,
      `The field ${name.text} is read from ${typeText(type)}, which has no fields${type.kind === 'map' ? `; use element_at(…, '${name.text}')` : ''}`,
    );
  const field = type.fields.find((candidate) => same(candidate.name, name.text));
  if (!field) refuse(name.at, `There is no field ${name.text} in ${typeText(type).slice(0, 200)}`);
  const { name: own = field.physical } = field;
  return {
    sql: value.flat?.[own] ?? readField(value.sql, field),
    type: field.type,
    loose: value.loose,
    flat: value.flat && membersOf(value.flat, own),
  };
}

/** A name, or names with dots between: of a relation and its column, or of a column and its fields. */
export function analyseName(expression: Expression, place: Place): Typed | undefined {
  const names = namesOf(expression);
  const [first, second, ...rest] = names ?? [];
  if (!first) return undefined;
  const qualified = second && find(place, first.text, second.text, first.at);
  if (qualified) return rest.reduce(fieldOf, qualified);
  const plain = find(place, undefined, first.text, first.at);
  if (plain) return second ? [second, ...rest].reduce(fieldOf, plain) : plain;
  const relations = relationsInSight(place.scope);
  if (second && relations.some((relation) => isStore(relation, first.text)))
    refuse(second.at, `There is no column ${second.text} in ${first.text}`);
  refuse(first.at, `There is no column ${first.text}`);
}

function relationsInSight(scope: Scope | undefined): (string | undefined)[] {
  if (!scope) return [];
  return [...scope.columns.map((column) => column.relation), ...relationsInSight(scope.parent)];
}

/** The columns of the relation that `relation.*` names; undefined if it names none. */
export function columnsOfRelation(expression: Expression, scope: Scope): ScopeColumn[] | undefined {
  if (expression.kind !== 'name') return undefined;
  const columns = scope.columns.filter(
    (column) => !column.apart && isStore(column.relation, expression.name.text),
  );
  return columns.length > 0 ? columns : undefined;
}
