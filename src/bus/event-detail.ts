import { busQuotas } from './bus-quotas.ts';

const smallest = -(2n ** 63n);
const largest = 2n ** 63n - 1n;

/** Where strings begin, numbers, and the marks that open or close a level, in text that is JSON. */
const tokens = /"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[[\]{}]/g;

const isWhole = (token: string): boolean => /^-?\d+$/.test(token);

/** The place behind the string whose content begins at `start`. */
function behindString(text: string, start: number): number {
  let end = text.indexOf('"', start);
  for (; ; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text[before - 1] === '\\') before -= 1;
    if ((end - before) % 2 === 0) return end + 1;
  }
}

/** Whether JSON text stays within the depth and the range of whole numbers that PutEvents takes. */
function staysWithin(text: string): boolean {
  let level = 0;
  tokens.lastIndex = 0;
  for (let found = tokens.exec(text); found; found = tokens.exec(text)) {
    const [token] = found;
    if (token === '"') tokens.lastIndex = behindString(text, tokens.lastIndex);
    else if (token === '{' || token === '[') level += 1;
    else if (token === '}' || token === ']') level -= 1;
    else if (token.length > 18 && isWhole(token) && (BigInt(token) < smallest || BigInt(token) > largest)) {
      return false;
    }
    if (level > busQuotas.detailLevels) return false;
  }
  return true;
}

/**
 * Whether a text is what PutEvents takes as an event's detail: a JSON object, at most 1,000 levels deep, with whole numbers
 * that a signed number of 64 bits holds ("PutEvents", API reference).
 */
export function checkDetail(text: string): boolean {
  let detail: unknown;
  try {
    detail = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return false;
  // Most details are short of both bounds at a glance.
  return (text.length < 2 * busQuotas.detailLevels && !/\d{19}/.test(text)) || staysWithin(text);
}
