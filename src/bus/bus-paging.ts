import { AwsFault } from '../kernel/index.ts';
import { busQuotas } from './bus-quotas.ts';

export interface PageRequest {
  readonly Limit?: number | undefined;
  readonly NextToken?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly answer: { readonly NextToken?: string };
}

const encode = (name: string): string => Buffer.from(name).toString('base64url');

function decode(token: string): string {
  const name = Buffer.from(token, 'base64url').toString();
  if (encode(name) === token) return name;
  throw new AwsFault('InvalidToken', 'The pagination token is not one that this operation gave.');
}

/**
 * A page of things in the order of their names. The token holds the last one's name, so a page stays right while others come
 * and go. Throws InvalidToken ("Using an expired pagination token results in an HTTP 400 InvalidToken error", ListRules).
 */
export function pageOf<T>(
  all: readonly T[],
  nameOf: (item: T) => string,
  { Limit = busQuotas.pageSize, NextToken }: PageRequest,
): Page<T> {
  const after = NextToken === undefined ? undefined : decode(NextToken);
  const rest = after === undefined ? all : all.filter((item) => nameOf(item) > after);
  const items = rest.slice(0, Limit);
  const last = items.at(-1);
  const more = last !== undefined && rest.length > Limit;
  return { items, answer: more ? { NextToken: encode(nameOf(last)) } : {} };
}
