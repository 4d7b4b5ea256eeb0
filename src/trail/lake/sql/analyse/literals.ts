import type { Expression } from '../ast.ts';
import { refuse } from '../refusal.ts';
import {
  bigint,
  double,
  integer,
  intervalDay,
  intervalMonth,
  json,
  timestamp,
  timestampWithZone,
  varbinary,
} from '../types.ts';
import { ipAddress, quoteText } from '../types.ts';
import { rangeOf } from '../ip-address.ts';
import { fromLocalLiteral, readTimestamp } from '../zones.ts';
import type { Typed } from './typed.ts';

function wholeNumber(text: string, at: number): Typed {
  const value = BigInt(text);
  const limit = 2n ** 63n;
  if (value >= limit) refuse(at, `The number ${text.slice(0, 40)} is too large for bigint`);
  const type = value < 2n ** 31n ? integer : bigint;
  return { sql: `CAST(${value} AS ${type.kind.toUpperCase()})`, type, number: Number(value) };
}

/** 1 is an integer or bigint, 1.0 a decimal, 1e0 a double. */
export function analyseNumber(written: string, at: number): Typed {
  const text = written.replaceAll('_', '');
  if (/^0[xob]/i.test(text) || /^\d+$/.test(text)) return wholeNumber(text, at);
  if (/e/i.test(text)) {
    const value = Number(text);
    if (!Number.isFinite(value)) refuse(at, `The number ${written.slice(0, 40)} is too large for double`);
    return { sql: `CAST('${value}' AS DOUBLE)`, type: double, number: value };
  }
  const [whole = '', fraction = ''] = text.split('.');
  const digits = whole.replace(/^0+/, '');
  const precision = Math.max(1, digits.length + fraction.length);
  if (precision > 38) refuse(at, 'A decimal has at most 38 digits');
  const type = { kind: 'decimal', precision, scale: fraction.length } as const;
  return {
    sql: `CAST('${whole || '0'}.${fraction || '0'}' AS DECIMAL(${precision}, ${fraction.length}))`,
    type,
    number: Number(text),
  };
}

const fieldMilliseconds: Readonly<Record<string, number>> = {
  DAY: 86_400_000,
  HOUR: 3_600_000,
  MINUTE: 60_000,
  SECOND: 1_000,
};
const dayFields = ['DAY', 'HOUR', 'MINUTE', 'SECOND'];

function dayInterval(parts: readonly string[], first: number): number {
  return parts.reduce((sum, part, index) => {
    const unit = fieldMilliseconds[dayFields[first + index] ?? ''] ?? 0;
    return sum + Math.round(Number(part) * unit);
  }, 0);
}

type IntervalLiteral = Extract<Expression, { kind: 'interval' }>;

function refuseInterval(literal: IntervalLiteral): never {
  const to = literal.to === undefined ? '' : ` TO ${literal.to}`;
  refuse(literal.at, `'${literal.text.slice(0, 40)}' is no interval of ${literal.from}${to}`);
}

/** INTERVAL '3' DAY, INTERVAL '1 02:03' DAY TO MINUTE, INTERVAL '1-2' YEAR TO MONTH. */
export function analyseInterval(literal: IntervalLiteral): Typed {
  const { from, to = from } = literal;
  const sign = literal.negative !== literal.text.trim().startsWith('-') ? -1 : 1;
  const text = literal.text.trim().replace(/^[+-]/, '');
  if (from === 'YEAR' || from === 'MONTH') {
    const match = from === to ? /^(\d{1,9})$/.exec(text) : /^(\d{1,9})-(\d{1,2})$/.exec(text);
    if (!match || (from !== to && (from !== 'YEAR' || to !== 'MONTH'))) refuseInterval(literal);
    const months = Number(match[1]) * (from === 'YEAR' ? 12 : 1) + Number(match[2] ?? 0);
    if (months > 2 ** 31 - 1) refuseInterval(literal);
    return { sql: `CAST(${sign * months} AS INTEGER)`, type: intervalMonth, number: sign * months };
  }
  const first = dayFields.indexOf(from);
  const last = dayFields.indexOf(to);
  const parts = text.split(/[ :]/);
  const shape = ['\\d{1,9}', ' \\d{1,2}', ':\\d{1,2}', ':\\d{1,2}(?:\\.\\d{1,3})?'];
  const wanted = dayFields.slice(first, last + 1).map((field, index) => {
    if (index === 0) return field === 'SECOND' ? '\\d{1,9}(?:\\.\\d{1,3})?' : '\\d{1,9}';
    return shape[dayFields.indexOf(field)] ?? '';
  });
  if (last < first || !new RegExp(`^${wanted.join('')}$`).test(text)) refuseInterval(literal);
  const milliseconds = sign * dayInterval(parts, first);
  return { sql: `CAST(${milliseconds} AS BIGINT)`, type: intervalDay, number: milliseconds };
}

function analyseTime(text: string, at: number): Typed {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?$/.exec(text.trim());
  if (!match || Number(match[1]) > 23 || Number(match[2]) > 59 || Number(match[3] ?? 0) > 59)
    refuse(at, `'${text.slice(0, 40)}' is no time; write it like TIME '12:30:00'`);
  const [, hour = '', minute = '', second = '00', fraction = ''] = match;
  const written = `${hour.padStart(2, '0')}:${minute}:${second}${fraction === '' ? '' : `.${fraction}`}`;
  return { sql: `TIME '${written}'`, type: { kind: 'time', precision: fraction.length } };
}

/** DATE '…', TIMESTAMP '…' and the other literals that name their type. */
export function analyseTypedLiteral(type: string, text: string, at: number): Typed {
  switch (type) {
    case 'date': {
      const read = readTimestamp(text);
      if (!read?.text.endsWith(' 00:00:00') || text.trim().length > 10)
        refuse(at, `'${text.slice(0, 40)}' is no date; write it like DATE '2024-05-01'`);
      return { sql: `DATE '${read.text.slice(0, 10)}'`, type: { kind: 'date' } };
    }
    case 'timestamp': {
      const read = readTimestamp(text);
      if (!read)
        refuse(at, `'${text.slice(0, 40)}' is no timestamp; write it like TIMESTAMP '2024-05-01 12:30:00'`);
      const { zone, precision } = read;
      if (zone === undefined) return { sql: `TIMESTAMP '${read.text}'`, type: timestamp(precision) };
      const sql = fromLocalLiteral(read, zone);
      if (sql === undefined) refuse(at, `The clocks of ${zone} never show '${read.text}'`);
      return { sql, type: timestampWithZone(precision, zone) };
    }
    case 'time':
      return analyseTime(text, at);
    case 'decimal':
      if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text)) refuse(at, `'${text.slice(0, 40)}' is no decimal`);
      if (/^[+-]?\d+$/.test(text)) {
        const precision = Math.max(1, text.replace(/^[+-]?0*/, '').length);
        if (precision > 38) refuse(at, 'A decimal has at most 38 digits');
        return {
          sql: `CAST('${text}' AS DECIMAL(${precision}, 0))`,
          type: { kind: 'decimal', precision, scale: 0 },
        };
      }
      return analyseSignedDecimal(text, at);
    case 'double':
    case 'real': {
      if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text))
        refuse(at, `'${text.slice(0, 40)}' is no ${type}`);
      return { sql: `CAST('${text}' AS ${type === 'real' ? 'FLOAT' : 'DOUBLE'})`, type: { kind: type } };
    }
    case 'bigint':
    case 'integer':
    case 'int':
    case 'smallint':
    case 'tinyint': {
      const kind = type === 'int' ? 'integer' : type;
      if (!/^[+-]?\d{1,19}$/.test(text)) refuse(at, `'${text.slice(0, 40)}' is no ${type}`);
      return { sql: `CAST('${text}' AS ${kind.toUpperCase()})`, type: { kind } };
    }
    case 'ipaddress': {
      const [only] = rangeOf(`${text}/${text.includes(':') ? 128 : 32}`) ?? [];
      if (only === undefined) refuse(at, `'${text.slice(0, 40)}' is no address`);
      return { sql: `unhex('${only}')`, type: ipAddress };
    }
    case 'varchar':
      return { sql: quoteText(text), type: { kind: 'varchar' }, text };
    case 'boolean':
      if (!/^(?:true|false)$/i.test(text)) refuse(at, `'${text.slice(0, 40)}' is no boolean`);
      return { sql: text.toUpperCase(), type: { kind: 'boolean' } };
    case 'json':
      try {
        JSON.parse(text);
      } catch {
        refuse(at, 'The text of this JSON literal is not valid JSON');
      }
      return { sql: `CAST(json(${quoteText(text)}) AS VARCHAR)`, type: json };
    default:
      refuse(at, `Literals of the type ${type.slice(0, 40)} are not supported`);
  }
}

function analyseSignedDecimal(text: string, at: number): Typed {
  const plain = analyseNumber(text.replace(/^[+-]/, ''), at);
  return text.startsWith('-') ? { sql: `(-${plain.sql})`, type: plain.type } : plain;
}

/** A string as it stands. */
export function analyseString(value: string): Typed {
  return { sql: quoteText(value), type: { kind: 'varchar', length: Array.from(value).length }, text: value };
}

/** X'…' */
export function analyseBinary(hex: string): Typed {
  return { sql: `unhex('${hex}')`, type: varbinary };
}
