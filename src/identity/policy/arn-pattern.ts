import { globOf, matchesGlob, type Glob } from './glob.ts';
import type { RequestContext } from './request-context.ts';
import { codesOf, type TextPattern } from './text-pattern.ts';

const colon = 58;

/** The six components of an ARN; the last one keeps its colons. Undefined when there are fewer. */
function splitCodes(codes: readonly number[]): readonly (readonly number[])[] | undefined {
  const parts: number[][] = [[]];
  for (const code of codes) {
    if (code === colon && parts.length < 6) parts.push([]);
    else parts.at(-1)?.push(code);
  }
  return parts.length === 6 ? parts : undefined;
}

function splitText(text: string): readonly string[] | undefined {
  const parts = text.split(':');
  return parts.length < 6 ? undefined : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

/** The globs of a pattern's six components; undefined when it does not have six. */
export function arnGlobs(codes: readonly number[]): readonly Glob[] | undefined {
  return splitCodes(codes)?.map((part) => globOf(part));
}

/**
 * ARN matching of the condition operators: each of the six components by itself, case-sensitively, so that a wildcard never
 * reaches over a colon of the first five. Source: "IAM JSON policy elements: Condition operators", ARN operators.
 */
export function matchesArn(
  pattern: TextPattern,
  fixed: readonly Glob[] | undefined,
  text: string,
  context: RequestContext,
): boolean {
  const parts = splitText(text);
  if (!parts) return false;
  const codes = fixed ? undefined : codesOf(pattern.tokens, context);
  const globs = fixed ?? (codes && arnGlobs(codes));
  return globs !== undefined && globs.every((glob, index) => matchesGlob(glob, parts[index] ?? ''));
}
