import type { TimestampFormat } from '../schema/index.ts';

/**
 * Smithy's three timestamp formats ("timestampFormat trait" in the Smithy specification). Readers answer undefined for
 * text that is not of the format; a Date outside what JavaScript can hold is refused in the same way.
 */
export function readTimestamp(text: string, format: TimestampFormat): Date | undefined {
  switch (format) {
    case 'dateTime':
      return readDateTime(text);
    case 'httpDate':
      return readHttpDate(text);
    case 'epochSeconds':
      return /^-?\d{1,15}(\.\d{1,9})?$/.test(text) ? readEpochSeconds(Number(text)) : undefined;
  }
}

export function readEpochSeconds(seconds: number): Date | undefined {
  return checked(new Date(Math.round(seconds * 1000)));
}

export function writeTimestamp(time: Date, format: TimestampFormat): string {
  switch (format) {
    case 'dateTime':
      return time.toISOString().replace('.000Z', 'Z');
    case 'httpDate':
      return time.toUTCString();
    case 'epochSeconds':
      return String(time.getTime() / 1000);
  }
}

const dateTime = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

function readDateTime(text: string): Date | undefined {
  const match = dateTime.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const offset = zone === 'Z' || zone === 'z' ? 0 : offsetMinutes(zone);
  if (offset === undefined) return undefined;
  return fromParts(
    [Number(year), Number(month) - 1, Number(day)],
    [Number(hour), Number(minute) - offset, Number(second)],
    fraction,
    Number(minute),
  );
}

function offsetMinutes(zone: string): number | undefined {
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const httpDate = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d)(\.\d{1,9})? GMT$/;

function readHttpDate(text: string): Date | undefined {
  const match = httpDate.exec(text);
  if (!match) return undefined;
  const [, day, month = '', year, hour, minute, second, fraction = ''] = match;
  return fromParts(
    [Number(year), months.indexOf(month), Number(day)],
    [Number(hour), Number(minute), Number(second)],
    fraction,
    Number(minute),
  );
}

function fromParts(
  [year, month, day]: readonly [number, number, number],
  [hour, minuteOfUtc, second]: readonly [number, number, number],
  fraction: string,
  minute: number,
): Date | undefined {
  const daysInMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  if (month < 0 || month > 11 || day < 1 || day > daysInMonth) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const time = new Date(Date.UTC(year, month, day, hour, minuteOfUtc, second));
  // Date.UTC takes the years 0 to 99 as 1900 to 1999.
  if (year < 100) time.setUTCFullYear(time.getUTCFullYear() - 1900);
  return checked(new Date(time.getTime() + Math.floor(Number(`0${fraction || '.0'}`) * 1000)));
}

function checked(time: Date): Date | undefined {
  return Number.isNaN(time.getTime()) ? undefined : time;
}
