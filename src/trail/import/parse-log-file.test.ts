import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseLogFile, type ParsedLogFile } from './parse-log-file.ts';

const mostBytes = 1024 * 1024;

function record(eventID: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    eventID,
    eventTime: '2026-11-22T10:00:00Z',
    awsRegion: 'eu-central-1',
    recipientAccountId: '111111111111',
    ...over,
  };
}

function parse(file: Buffer | string): ReturnType<typeof parseLogFile> {
  return parseLogFile(new Uint8Array(Buffer.from(file)), mostBytes);
}

function parsed(file: Buffer | string): ParsedLogFile {
  const result = parse(file);
  if (result.kind === 'broken') throw new Error(result.reason);
  return result;
}

function rawRecords({ bytes, spans }: ParsedLogFile): readonly string[] {
  return Array.from({ length: spans.length / 2 }, (_, index) =>
    Buffer.from(bytes.subarray(spans[index * 2], spans[index * 2 + 1])).toString(),
  );
}

describe('a log file', () => {
  const text = `{"Records": [ ${JSON.stringify(record('a'), null, 2)},\n${JSON.stringify(record('ü'))} ]}`;

  it.each([
    ['as it is', Buffer.from(text)],
    ['packed', gzipSync(text)],
    ['packed in two members', Buffer.concat([gzipSync(text.slice(0, 50)), gzipSync(text.slice(50))])],
  ])('is taken apart %s, with the bytes of each record', (_name, file) => {
    const result = parsed(file);
    expect(rawRecords(result)).toEqual([JSON.stringify(record('a'), null, 2), JSON.stringify(record('ü'))]);
    expect(result.sha256).toBe(createHash('sha256').update(file).digest('hex'));
  });

  it('says which accounts, regions and times it holds', () => {
    const result = parsed(
      JSON.stringify({
        Records: [
          record('a', { eventTime: '2026-11-22T10:00:05Z' }),
          record('b', { awsRegion: 'us-east-1' }),
          record('c', { recipientAccountId: '000000000000' }),
        ],
      }),
    );
    expect(result).toMatchObject({
      accounts: ['000000000000', '111111111111'],
      regions: ['eu-central-1', 'us-east-1'],
      from: Date.UTC(2026, 10, 22, 10, 0, 0),
      to: Date.UTC(2026, 10, 22, 10, 0, 5),
    });
  });

  it('may be empty of records', () => {
    const result = parsed('{"Records":[]}');
    expect(result.spans).toHaveLength(0);
    expect(result).not.toHaveProperty('from');
  });

  it('names records that cannot be taken, and keeps the others', () => {
    const result = parsed(
      JSON.stringify({
        Records: [
          record('a'),
          record('', {}),
          record('b', { eventTime: 'noon' }),
          7,
          record('c', { awsRegion: undefined }),
          record('d', { more: 'x'.repeat(300_000) }),
          record('e'),
        ],
      }),
    );
    expect(rawRecords(result)).toHaveLength(2);
    expect(result.badCount).toBe(5);
    expect(result.bad).toEqual([
      { record: 1, reason: 'no eventID' },
      { record: 2, reason: 'no eventTime' },
      { record: 3, reason: 'not a JSON object' },
      { record: 4, reason: 'no awsRegion' },
      { record: 5, reason: 'too large' },
    ]);
  });

  it('names the first hundred bad records and counts all', () => {
    const result = parsed(JSON.stringify({ Records: Array.from({ length: 250 }, () => ({})) }));
    expect(result.badCount).toBe(250);
    expect(result.bad).toHaveLength(100);
  });

  const whole = gzipSync(text);
  it.each<[string, Buffer | string, RegExp]>([
    ['nothing', '', /^empty$/],
    ['blanks', ' \n', /^empty$/],
    ['no JSON', 'hello', /^not valid JSON \(at byte 0\)$/],
    ['JSON that breaks off', text.slice(0, -3), /^not valid JSON \(at byte \d+\)$/],
    ['no Records', '{"digestStartTime":"2026-11-22T10:00:00Z"}', /^no Records$/],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /^not valid UTF-8$/],
    ['packed data that is cut off', whole.subarray(0, -20), /^the gzip data is cut off$/],
    ['a packed head alone', whole.subarray(0, 5), /^the gzip data is cut off$/],
    [
      'packed data with a wrong byte',
      Buffer.from(whole.map((byte, at) => (at === 60 ? byte ^ 0xff : byte))),
      /^the gzip data is damaged/,
    ],
    [
      'packed data with a wrong checksum',
      Buffer.from(whole.map((byte, at) => (at === whole.length - 8 ? byte ^ 1 : byte))),
      /^the gzip data is damaged/,
    ],
    ['bytes behind packed data', Buffer.concat([whole, Buffer.from('tail')]), /^the gzip data is damaged/],
    [
      'blanks behind packed data',
      Buffer.concat([whole, Buffer.alloc(4)]),
      /^other bytes follow the gzip data$/,
    ],
    [
      'more than is unpacked',
      gzipSync(Buffer.alloc(mostBytes + 1, 0x20)),
      /^larger than 1 MiB when unpacked$/,
    ],
    ['more than is taken', ' '.repeat(mostBytes + 1), /^larger than 1 MiB when unpacked$/],
  ])('of %s is broken as a whole', (_name, file, reason) => {
    expect(parse(file)).toEqual({ kind: 'broken', reason: expect.stringMatching(reason) as string });
  });
});
