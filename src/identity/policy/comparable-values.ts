/** Numbers, dates and bytes as policies and requests write them. */

const numberForm = /^[+-]?(?:\d+(?:\.\d+)?|\.\d+)$/;

/**
 * Parses an integer or decimal number. Undefined for anything else, and for more digits than can be compared exactly
 * (15), since a comparison that rounds would decide wrongly without saying so.
 */
export function parseNumber(text: string): number | undefined {
  if (text.length > 64 || !numberForm.test(text)) return undefined;
  const digits = text.replace(/^[+-]?0*/, '').replace('.', '').length;
  return digits <= 15 ? Number(text) : undefined;
}

const dateForm =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2}))?)?)?$/;

function offsetMs(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/**
 * Parses a date in one of the forms of the W3C note on date and time formats (from `2026` to
 * `2026-11-22T10:15:30.5+01:00`) or whole seconds since the epoch. Four digits are a year. Milliseconds since the epoch;
 * undefined for anything else, such as a time without its zone or the 30th of February.
 * Source: "IAM JSON policy elements: Condition operators", date operators.
 */
export function parseDate(text: string): number | undefined {
  if (/^\d{1,3}$|^\d{5,12}$/.test(text)) return Number(text) * 1000;
  const match = dateForm.exec(text);
  if (!match) return undefined;
  const [
    ,
    year = '',
    month = '01',
    day = '01',
    hour = '00',
    minute = '00',
    second = '00',
    fraction = '0',
    zone = 'Z',
  ] = match;
  const midnight = utcMidnight(`${year}-${month}-${day}`);
  const offset = offsetMs(zone);
  if (midnight === undefined || offset === undefined) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const time = (Number(hour) * 60 + Number(minute)) * 60 + Number(second) + Number(`0.${fraction}`);
  return midnight + time * 1000 - offset;
}

/** Milliseconds since the epoch of a day's beginning in UTC; undefined when there is no such day. */
function utcMidnight(day: string): number | undefined {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // A day beyond the end of its month is counted on into the next one, and then reads differently.
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day) ? midnight : undefined;
}

/** Parses base64, strictly, since Node's own reader skips what it does not know. Undefined for anything else. */
export function parseBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
