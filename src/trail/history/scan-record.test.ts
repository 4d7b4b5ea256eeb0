import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { skipSpace, skipValue } from './json-bytes.ts';
import { parseRecord } from './parsed-record.ts';
import { recordOf } from './record-fields.ts';
import { scanLogFile } from './scan-log-file.ts';
import { scanRecord } from './scan-record.ts';
import type { RecordScan } from './scanned-record.ts';

/** What a record means by JSON.parse, the measure of the scanner. */
function byParsing(bytes: Uint8Array): RecordScan {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { kind: 'problem', problem: 'not valid UTF-8' };
  }
  const fields = parseRecord(text);
  return fields ? recordOf(fields) : { kind: 'problem', problem: 'not a JSON object' };
}

const memberNames = [
  'eventID',
  'eventTime',
  'eventName',
  'eventSource',
  'recipientAccountId',
  'awsRegion',
  'readOnly',
  'userIdentity',
  'eventData',
  'managementEvent',
  'eventCategory',
  'type',
  'arn',
  'userName',
  'sessionContext',
  'sessionIssuer',
  'principalId',
  'invokedBy',
  'resources',
  'ARN',
  'ARNPrefix',
  'requestParameters',
  'responseElements',
  'instancesSet',
  'items',
  'instanceId',
  'bucketName',
  'names',
  'roleArn',
  'credentials',
  'accessKeyId',
  '__proto__',
  'x',
];
const texts = [
  'ec2.amazonaws.com',
  'iam.amazonaws.com',
  '2026-11-22T20:53:01Z',
  'AssumedRole',
  'arn:aws:sts::1:assumed-role/r/s',
  '',
  'Zoë',
  'a"b\\c',
  '\ud800',
  '\u0000',
  '日本',
  'AROA:s',
  'root',
  'ActivityAuditLog',
];

/** JSON text of a value, with members that may stand twice, names and texts with escapes, and spaces anywhere. */
const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r ');
const jsonText = fc
  .constantFrom(...texts, ...memberNames)
  .chain((text) =>
    fc
      .boolean()
      .map((escaped) =>
        escaped
          ? `"${Array.from({ length: text.length }, (_, index) => `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`).join('')}"`
          : JSON.stringify(text),
      ),
  );
const nameText = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...memberNames).map((name) => JSON.stringify(name)) },
  { weight: 1, arbitrary: jsonText },
);
const scalar = fc.constantFrom('null', 'true', 'false', '0', '-1.5e+3', '12', '1E9');
const { json } = fc.letrec<{ json: string; object: string; list: string }>((tie) => ({
  json: fc.oneof({ depthSize: 'small', withCrossShrink: true }, jsonText, scalar, tie('object'), tie('list')),
  object: fc
    .array(fc.tuple(space, nameText, space, tie('json'), space), { maxLength: 6 })
    .map(
      (members) =>
        `{${members.map(([a, name, b, value, c]) => `${a}${name}${b}:${b}${value}${c}`).join(',')}}`,
    ),
  list: fc
    .array(fc.tuple(space, tie('json')), { maxLength: 3 })
    .map((elements) => `[${elements.map(([a, value]) => a + value).join(',')}]`),
}));

/** An object whose members at the top are what records have, so that most are complete. */
const recordText = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.constantFrom(
          'userIdentity',
          'resources',
          'requestParameters',
          'responseElements',
          'readOnly',
          'eventName',
          'errorCode',
          'managementEvent',
          'eventCategory',
          'eventData',
        ),
        json,
      ),
      { maxLength: 8 },
    ),
    fc.constantFrom('ec2', 'iam', 'sts', 's3'),
  )
  .map(
    ([members, source]) =>
      `{"eventID":"e-1","eventTime":"2026-11-22T20:53:01Z","eventSource":"${source}.amazonaws.com","awsRegion":"eu-west-1","recipientAccountId":"123456789012"${members.map(([name, value]) => `,"${name}":${value}`).join('')}}`,
  );

describe('scanning a record', () => {
  test('takes what JSON.parse takes, with the same values', () => {
    fc.assert(
      fc.property(fc.oneof(recordText, json), (text) => {
        const bytes = Buffer.from(text);
        expect(scanRecord(bytes)).toEqual(byParsing(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  test('refuses what JSON.parse refuses: bytes changed, cut and inserted', () => {
    fc.assert(
      fc.property(
        recordText,
        fc.nat(),
        fc.nat(255),
        fc.constantFrom('change', 'cut', 'insert'),
        (text, at, byte, kind) => {
          const bytes = Buffer.from(text);
          const place = at % bytes.length;
          const broken =
            kind === 'cut'
              ? bytes.subarray(0, place)
              : Buffer.concat([
                  bytes.subarray(0, place),
                  Buffer.of(byte),
                  bytes.subarray(kind === 'change' ? place + 1 : place),
                ]);
          expect(scanRecord(broken)).toEqual(byParsing(broken));
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('nesting is bounded by the bytes alone', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = Buffer.from(`${open.repeat(20_000)}1${close.repeat(20_000)}`);
      expect(skipValue(deep, 0, deep.length)).toBe(deep.length);
      expect(skipValue(deep, 0, deep.length - 1)).toBe(-1);
    }
    const mixed = Buffer.from(`${'[{"a":'.repeat(100)}1${'}]'.repeat(100)}`);
    expect(skipValue(mixed, 0, mixed.length)).toBe(mixed.length);
    const crossed = Buffer.from(`${'[{"a":'.repeat(100)}1${']}'.repeat(100)}`);
    expect(skipValue(crossed, 0, crossed.length)).toBe(-1);
  });

  test.each([
    ['no eventID', '{"eventTime":"2026-11-22T20:53:01Z"}'],
    ['no eventID', '{"eventID":7}'],
    ['no eventTime', '{"eventID":"e"}'],
    ['no eventTime', '{"eventID":"e","eventTime":"2026-02-30T00:00:00Z"}'],
    ['no recipientAccountId', '{"eventID":"e","eventTime":"2026-11-22T20:53:01Z"}'],
    ['no awsRegion', '{"eventID":"e","eventTime":"2026-11-22T20:53:01Z","userIdentity":{"accountId":"1"}}'],
    ['not a JSON object', '[]'],
    ['not a JSON object', '{} {}'],
    ['not a JSON object', '\ufeff{}'],
    ['too large', `{"x":"${'y'.repeat(300_000)}"}`],
  ])('says %s', (problem, text) => {
    expect(scanRecord(Buffer.from(text))).toEqual({ kind: 'problem', problem });
  });

  test.each([
    ['root', { type: 'Root', arn: 'arn:aws:iam::1:root' }],
    ['alice', { type: 'IAMUser', userName: 'alice', arn: 'arn:aws:iam::1:user/alice' }],
    [
      'session',
      {
        type: 'AssumedRole',
        arn: 'arn:aws:sts::1:assumed-role/role/session',
        sessionContext: { sessionIssuer: { userName: 'role' } },
      },
    ],
    ['session', { type: 'AssumedRole', principalId: 'AROA:session' }],
    ['role', { type: 'AssumedRole', sessionContext: { sessionIssuer: { userName: 'role' } } }],
    ['config.amazonaws.com', { type: 'AWSService', invokedBy: 'config.amazonaws.com' }],
  ])('shows %s as the user name, as LookupEvents does', (username, userIdentity) => {
    const text = JSON.stringify({
      eventID: 'e',
      eventTime: '2026-11-22T20:53:01+01:00',
      awsRegion: 'r',
      recipientAccountId: '1',
      userIdentity,
    });
    expect(scanRecord(Buffer.from(text))).toMatchObject({
      record: { username, eventTime: Date.UTC(2026, 10, 22, 19, 53, 1) },
    });
  });
});

function recordsIn(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  return scanLogFile(bytes).records.map(({ start, end }) => bytes.subarray(start, end).toString());
}

describe('scanning a log file', () => {
  test('keeps the bytes of each record, whatever the file looks like', () => {
    fc.assert(
      fc.property(
        fc.array(recordText, { maxLength: 4 }),
        space,
        fc.constantFrom('envelope', 'list', 'lines'),
        (records, gap, kind) => {
          const joined = records.join(`${gap},${gap}`);
          const text =
            kind === 'lines'
              ? records.join('\n')
              : kind === 'list'
                ? `${gap}[${gap}${joined}${gap}]`
                : `{"x":1,${gap}"Records"${gap}:[${joined}]${gap}}\n`;
          const expected = records.length === 0 && kind === 'lines' ? 'empty' : undefined;
          expect(scanLogFile(Buffer.from(text)).problem?.reason).toBe(expected);
          expect(recordsIn(text)).toEqual(records);
          const scans = scanLogFile(Buffer.from(text)).records.map(({ scan }) => scan);
          expect(scans).toEqual(records.map((record) => scanRecord(Buffer.from(record))));
        },
      ),
    );
  });

  test('takes a file whole exactly when JSON.parse does', () => {
    fc.assert(
      fc.property(fc.array(json, { maxLength: 3 }), fc.nat(), fc.nat(255), (values, at, byte) => {
        const bytes = Buffer.from(`{"Records":[${values.join(',')}]}`);
        bytes[at % bytes.length] = byte;
        let isValid = true;
        try {
          JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
        } catch {
          isValid = false;
        }
        const reason = scanLogFile(bytes).problem?.reason;
        expect(reason === undefined || reason === 'no Records').toBe(isValid);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['', 'empty', 0, 0],
    ['{"Records":[{"eventID":"a"},{"eventID":', 'not valid JSON', 1, 28],
    ['{"records":[]}', 'no Records', 0, 0],
    ['{"Records":{}}', 'no Records', 0, 0],
    ['{"Records":[],"Records":[{"eventID":"x"}]}', 'more than one Records', 0, 14],
    ['{"Records":null,"Records":[]}', 'more than one Records', 0, 16],
    ['"text"', 'no Records', 0, 0],
    ['{"eventID":"a"}\n{"eventID":"b"}\nx', 'not valid JSON', 2, 32],
  ])('names what is wrong with %j', (text, reason, records, offset) => {
    const scan = scanLogFile(Buffer.from(text));
    expect(scan.problem).toEqual({ reason, offset });
    expect(scan.records).toHaveLength(records);
  });

  test('a byte that is no UTF-8 anywhere is refused', () => {
    expect(scanLogFile(Buffer.from([0x7b, 0xff, 0x7d])).problem?.reason).toBe('not valid UTF-8');
    expect(skipSpace(Buffer.from('  '), 0, 2)).toBe(2);
  });
});

const scanned = (members: Readonly<Record<string, unknown>>) => {
  const base = { eventID: 'e', eventTime: '2026-01-01T00:00:00Z', awsRegion: 'r', recipientAccountId: '1' };
  const scan = scanRecord(Buffer.from(JSON.stringify({ ...base, ...members })));
  return scan.kind === 'record' ? scan.record : scan;
};

describe('what a record says elsewhere, or not at all', () => {
  test('audit events of other systems say what happened under eventData', () => {
    const eventData = {
      eventName: 'Refund',
      eventSource: 'shop.example',
      errorCode: 'Declined',
      sourceIPAddress: '198.51.100.1',
      userIdentity: { type: 'app', principalId: 'grace' },
    };
    expect(scanned({ eventCategory: 'ActivityAuditLog', eventData })).toMatchObject({
      eventName: 'Refund',
      eventSource: 'shop.example',
      username: 'grace',
      principalType: 'app',
      errorCode: 'Declined',
      sourceIpAddress: '198.51.100.1',
      eventCategory: 'ActivityAuditLog',
    });
    expect(scanned({ eventCategory: 'Management', eventData })).toMatchObject({ eventName: undefined });
  });

  test('records of before event version 1.07 have no category', () => {
    expect(scanned({})).toMatchObject({ eventCategory: 'Management' });
    expect(scanned({ managementEvent: true })).toMatchObject({ eventCategory: 'Management' });
    expect(scanned({ managementEvent: false })).toMatchObject({ eventCategory: 'Data' });
    expect(scanned({ managementEvent: false, eventCategory: 'Insight' })).toMatchObject({
      eventCategory: 'Insight',
    });
  });
});
