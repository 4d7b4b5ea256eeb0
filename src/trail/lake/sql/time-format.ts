/** Formats of times in other languages, as strftime and strptime of the engine take them. */
export type TimeFormat =
  | { readonly kind: 'format'; readonly text: string }
  | { readonly kind: 'unsupported'; readonly what: string };

const mysqlWritten: Readonly<Record<string, string>> = {
  a: '%a',
  b: '%b',
  c: '%-m',
  d: '%d',
  e: '%-d',
  f: '%f',
  H: '%H',
  h: '%I',
  I: '%I',
  i: '%M',
  j: '%j',
  k: '%-H',
  l: '%-I',
  M: '%B',
  m: '%m',
  p: '%p',
  r: '%I:%M:%S %p',
  S: '%S',
  s: '%S',
  T: '%H:%M:%S',
  v: '%V',
  W: '%A',
  x: '%G',
  Y: '%Y',
  y: '%y',
  '%': '%%',
};

/** Read, a number may have its leading zero or not, so there is one form of it. */
const mysqlRead: Readonly<Record<string, string>> = { ...mysqlWritten, c: '%m', e: '%d', k: '%H', l: '%I' };

/** A format of MySQL, as date_format writes and date_parse reads. */
export function mysqlFormat(text: string, use: 'write' | 'read'): TimeFormat {
  const letters = use === 'write' ? mysqlWritten : mysqlRead;
  let out = '';
  for (const [, letter, plain] of text.matchAll(/%([\s\S]?)|([^%]+)/g)) {
    if (plain !== undefined) out += plain;
    else if (
      letter !== undefined &&
      Object.hasOwn(letters, letter) &&
      !(use === 'read' && (letter === 'v' || letter === 'x'))
    )
      out += letters[letter];
    else if (letter !== undefined && /[DUuVwX]/.test(letter))
      return { kind: 'unsupported', what: `%${letter}` };
    else if (use === 'write' && letter !== undefined && letter !== '') out += letter;
    else return { kind: 'unsupported', what: `%${letter}` };
  }
  return { kind: 'format', text: out };
}

const jodaLetters: Readonly<Record<string, (count: number) => string | undefined>> = {
  y: (count) => (count === 2 ? '%y' : count === 1 || count === 4 ? '%Y' : undefined),
  Y: (count) => (count === 2 ? '%y' : count === 1 || count === 4 ? '%Y' : undefined),
  x: (count) => (count === 4 ? '%G' : undefined),
  M: (count) => ['%-m', '%m', '%b', '%B'][count - 1],
  d: (count) => ['%-d', '%d'][count - 1],
  D: (count) => ({ 1: '%-j', 3: '%j' })[count],
  E: (count) => (count <= 3 ? '%a' : '%A'),
  e: (count) => (count === 1 ? '%u' : undefined),
  w: (count) => (count === 2 ? '%V' : undefined),
  a: () => '%p',
  H: (count) => ['%-H', '%H'][count - 1],
  h: (count) => ['%-I', '%I'][count - 1],
  m: (count) => ['%-M', '%M'][count - 1],
  s: (count) => ['%-S', '%S'][count - 1],
  S: (count) => ({ 3: '%g', 6: '%f' })[count],
};

/** Years of two digits are not among what is read: which century they are of depends on the year of reading. */
const jodaReadable = 'yYMdEaHhmsS';

/**
 * A format of Joda, as format_datetime writes and parse_datetime reads.
 * @param zone what Z, ZZ and ZZZ write; undefined if the zone has no fixed offset, or when reading
 */
export function jodaFormat(text: string, use: 'write' | 'read', zone: string | undefined): TimeFormat {
  let out = '';
  for (const [all, letters, quoted, plain] of text.matchAll(
    /(?:([A-Za-z])\1*)|'((?:[^']|'')*)'|([^A-Za-z']+)|'/g,
  )) {
    if (letters !== undefined) {
      const written = zoneText(letters, all.length, zone) ?? jodaLetters[letters]?.(all.length);
      if (written === undefined || (use === 'read' && (!jodaReadable.includes(letters) || written === '%y')))
        return { kind: 'unsupported', what: all };
      out += use === 'read' ? written.replace('-', '') : written;
    } else if (quoted !== undefined)
      out += quoted === '' ? "'" : quoted.replaceAll("''", "'").replaceAll('%', '%%');
    else if (plain === undefined) return { kind: 'unsupported', what: 'a quote that is not closed' };
    else out += plain.replaceAll('%', '%%');
  }
  return { kind: 'format', text: out };
}

function zoneText(letter: string, count: number, zone: string | undefined): string | undefined {
  if (letter !== 'Z' || zone === undefined) return undefined;
  const offset = zone === 'UTC' ? '+00:00' : zone;
  if (count === 1) return offset.replace(':', '');
  return count === 2 ? offset : zone;
}
