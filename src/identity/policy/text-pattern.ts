import { globOf, matchesGlob, wildcard, type Glob } from './glob.ts';
import type { RequestContext } from './request-context.ts';

/** A piece of a policy's string: characters, a wildcard of `glob.ts`, or a policy variable. */
export type Token =
  | string
  | number
  | {
      /** The condition key, in lower case. */
      readonly key: string;
      /** The key as written. */
      readonly written: string;
      readonly fallback: string | undefined;
    };

/** A string of a policy that is compared with one of the request. */
export interface TextPattern {
  /** As written in the policy. */
  readonly source: string;
  readonly tokens: readonly Token[];
  /** Ready to match, where no variable has to be filled in first. */
  readonly fixed: Glob | undefined;
}

export type ReadTokens =
  | { readonly kind: 'tokens'; readonly tokens: readonly Token[] }
  | { readonly kind: 'broken'; readonly reason: string };

export interface TokenOptions {
  /** Whether `${…}` is a variable (language version 2012-10-17) rather than plain text. */
  readonly variables: boolean;
  /** Whether `*` and `?` are wildcards. */
  readonly wildcards: boolean;
}

/** A condition key: the vendor (or an identity provider, with its path), a colon, a name, and perhaps a tag's key. */
const variableForm = /^[\w.-]+(?:\/[\w./-]*)?:[\w.:-]+(?:\/[^${}*?']+)?$/u;

function readVariable(inner: string): Token | undefined {
  if (inner === '*' || inner === '?' || inner === '$') return inner;
  const quote = inner.endsWith("'") ? inner.indexOf(", '") : -1;
  const hasFallback = quote !== -1 && quote + 3 < inner.length;
  const written = hasFallback ? inner.slice(0, quote) : inner;
  if (!variableForm.test(written)) return undefined;
  const fallback = hasFallback ? inner.slice(quote + 3, -1) : undefined;
  return { key: written.toLowerCase(), written, fallback };
}

/** Takes a string of a policy apart. Source: "IAM policy elements: Variables and tags" in the IAM user guide. */
export function readTokens(source: string, options: TokenOptions): ReadTokens {
  const tokens: Token[] = [];
  let text = '';
  const push = (token: Token): void => {
    if (typeof token === 'string') {
      text += token;
      return;
    }
    if (text) tokens.push(text);
    text = '';
    tokens.push(token);
  };
  for (let at = 0; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (options.variables && char === '$' && source[at + 1] === '{') {
      const end = source.indexOf('}', at);
      const variable = end === -1 ? undefined : readVariable(source.slice(at + 2, end));
      if (variable === undefined) {
        return { kind: 'broken', reason: `"${source}" has a policy variable that cannot be understood` };
      }
      push(variable);
      at = end;
    } else if (options.wildcards && char === '*') push(wildcard.star);
    else if (options.wildcards && char === '?') push(wildcard.question);
    else text += char;
  }
  if (text) tokens.push(text);
  return { kind: 'tokens', tokens };
}

/**
 * The codes of `glob.ts` with every variable filled in; what is filled in is plain text, never a wildcard. Undefined when
 * a variable has no value: its key is not in the request, or has several values ("Policy variables with no value").
 */
export function codesOf(
  tokens: readonly Token[],
  context: RequestContext | undefined,
): readonly number[] | undefined {
  const codes: number[] = [];
  for (const token of tokens) {
    if (typeof token === 'number') {
      codes.push(token);
      continue;
    }
    const text = typeof token === 'string' ? token : valueOf(token, context);
    if (text === undefined) return undefined;
    for (let at = 0; at < text.length; at += 1) codes.push(text.charCodeAt(at));
  }
  return codes;
}

function valueOf(
  token: Exclude<Token, string | number>,
  context: RequestContext | undefined,
): string | undefined {
  const values = context?.valuesOf(token.key);
  return values === undefined ? token.fallback : values.length === 1 ? values[0] : undefined;
}

/** Makes a pattern of tokens. */
export function textPattern(source: string, tokens: readonly Token[]): TextPattern {
  const codes = tokens.some((token) => typeof token === 'object') ? undefined : codesOf(tokens, undefined);
  return { source, tokens, fixed: codes && globOf(codes) };
}

/** Whether the whole of `text` matches, with the pattern's variables filled in. Without all their values nothing does. */
export function matchesPattern(pattern: TextPattern, text: string, context: RequestContext): boolean {
  if (pattern.fixed) return matchesGlob(pattern.fixed, text);
  // Most patterns differ in what is before their first variable, and that costs little to see.
  const first = pattern.tokens[0];
  if (typeof first === 'string' && !text.startsWith(first)) return false;
  const codes = codesOf(pattern.tokens, context);
  return codes !== undefined && matchesGlob(globOf(codes), text);
}

/**
 * The same without regard to case, for patterns without wildcards whose plain text is in lower case already; `text` is too.
 * What a variable brings may still have capitals.
 */
export function matchesFolded(pattern: TextPattern, text: string, context: RequestContext): boolean {
  if (pattern.fixed) return matchesGlob(pattern.fixed, text);
  const parts = pattern.tokens.map((token) => (typeof token === 'object' ? valueOf(token, context) : token));
  return !parts.includes(undefined) && parts.join('').toLowerCase() === text;
}

/** The condition keys that the pattern's variables name, as written. */
export function variablesOf(tokens: readonly Token[]): readonly string[] {
  return tokens.flatMap((token) => (typeof token === 'object' ? [token.written] : []));
}
