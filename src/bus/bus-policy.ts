import { bindPrincipals, policyInForce } from '../identity/index.ts';
import { parsePolicy, type Policy } from '../identity/policy/index.ts';
import { AwsFault } from '../kernel/index.ts';
import type { StateView } from '../state/index.ts';
import type { BusDocument } from './bus-documents.ts';
import { busQuotas } from './bus-quotas.ts';
import { invalidParameter } from './faults.ts';

/** The members of a bus's document that hold its resource policy. */
export type BusPolicy = Pick<BusDocument, 'policy' | 'policyPrincipals'>;

/** A statement of a policy, as JSON. */
export type Statement = Readonly<Record<string, unknown>>;

/** The policy of a bus as it is evaluated, with unique ids in the place of names; undefined where it has none. */
export const busPolicyInForce = ({ policy, policyPrincipals }: BusPolicy): string | undefined =>
  policy === undefined ? undefined : policyInForce(policy, policyPrincipals);

function checkLength(text: string): void {
  if (text.length <= busQuotas.policyCharacters) return;
  throw new AwsFault(
    'PolicyLengthExceededException',
    `The policy of an event bus has at most ${busQuotas.policyCharacters} characters; this one has ${text.length}.`,
  );
}

/** Every action must be of EventBridge: what else a policy of a bus speaks of would never be asked for. */
function checkActions({ statements }: Policy): void {
  const foreign = statements
    .flatMap(({ actions }) => actions.patterns)
    .find(({ source }) => source !== '*' && !/^events:/i.test(source));
  if (foreign) throw invalidParameter('Policy', `${foreign.source} is no action on event buses or rules.`);
}

/**
 * Checks a policy as a caller gives it, whole. Throws PolicyLengthExceededException, and ValidationException when it is not
 * understood or names a user or role that does not exist.
 */
export async function checkBusPolicy(view: StateView, text: string): Promise<BusPolicy> {
  checkLength(text);
  const parsed = parsePolicy(text, 'resource');
  if (parsed.kind === 'malformed') {
    throw invalidParameter('Policy', parsed.problems.map(({ detail }) => detail).join('; '));
  }
  checkActions(parsed.policy);
  const bound = await bindPrincipals(view, parsed.policy, text);
  if (bound.kind === 'unknown') {
    throw invalidParameter('Policy', `The principal ${bound.principal} does not exist.`);
  }
  return { policy: bound.text, policyPrincipals: bound.principals };
}

function statementsOf({ policy }: BusPolicy): readonly Statement[] {
  if (policy === undefined) return [];
  const { Statement } = JSON.parse(policy) as { readonly Statement: Statement | readonly Statement[] };
  return [Statement].flat() as readonly Statement[];
}

/** The same policy with these statements; no policy at all without any. Whom it names stays as it was found. */
function withStatements(before: BusPolicy, statements: readonly Statement[]): BusPolicy {
  if (statements.length === 0) return {};
  const rest = before.policy === undefined ? {} : (JSON.parse(before.policy) as object);
  const policy = JSON.stringify({ Version: '2012-10-17', ...rest, Statement: statements });
  checkLength(policy);
  return { ...before, policy };
}

/** Adds a statement, in the place of the one that has its Sid. Throws PolicyLengthExceededException. */
export function putStatement(before: BusPolicy, statement: Statement): BusPolicy {
  const others = statementsOf(before).filter(({ Sid }) => Sid !== statement['Sid']);
  return withStatements(before, [...others, statement]);
}

/** Takes a statement away; undefined when there is none of that Sid. */
export function removeStatement(before: BusPolicy, sid: string): BusPolicy | undefined {
  const all = statementsOf(before);
  const others = all.filter(({ Sid }) => Sid !== sid);
  return others.length === all.length ? undefined : withStatements(before, others);
}
