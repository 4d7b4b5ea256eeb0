import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidEventPatternError, matchesEvent, parseEventPattern } from './index.ts';

function reasonOf(pattern: string): string | undefined {
  try {
    parseEventPattern(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidEventPatternError) return error.message;
    throw error;
  }
}

const isMatch = (pattern: string, event: unknown) => matchesEvent(parseEventPattern(pattern), event);

const exactOf = (pattern: string) => {
  const { source, detailType, eventSource, eventName } = parseEventPattern(pattern).exact;
  return [source, detailType, eventSource, eventName].map((set) => set && [...set]);
};

const branches = (count: number, field: string) =>
  `[${Array.from({ length: count }, (_, at) => `{"${field}":[${at}]}`).join()}]`;

const withOrs = (a: number, b: number, c: number) =>
  `{"x":{"$or":${branches(a, 'a')}},"y":{"$or":${branches(b, 'b')}},"z":{"$or":${branches(c, 'c')}}}`;

const ofLength = (length: number) => `{"a":["${'b'.repeat(length - 10)}"]}`;

const withWildcards = (...wildcards: string[]) =>
  JSON.stringify({ a: wildcards.map((wildcard) => ({ wildcard })) });

/** In EventBridge's words, which are known from answers of the service. */
const refused: readonly (readonly [pattern: string, reason: string])[] = [
  ['["not","a","dict"]', 'Filter is not an object'],
  ['"text"', 'Filter is not an object'],
  ['{}', 'Empty objects are not allowed'],
  ['{"detail":{}}', 'Empty objects are not allowed'],
  ['{"resources":[]}', 'Empty arrays are not allowed'],
  ['{"int":42}', '"int" must be an object or an array'],
  ['{"detail":{"string":"my-value"}}', '"string" must be an object or an array'],
  ['{"a":[["b"]]}', 'Match value must be String, number, true, false, or null'],
  ['{"a":[{}]}', 'Match expression name not found'],
  ['{"equal":[{"NUMERIC":["=",5]}]}', 'Unrecognized match type NUMERIC'],
  ['{"my_key":[{"EXISTS":true}]}', 'Unrecognized match type EXISTS'],
  ['{"a":[{"constructor":"b"}]}', 'Unrecognized match type constructor'],
  ['{"a":[{"exists":"true"}]}', 'exists match pattern must be either true or false.'],
  ['{"a":[{"exists":null}]}', 'exists match pattern must be either true or false.'],
  ['{"a":[{"exists":true,"prefix":"b"}]}', 'Only one key allowed in match expression'],
  ['{"time":[{"prefix":["2022-07-13"]}]}', 'prefix match pattern must be a string'],
  ['{"FileName":[{"suffix":123}]}', 'suffix match pattern must be a string'],
  ['{"a":[{"prefix":{}}]}', 'Prefix expression name not found'],
  ['{"a":[{"suffix":{"wildcard":"b"}}]}', 'Unsupported suffix pattern: wildcard'],
  ['{"a":[{"equals-ignore-case":["b"]}]}', 'equals-ignore-case match pattern must be a string'],
  ['{"a":[{"equals-ignore-case":{"prefix":"ec2"}}]}', 'equals-ignore-case match pattern must be a string'],
  ['{"c":[{"numeric":5}]}', 'Value of numeric must be an array.'],
  ['{"c":[{"numeric":[]}]}', 'Invalid member in numeric match: ]'],
  ['{"c":[{"numeric":[5]}]}', 'Invalid member in numeric match: 5'],
  ['{"c":[{"numeric":[">",0,">",0]}]}', 'Bad numeric range operator: >'],
  ['{"c":[{"numeric":[">",0,5]}]}', 'Bad value in numeric range: 5'],
  ['{"c":[{"numeric":[">",0,"<"]}]}', 'Value of < must be numeric'],
  ['{"c":[{"numeric":[">",0,"<",5,"<",6]}]}', 'Too many terms in numeric range expression'],
  ['{"c":[{"numeric":["=",0,"<",5]}]}', 'Too many elements in numeric expression'],
  ['{"c":[{"numeric":[">",5,"<",5]}]}', 'Bottom must be less than top'],
  ['{"c":[{"numeric":["!=",5]}]}', 'Unrecognized numeric range operator: !='],
  ['{"c":[{"numeric":[">",5000000001]}]}', 'Value must be between -5.0E9 and 5.0E9, inclusive'],
  ['{"c":[{"numeric":["<",-5e10]}]}', 'Value must be between -5.0E9 and 5.0E9, inclusive'],
  ['{"c":[{"numeric":["=",0.1234567]}]}', 'Only values upto 6 decimals are supported: 0.1234567'],
  ['{"a":[{"anything-but":null}]}', 'Value of anything-but must be an array or single string/number value.'],
  [
    '{"a":[{"anything-but":[]}]}',
    'Inside anything but list, either all values are number or string, mixed type is not supported',
  ],
  ['{"a":[{"anything-but":["b",null]}]}', 'Inside anything but list, start|null|boolean is not supported.'],
  [
    '{"a":[{"anything-but":[1,"b"]}]}',
    'Inside anything but list, either all values are number or string, mixed type is not supported',
  ],
  ['{"a":[{"anything-but":5e10}]}', 'Value must be between -5.0E9 and 5.0E9, inclusive'],
  ['{"a":[{"anything-but":{}}]}', 'Anything-But expression name not found'],
  ['{"a":[{"anything-but":{"numeric":["=",5]}}]}', 'Unsupported anything-but pattern: numeric'],
  ['{"a":[{"anything-but":{"cidr":"10.0.0.0/8"}}]}', 'Unsupported anything-but pattern: cidr'],
  ['{"a":[{"anything-but":{"prefix":""}}]}', 'Null prefix/suffix not allowed'],
  ['{"a":[{"anything-but":{"suffix":["b",""]}}]}', 'Null prefix/suffix not allowed'],
  ['{"a":[{"anything-but":{"prefix":[123,"test"]}}]}', 'prefix/suffix match pattern must be a string'],
  [
    '{"a":[{"anything-but":{"prefix":{"equals-ignore-case":"file"}}}]}',
    'Value of anything-but must be an array or single string/number value.',
  ],
  [
    '{"a":[{"anything-but":{"equals-ignore-case":123}}]}',
    'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.',
  ],
  ['{"a":[{"anything-but":{"wildcard":[123,"*/dir/*"]}}]}', 'wildcard match pattern must be a string'],
  ['{"a":[{"wildcard":["*"]}]}', 'wildcard match pattern must be a string'],
  [
    '{"a":[{"wildcard":"arn:aws:events:us-east-1:**:event-bus/*"}]}',
    'Consecutive wildcard characters at pos 26',
  ],
  ['{"a":[{"anything-but":{"wildcard":["1","foo**bar"]}}]}', 'Consecutive wildcard characters at pos 4'],
  ['{"a":[{"wildcard":"a\\\\b"}]}', 'Invalid escape character at pos 2'],
  ['{"a":[{"wildcard":"é\\\\"}]}', 'Invalid escape character at pos 3'],
  ['{"ip":[{"cidr":["bad-type"]}]}', 'prefix match pattern must be a string'],
  ['{"ip":[{"cidr":"10.0.0.0"}]}', "Malformed CIDR, one '/' required"],
  ['{"ip":[{"cidr":"10.0.0.0/8/8"}]}', "Malformed CIDR, one '/' required"],
  ['{"ip":[{"cidr":"10.0.0.0/xx"}]}', 'Malformed CIDR, mask bits must be an integer'],
  ['{"ip":[{"cidr":"10.0.0.0/-1"}]}', 'Malformed CIDR, mask bits must not be negative'],
  ['{"ip":[{"cidr":"xx.11.xx/8"}]}', 'Nonstandard IP address: xx.11.xx'],
  ['{"ip":[{"cidr":"xxxx:db8:1234:1a00::/56"}]}', 'Nonstandard IP address: xxxx:db8:1234:1a00::'],
  ['{"ip":[{"cidr":"10.0.0.1/32"}]}', 'IPv4 mask bits must be < 32'],
  ['{"ip":[{"cidr":"2001:db8::1/128"}]}', 'IPv6 mask bits must be < 128'],
  ['{"$or":{"a":[1]}}', 'It must be an Array followed with $or.'],
  ['{"$or":[{"a":[1]},["b"]]}', 'Only JSON object is allowed in array of $or relationship.'],
  ['{"$or":[{"a":[1]}]}', 'There must have at least 2 Objects in $or relationship.'],
  ['{"$or":[{"a":[1]},{}]}', 'Empty objects are not allowed'],
  [
    '{"$or":[{"a":[1]},{"numeric":[1]}]}',
    'numeric is Ruler reserved fieldName which cannot be used inside $or.',
  ],
  [
    '{"$or":[{"a":[1]},{"b":{"prefix":["c"]}}]}',
    'prefix is Ruler reserved fieldName which cannot be used inside $or.',
  ],
];

/** Broken JSON, of which EventBridge's parser tells in words of its own. */
const broken = [
  '',
  '{',
  '{"a"',
  '{"a":',
  '{"a":[',
  '{"a":[1',
  '{"a":[1]',
  '{"a":[1]}}',
  '{"a":[1]} x',
  "{'a':['b']}",

  '{"not": closed mark"',
  '{"a":[1 2]}',
  '{"a":[1,]}',
  '{"a":[1],}',
  '{,}',
  '{"a":[01]}',
  '{"a":[.5]}',
  '{"a":[+1]}',
  '{"a":["b\n"]}',
  '{"a":["\\x"]}',
  '{"a":["\\u12"]}',
  '{"a":["b]}',
  '{a:[1]}',
  '{"a":[True]}',
  '{"a":[nullable]}',
  '{"a":[NaN]}',
  '{"a":[1.]}',
  '{"a":[1e]}',
  '\u00a0{"a":[1]}',
];

describe('parseEventPattern', () => {
  it.each(refused)('refuses %s', (pattern, reason) => {
    expect(reasonOf(pattern)).toBe(reason);
  });

  it.each(broken)('refuses broken JSON: %s', (pattern) => {
    expect(() => JSON.parse(pattern) as unknown).toThrow(SyntaxError);
    expect(reasonOf(pattern)).toMatch(/^Invalid JSON: .* at character \d+$/);
  });

  it('refuses what the engine behind EventBridge takes, and EventBridge does not document', () => {
    expect(reasonOf('{"a":[{"exactly":"b"}]}')).toBe('Unrecognized match type exactly');
    expect(reasonOf('{"a":[{"anything-but":{"prefix":[]}}]}')).toBe('Empty arrays are not allowed');
    expect(reasonOf('{"a":["b"]} and more')).toMatch(/^Invalid JSON/);
  });

  it('reads any JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('', ' ', '\n\t'), (json, space) => {
        // A pattern is refused for what it says, never because its JSON is taken for broken.
        expect(reasonOf(`${space}${json}${space}`) ?? '').not.toMatch(/^Invalid JSON/);
      }),
    );
  });

  it('takes a field that is given twice from where it is given last, and every condition', () => {
    expect(isMatch('{"a":[1],"a":[2]}', { a: 1 })).toBe(false);
    expect(isMatch('{"a":[1],"a":[2]}', { a: 2 })).toBe(true);
    expect(isMatch('{"a":{"b":[1]},"a":{"c":[2]}}', { a: { c: 2 } })).toBe(false);
    expect(isMatch('{"a":{"b":[1]},"a":{"c":[2]}}', { a: { b: 1, c: 2 } })).toBe(true);
    expect(isMatch('{"a":[1],"$or":[{"a":[2]},{"b":[3]}]}', { a: 2 })).toBe(true);
  });

  it('tells the values that an event must have one of', () => {
    expect(
      exactOf('{"source":["a","b"],"detail-type":["c"],"detail":{"eventName":["d"],"eventSource":["e"]}}'),
    ).toEqual([['a', 'b'], ['c'], ['e'], ['d']]);
    expect(exactOf('{"source":["a"],"$or":[{"detail-type":["b"]},{"detail-type":["c"]}]}')).toEqual([
      ['a'],
      ['b', 'c'],
      undefined,
      undefined,
    ]);
    const cannotTell = [undefined, undefined, undefined, undefined];
    expect(exactOf('{"$or":[{"source":["a"]},{"detail-type":["b"]}]}')).toEqual(cannotTell);
    expect(exactOf('{"source":["a",{"prefix":"b"}]}')).toEqual(cannotTell);
    expect(exactOf('{"source":["a",{"exists":false}]}')).toEqual(cannotTell);
    expect(exactOf('{"source":["a",null]}')).toEqual(cannotTell);
    expect(exactOf('{"detail":{"source":["a"]}}')).toEqual(cannotTell);
  });
});

describe('the bounds', () => {
  it('of combinations that $or gives is 1,000', () => {
    expect(parseEventPattern(withOrs(10, 10, 10)).trees).toHaveLength(1000);
    expect(reasonOf(withOrs(10, 10, 11))).toBe('$or gives more than 1000 combinations of fields');
    expect(reasonOf(withOrs(50, 50, 50))).toBe('$or gives more than 1000 combinations of fields');
  });

  it('of length is what the API takes', () => {
    expect(reasonOf(ofLength(4096))).toBeUndefined();
    expect(reasonOf(ofLength(4097))).toBe('The pattern is longer than 4096 characters');
  });

  it('of depth is that of length', () => {
    const deep = `${'{"a":'.repeat(680)}["b"]${'}'.repeat(680)}`;
    let event: unknown = 'b';
    for (let depth = 0; depth < 680; depth += 1) event = { a: event };
    expect(matchesEvent(parseEventPattern(deep), event)).toBe(true);
    expect(reasonOf('['.repeat(4096))).toMatch(/^Invalid JSON/);
    expect(reasonOf('{"a":'.repeat(800))).toMatch(/^Invalid JSON/);
  });
});

describe('the complexity of wildcards', () => {
  const tooComplex =
    'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character';
  it('is refused where EventBridge is known to refuse it', () => {
    expect(reasonOf(withWildcards('*:*:*:*:*:event-bus/*'))).toBe(tooComplex);
    const extensions = ['bif', 'tif', 'tiff', 'svs'];
    expect(reasonOf(withWildcards(...extensions.map((one) => `*/datasync/*.${one}`)))).toBe(tooComplex);
    expect(reasonOf(withWildcards(...extensions.map((one) => `*.${one}`)))).toBeUndefined();
    expect(
      reasonOf(withWildcards(...extensions.slice(0, 2).map((one) => `*/datasync/*.${one}`))),
    ).toBeUndefined();
  });

  it('takes what EventBridge is known to take', () => {
    for (const wildcard of [
      '/Users/*/dir/dir/dir/dir/dir/doc.txt',
      'dir/*.png',
      '*/dir/*',
      'arn:*:event-bus/*',
      '*',
    ]) {
      expect(reasonOf(withWildcards(wildcard))).toBeUndefined();
    }
  });

  it('counts the alternatives of a field together, in $or too, and fields apart', () => {
    const five = Array.from({ length: 5 }, (_, at) => ({ wildcard: `*${at}` }));
    const six = Array.from({ length: 6 }, (_, at) => ({ wildcard: `*${at}${at}` }));
    expect(reasonOf(JSON.stringify({ a: five, b: five }))).toBeUndefined();
    expect(reasonOf(JSON.stringify({ a: six }))).toBe(tooComplex);
    expect(reasonOf(JSON.stringify({ $or: [{ a: five }, { a: six.slice(0, 3) }] }))).toBe(tooComplex);
    expect(reasonOf(JSON.stringify({ $or: [{ a: five }, { b: six.slice(0, 3) }] }))).toBeUndefined();
  });

  it('of an anything-but counts what its list has in common once', () => {
    const many = Array.from({ length: 20 }, (_, at) => `${String.fromCharCode(97 + at)}*`);
    expect(reasonOf(JSON.stringify({ a: [{ 'anything-but': { wildcard: many } }] }))).toBeUndefined();
    expect(reasonOf(withWildcards(...many))).toBe(tooComplex);
  });
});
