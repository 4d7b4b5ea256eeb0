import type { PolicyProblem } from './policy-types.ts';

/**
 * The order in which IAM finds problems: of several it answers with the first. Observed by public conformance suites of
 * the IAM API; the documentation has no list.
 */
const ranks = [
  'syntax',
  'version',
  'principal',
  'legacy',
  'sid',
  'actions',
  'resources',
  'arn',
  'vendor',
] as const;

export type Rank = (typeof ranks)[number];

export interface RankedProblem extends PolicyProblem {
  readonly rank: Rank;
}

/** Takes down a problem; reading goes on, so that a person sees all of them at once. */
export type Report = (problem: RankedProblem) => void;

/** What is not of the language at all. */
export function syntaxProblem(detail: string): RankedProblem {
  return { rank: 'syntax', message: 'Syntax errors in policy.', detail };
}

/** What is of the language but has a value that IAM's older reader refuses, such as a wrong date. */
export function parseProblem(detail: string): RankedProblem {
  return { rank: 'legacy', message: 'The policy failed legacy parsing', detail };
}

/** The problems as they are answered: first what IAM finds first. */
export function inOrder(problems: readonly RankedProblem[]): readonly PolicyProblem[] {
  return problems
    .toSorted((left, right) => ranks.indexOf(left.rank) - ranks.indexOf(right.rank))
    .map(({ message, detail }) => ({ message, detail }));
}
