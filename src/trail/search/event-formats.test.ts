import { assert, constantFrom, jsonValue, property, stringMatching } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvCell, csvColumns, csvRow, onOneLine } from './event-formats.ts';

/** Reads one line of RFC 4180. */
function readCsv(line: string): readonly string[] {
  const cells: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,"]*))/g)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  }
  return cells;
}

describe('CSV', () => {
  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['=1+1', "'=1+1"],
    ['+49', "'+49"],
    ['-2', "'-2"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    ['a=1', 'a=1'],
    ['', ''],
  ])('writes %j as %j', (text, cell) => {
    expect(csvCell(text)).toBe(cell);
  });

  it('keeps every cell apart, and begins none with what a spreadsheet would run', () => {
    const nasty = stringMatching(/^[=+\-@\t\r",\nab ]{0,12}$/);
    assert(
      property(nasty, nasty, nasty, (eventName, userAgent, errorMessage) => {
        const raw = Buffer.from(
          JSON.stringify({
            eventID: 'e',
            eventTime: '2026-11-22T10:00:00Z',
            awsRegion: 'r',
            recipientAccountId: '1',
            eventName,
            userAgent,
            errorMessage,
          }),
        );
        const line = csvRow({ eventId: 'e', eventTime: Date.UTC(2026, 10, 22, 10), raw });
        expect(line.endsWith('\r\n')).toBe(true);
        const cells = readCsv(line.slice(0, -2));
        expect(cells).toHaveLength(csvColumns.length);
        for (const cell of cells) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
        expect(cells[csvColumns.indexOf('userAgent')]?.replace(/^'(?=[=+\-@\t\r])/, '')).toBe(userAgent);
      }),
    );
  });
});

describe('a record on one line', () => {
  it('says the same, in as many bytes', () => {
    assert(
      property(jsonValue(), constantFrom(0, 1, 3), (value, indent) => {
        const raw = Buffer.from(JSON.stringify(value, null, indent).replaceAll('\n', '\r\n'));
        const line = onOneLine(raw);
        expect(Buffer.from(line).toString()).not.toMatch(/[\r\n]/);
        expect(line.length).toBe(raw.length);
        expect(JSON.parse(Buffer.from(line).toString())).toEqual(JSON.parse(raw.toString()));
      }),
    );
  });
});
