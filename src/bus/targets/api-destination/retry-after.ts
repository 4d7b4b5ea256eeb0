/**
 * What a header `Retry-After` asks for, in milliseconds from `now`: seconds, which may be negative ("If Retry-After value is
 * negative, EventBridge stops retrying delivery for that event"), or a date. Undefined where it says nothing that is understood.
 */
export function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return undefined;
  if (/^\s*-?\d{1,9}\s*$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
