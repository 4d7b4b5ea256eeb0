import { wildcardsButFor } from './anything-but.ts';
import { comparableText } from './comparable-number.ts';
import type { FieldTest, ScalarTest } from './field-test.ts';
import { refuse } from './invalid-pattern.ts';
import { compileExpression } from './match-expression.ts';
import type { PatternJson, PatternMember } from './pattern-json.ts';
import type { WildcardExpression } from './wildcard-complexity.ts';

/** A field of a pattern, with the wildcards in it, one list for each match expression that has some. */
export interface PatternField {
  readonly test: FieldTest;
  readonly wildcards: readonly WildcardExpression[];
}

function wildcardsOf(expression: PatternMember): readonly string[] {
  if (expression.name === 'anything-but') return wildcardsButFor(expression.value);
  return expression.name === 'wildcard' && expression.value.kind === 'string' ? [expression.value.text] : [];
}

/** Compiles what stands in the array of a field: values, and match expressions. */
export function compileField(items: readonly PatternJson[]): PatternField {
  if (items.length === 0) refuse('Empty arrays are not allowed');
  const strings = new Set<string>();
  const numbers = new Set<number>();
  const numberTexts = new Set<string>();
  const words = new Set<boolean | null>();
  const tests: ScalarTest[] = [];
  const wildcards: WildcardExpression[] = [];
  const presence = { exists: false, absent: false };
  for (const item of items) {
    switch (item.kind) {
      case 'string':
        strings.add(item.text);
        break;
      case 'number': {
        const number = comparableText(item.text);
        if (number?.exact) numbers.add(number.millionths);
        numberTexts.add(item.text);
        break;
      }
      case 'word':
        words.add(item.value);
        break;
      case 'object': {
        const compiled = compileExpression(item);
        if (compiled.kind === 'exists') presence[compiled.wanted ? 'exists' : 'absent'] = true;
        else tests.push(compiled);
        const [expression] = item.members;
        const texts = expression ? wildcardsOf(expression) : [];
        if (texts.length > 0) wildcards.push(texts);
        break;
      }
      case 'array':
        refuse('Match value must be String, number, true, false, or null');
    }
  }
  return { test: { strings, numbers, numberTexts, words, tests, ...presence }, wildcards };
}
