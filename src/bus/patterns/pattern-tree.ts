import type { FieldTest } from './field-test.ts';

/** Fields that all have to match, as a tree along the steps of their paths. */
export interface PatternNode {
  /** What is the same in several trees is one node. */
  readonly number: number;
  /** Of the field whose path ends here. */
  readonly test: FieldTest | undefined;
  readonly children: readonly PatternChild[];
  /** Whether it matches that there is nothing here: every field at and below this node may be absent. */
  readonly mayBeAbsent: boolean;
}

export interface PatternChild {
  readonly step: string;
  /** Whether every object has, by inheritance, something of that name. */
  readonly isInherited: boolean;
  readonly node: PatternNode;
}

export interface PathTest {
  readonly steps: readonly string[];
  readonly test: FieldTest;
}

export interface PatternTrees {
  /** The tree of these fields, whose paths differ. */
  add(fields: readonly PathTest[]): PatternNode;
}

/** Makes the trees of one pattern. */
export function openPatternTrees(): PatternTrees {
  const nodes = new Map<string, PatternNode>();
  const tests = new Map<FieldTest, number>();

  function numberOf(test: FieldTest): number {
    const number = tests.get(test) ?? tests.size;
    tests.set(test, number);
    return number;
  }

  function nodeOf(fields: readonly PathTest[], depth: number): PatternNode {
    const own = fields.find(({ steps }) => steps.length === depth)?.test;
    const below = Map.groupBy(
      fields.filter(({ steps }) => steps.length > depth),
      ({ steps }) => steps[depth] ?? '',
    );
    const children = [...below].map(([step, those]) => ({
      step,
      isInherited: step in Object.prototype,
      node: nodeOf(those, depth + 1),
    }));
    const names = children.map(({ step, node }) => `${JSON.stringify(step)} ${node.number}`).toSorted();
    const key = `${own ? numberOf(own) : ''}|${names.join()}`;
    const known = nodes.get(key);
    if (known) return known;
    const node: PatternNode = {
      number: nodes.size,
      test: own,
      // Fields first: they tell sooner than what lies deeper that an event does not match.
      children: children.toSorted((one, other) => one.node.children.length - other.node.children.length),
      mayBeAbsent: (own?.absent ?? true) && children.every(({ node }) => node.mayBeAbsent),
    };
    nodes.set(key, node);
    return node;
  }

  return { add: (fields) => nodeOf(fields, 0) };
}
