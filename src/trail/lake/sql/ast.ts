/** What the parser makes of a statement. `at` is always an offset into its text. */

/** A name: compared without case, whether it was quoted or not. */
export interface Name {
  readonly at: number;
  readonly text: string;
}

export interface SortItem {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface FrameBound {
  readonly at: number;
  readonly kind: 'unbounded preceding' | 'preceding' | 'current row' | 'following' | 'unbounded following';
  readonly offset?: Expression;
}

export interface WindowFrame {
  readonly unit: 'ROWS' | 'RANGE' | 'GROUPS';
  readonly start: FrameBound;
  readonly end: FrameBound;
}

export interface WindowSpecification {
  readonly at: number;
  /** The name of a window that this one builds on. */
  readonly base?: Name;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly SortItem[];
  readonly frame?: WindowFrame;
}

export interface TypeName {
  readonly at: number;
  readonly name: string;
  readonly numbers: readonly number[];
  /** Of an array and a map; of a row with the fields' names. */
  readonly parameters: readonly { readonly name?: Name; readonly type: TypeName }[];
  readonly withTimeZone: boolean;
}

export interface CallExpression {
  readonly kind: 'call';
  readonly at: number;
  readonly name: string;
  readonly parameters: readonly Expression[];
  readonly star: boolean;
  readonly distinct: boolean;
  readonly orderBy: readonly SortItem[];
  readonly filter?: Expression;
  readonly ignoreNulls: boolean;
  readonly over?: WindowSpecification;
}

export interface LambdaExpression {
  readonly kind: 'lambda';
  readonly at: number;
  readonly parameters: readonly Name[];
  readonly body: Expression;
}

export type IntervalField = 'YEAR' | 'MONTH' | 'DAY' | 'HOUR' | 'MINUTE' | 'SECOND';

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type Expression =
  | { readonly kind: 'null'; readonly at: number }
  | { readonly kind: 'boolean'; readonly at: number; readonly value: boolean }
  | { readonly kind: 'number'; readonly at: number; readonly text: string }
  | { readonly kind: 'string'; readonly at: number; readonly value: string }
  | { readonly kind: 'binary'; readonly at: number; readonly hex: string }
  | {
      readonly kind: 'interval';
      readonly at: number;
      readonly negative: boolean;
      readonly text: string;
      readonly from: IntervalField;
      readonly to?: IntervalField;
    }
  | { readonly kind: 'typed'; readonly at: number; readonly type: string; readonly text: string }
  | { readonly kind: 'name'; readonly at: number; readonly name: Name }
  | { readonly kind: 'field'; readonly at: number; readonly base: Expression; readonly name: Name }
  | { readonly kind: 'subscript'; readonly at: number; readonly base: Expression; readonly index: Expression }
  | CallExpression
  | LambdaExpression
  | { readonly kind: 'sign'; readonly at: number; readonly negative: boolean; readonly operand: Expression }
  | {
      readonly kind: 'arithmetic';
      readonly at: number;
      readonly operator: '+' | '-' | '*' | '/' | '%' | '||';
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'comparison';
      readonly at: number;
      readonly operator: ComparisonOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'quantified';
      readonly at: number;
      readonly operator: ComparisonOperator;
      readonly quantifier: 'ALL' | 'ANY';
      readonly left: Expression;
      readonly query: Query;
    }
  | {
      readonly kind: 'logical';
      readonly at: number;
      readonly operator: 'AND' | 'OR';
      readonly operands: readonly Expression[];
    }
  | { readonly kind: 'not'; readonly at: number; readonly operand: Expression }
  | {
      readonly kind: 'between';
      readonly at: number;
      readonly negated: boolean;
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
    }
  | {
      readonly kind: 'in-list';
      readonly at: number;
      readonly negated: boolean;
      readonly operand: Expression;
      readonly items: readonly Expression[];
    }
  | {
      readonly kind: 'in-query';
      readonly at: number;
      readonly negated: boolean;
      readonly operand: Expression;
      readonly query: Query;
    }
  | {
      readonly kind: 'like';
      readonly at: number;
      readonly negated: boolean;
      readonly operand: Expression;
      readonly pattern: Expression;
      readonly escape?: Expression;
    }
  | { readonly kind: 'is-null'; readonly at: number; readonly negated: boolean; readonly operand: Expression }
  | {
      readonly kind: 'distinct-from';
      readonly at: number;
      readonly negated: boolean;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'exists'; readonly at: number; readonly query: Query }
  | { readonly kind: 'subquery'; readonly at: number; readonly query: Query }
  | {
      readonly kind: 'case';
      readonly at: number;
      readonly operand?: Expression;
      readonly branches: readonly { readonly when: Expression; readonly result: Expression }[];
      readonly otherwise?: Expression;
    }
  | {
      readonly kind: 'cast';
      readonly at: number;
      readonly lenient: boolean;
      readonly operand: Expression;
      readonly type: TypeName;
    }
  | { readonly kind: 'array'; readonly at: number; readonly items: readonly Expression[] }
  | { readonly kind: 'row'; readonly at: number; readonly items: readonly Expression[] }
  | {
      readonly kind: 'at-time-zone';
      readonly at: number;
      readonly operand: Expression;
      readonly zone: Expression;
    };

export type SelectItem =
  | {
      readonly kind: 'all';
      readonly at: number;
      readonly of?: Expression;
      readonly aliases?: readonly Name[];
    }
  | {
      readonly kind: 'expression';
      readonly at: number;
      readonly expression: Expression;
      readonly alias?: Name;
    };

export type GroupingElement =
  | { readonly kind: 'simple'; readonly at: number; readonly expressions: readonly Expression[] }
  | {
      readonly kind: 'rollup' | 'cube' | 'sets';
      readonly at: number;
      readonly sets: readonly (readonly Expression[])[];
    };

export interface SelectQuery {
  readonly kind: 'select';
  readonly at: number;
  readonly distinct: boolean;
  readonly items: readonly SelectItem[];
  readonly from?: Relation;
  readonly where?: Expression;
  readonly groupBy?: readonly GroupingElement[];
  readonly groupByDistinct: boolean;
  readonly having?: Expression;
  readonly windows: readonly { readonly name: Name; readonly window: WindowSpecification }[];
}

export type QueryBody =
  | SelectQuery
  | { readonly kind: 'values'; readonly at: number; readonly rows: readonly Expression[] }
  | { readonly kind: 'table'; readonly at: number; readonly name: Name }
  | { readonly kind: 'nested'; readonly at: number; readonly query: Query }
  | {
      readonly kind: 'set';
      readonly at: number;
      readonly operator: 'UNION' | 'INTERSECT' | 'EXCEPT';
      readonly all: boolean;
      readonly left: QueryBody;
      readonly right: QueryBody;
    };

export interface CommonTable {
  readonly name: Name;
  readonly columns?: readonly Name[];
  readonly query: Query;
}

export interface Query {
  readonly at: number;
  readonly with: readonly CommonTable[];
  readonly body: QueryBody;
  readonly orderBy: readonly SortItem[];
  readonly offset?: bigint;
  readonly limit?: bigint;
  /** FETCH FIRST … WITH TIES */
  readonly withTies: boolean;
}

export interface Alias {
  readonly name: Name;
  readonly columns?: readonly Name[];
}

export type Relation =
  | { readonly kind: 'named'; readonly at: number; readonly name: Name; readonly alias?: Alias }
  | {
      readonly kind: 'derived';
      readonly at: number;
      readonly lateral: boolean;
      readonly query: Query;
      readonly alias?: Alias;
    }
  | {
      readonly kind: 'unnest';
      readonly at: number;
      readonly expressions: readonly Expression[];
      readonly ordinality: boolean;
      readonly alias?: Alias;
    }
  | { readonly kind: 'aliased'; readonly at: number; readonly relation: Relation; readonly alias: Alias }
  | {
      readonly kind: 'join';
      readonly at: number;
      readonly type: 'CROSS' | 'INNER' | 'LEFT' | 'RIGHT' | 'FULL';
      readonly left: Relation;
      readonly right: Relation;
      readonly on?: Expression;
      readonly using?: readonly Name[];
    };
