import type { Glob } from './glob.ts';
import type { IpRange } from './ip-range.ts';
import type { TextPattern } from './text-pattern.ts';

export type Relation = 'equals' | 'lessThan' | 'lessThanEquals' | 'greaterThan' | 'greaterThanEquals';

/** What one request value is compared with: any one of the policy's values will do. */
export type ValueTest =
  | { readonly family: 'string'; readonly foldCase: boolean; readonly patterns: readonly TextPattern[] }
  | {
      readonly family: 'arn';
      /** `globs` are ready where the pattern has no variables. */
      readonly patterns: readonly {
        readonly pattern: TextPattern;
        readonly globs: readonly Glob[] | undefined;
      }[];
    }
  | { readonly family: 'numeric' | 'date'; readonly relation: Relation; readonly values: readonly number[] }
  | { readonly family: 'binary'; readonly values: readonly Buffer[] }
  | { readonly family: 'ip'; readonly ranges: readonly IpRange[] };

/** One key of one operator of a Condition element. */
export type Condition = ConditionKey &
  (
    | {
        readonly kind: 'compare';
        /** Operators such as StringNotEquals: true where none of the policy's values matches. */
        readonly negated: boolean;
        readonly ifExists: boolean;
        /** ForAnyValue and ForAllValues; `one` without. */
        readonly set: 'one' | 'any' | 'all';
        readonly test: ValueTest;
      }
    /** The Null operator: which of absent and present it is true for. */
    | { readonly kind: 'null'; readonly whenAbsent: boolean; readonly whenPresent: boolean }
  );

interface ConditionKey {
  /** In lower case. */
  readonly key: string;
  /** As written. */
  readonly writtenKey: string;
}
