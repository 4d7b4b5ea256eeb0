import { refuse } from './invalid-pattern.ts';

/** A wildcard pattern: the literal texts before, between and behind its asterisks; one alone is a pattern without any. */
export type Wildcard = readonly string[];

/**
 * Parses a wildcard pattern: an asterisk is any run of characters, `\*` an asterisk and `\\` a backslash, no other
 * character is escaped, and no two asterisks follow one another ("Comparison operators for use in event patterns").
 * Places are told as EventBridge tells them: in bytes, behind the quote that a string begins with.
 */
export function parseWildcard(text: string): Wildcard {
  const parts = [''];
  const position = (at: number) => Buffer.byteLength(text.slice(0, at)) + 1;
  for (let at = 0; at < text.length; at += 1) {
    const next = text[at + 1];
    let character = text[at] ?? '';
    if (character === '*') {
      if (next === '*') refuse(`Consecutive wildcard characters at pos ${position(at)}`);
      parts.push('');
      continue;
    }
    if (character === '\\') {
      if (next !== '*' && next !== '\\') refuse(`Invalid escape character at pos ${position(at)}`);
      character = next;
      at += 1;
    }
    parts.push((parts.pop() ?? '') + character);
  }
  return parts;
}

/** Whether the whole text matches: each part in turn where it first stands, which never is a worse choice than later. */
export function matchesWildcard(parts: Wildcard, text: string): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return from <= end;
}
