import type {
  ApplicablePolicies,
  ConditionKeys,
  Policy,
  PolicyPrincipal,
  Statement,
} from './policy-types.ts';
import { variablesOf, type TextPattern } from './text-pattern.ts';

function patternsOf({ resources, conditions }: Statement): readonly TextPattern[] {
  const compared = conditions.flatMap((condition) => {
    if (condition.kind === 'null') return [];
    if (condition.test.family === 'string') return condition.test.patterns;
    return condition.test.family === 'arn' ? condition.test.patterns.map(({ pattern }) => pattern) : [];
  });
  return [...(resources?.patterns ?? []), ...compared];
}

function distinct(keys: readonly string[]): readonly string[] {
  const seen = new Map<string, string>();
  for (const key of keys) {
    const name = key.toLowerCase();
    if (!seen.has(name)) seen.set(name, key);
  }
  return [...seen.values()];
}

/**
 * The condition keys that the policy asks for, in conditions and as policy variables, as first written, each once
 * (GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy).
 */
export function contextKeysOf(policy: Policy): readonly string[] {
  return distinct(
    policy.statements.flatMap((statement) => [
      ...statement.conditions.map(({ writtenKey }) => writtenKey),
      ...patternsOf(statement).flatMap(({ tokens }) => variablesOf(tokens)),
    ]),
  );
}

/** The condition keys that the policies ask for and the request does not have (MissingContextValues of a simulation). */
export function missingContextKeys(
  policies: ApplicablePolicies,
  conditionKeys: ConditionKeys,
): readonly string[] {
  const { identity, boundary, session = [], resource } = policies;
  const present = new Set(
    Object.entries(conditionKeys).flatMap(([key, values]) => (values.length > 0 ? [key.toLowerCase()] : [])),
  );
  const all = [...identity, ...(boundary ? [boundary] : []), ...session, ...(resource ? [resource] : [])];
  return distinct(all.flatMap(({ policy }) => contextKeysOf(policy))).filter(
    (key) => !present.has(key.toLowerCase()),
  );
}

/** Everyone whom the policy names in Principal and NotPrincipal elements. */
export function principalsOf(policy: Policy): readonly PolicyPrincipal[] {
  return policy.statements.flatMap(({ principals }) => principals?.named ?? []);
}
