import { describe, expect, it } from 'vitest';
import { matchesEvent, parseEvent, parseEventPattern } from './index.ts';

/** Of "Comparison operators for use in event patterns" and the pages around it: what matches, and what does not. */
const documented: readonly (readonly [
  pattern: string,
  matching: readonly string[],
  others: readonly string[],
])[] = [
  // "Matching on null values and empty strings": they are not interchangeable.
  [
    '{"detail":{"eventVersion":[""]}}',
    ['{"detail":{"eventVersion":""}}'],
    ['{"detail":{"eventVersion":null}}'],
  ],
  [
    '{"detail":{"responseElements":[null]}}',
    ['{"detail":{"responseElements":null}}'],
    ['{"detail":{"responseElements":""}}', '{"detail":{}}'],
  ],
  // "Matching on multiple field values": an event's array matches by any of its items.
  [
    '{"resources":["i-1","i-2"]}',
    ['{"resources":["i-0","i-2"]}', '{"resources":"i-1"}'],
    ['{"resources":["i-0"]}', '{"resources":[]}'],
  ],
  [
    '{"time":[{"prefix":"2017-10-02"}]}',
    ['{"time":"2017-10-02T18:43:48Z"}'],
    ['{"time":"2017-10-03"}', '{"time":20171002}'],
  ],
  [
    '{"service":[{"prefix":{"equals-ignore-case":"EventB"}}]}',
    ['{"service":"EVENTBridge"}', '{"service":"eventb"}'],
    ['{"service":"event"}'],
  ],
  ['{"FileName":[{"suffix":".png"}]}', ['{"FileName":"a.png"}'], ['{"FileName":"a.PNG"}']],
  [
    '{"FileName":[{"suffix":{"equals-ignore-case":".png"}}]}',
    ['{"FileName":"a.PNG"}', '{"FileName":".pNg"}'],
    ['{"FileName":"png"}'],
  ],
  [
    '{"detail-type":[{"equals-ignore-case":"ec2 instance"}]}',
    ['{"detail-type":"EC2 Instance"}'],
    ['{"detail-type":"EC2 Instances"}', '{"detail-type":"EC2 Instanc"}'],
  ],
  // Anything but: whatever has another value, of any type; but there has to be one.
  [
    '{"state":[{"anything-but":"initializing"}]}',
    ['{"state":"running"}', '{"state":null}', '{"state":1}', '{"state":false}'],
    ['{"state":"initializing"}', '{}', '{"state":{"a":1}}'],
  ],
  [
    '{"limit":[{"anything-but":123}]}',
    ['{"limit":124}', '{"limit":"123"}', '{"limit":true}', '{"limit":1e300}'],
    ['{"limit":123}', '{"limit":123.0}'],
  ],
  [
    '{"state":[{"anything-but":["stopped","overloaded"]}]}',
    ['{"state":"running"}'],
    ['{"state":"stopped"}', '{"state":"overloaded"}'],
  ],
  ['{"limit":[{"anything-but":[100,200]}]}', ['{"limit":150}'], ['{"limit":100}', '{"limit":2e2}']],
  [
    '{"state":[{"anything-but":{"prefix":"init"}}]}',
    ['{"state":"running"}', '{"state":12}'],
    ['{"state":"initializing"}'],
  ],
  [
    '{"state":[{"anything-but":{"prefix":["init","error"]}}]}',
    ['{"state":"running"}'],
    ['{"state":"error-1"}', '{"state":"init"}'],
  ],
  ['{"name":[{"anything-but":{"suffix":[".txt",".rtf"]}}]}', ['{"name":"a.png"}'], ['{"name":"a.rtf"}']],
  [
    '{"state":[{"anything-but":{"equals-ignore-case":["initializing","stopped"]}}]}',
    ['{"state":"running"}'],
    ['{"state":"STOPPED"}'],
  ],
  [
    '{"path":[{"anything-but":{"wildcard":["*/dir1/*","*/dir2/*"]}}]}',
    ['{"path":"a/dir3/b"}'],
    ['{"path":"a/dir2/b"}'],
  ],
  ['{"path":[{"anything-but":{"wildcard":""}}]}', ['{"path":"a"}'], ['{"path":""}']],
  // An array matches if any of its items does, anything-but included.
  ['{"state":[{"anything-but":"a"}]}', ['{"state":["a","b"]}'], ['{"state":["a","a"]}', '{"state":[]}']],
  [
    '{"count":[{"numeric":[">",0,"<=",5]}]}',
    ['{"count":5}', '{"count":0.000001}', '{"count":5.0}'],
    ['{"count":0}', '{"count":5.000001}', '{"count":"3"}', '{"count":null}'],
  ],
  ['{"count":[{"numeric":["=",3.018e2]}]}', ['{"count":301.8}', '{"count":301.80}'], ['{"count":301.9}']],
  [
    '{"count":[{"numeric":[">=",-5e9,"<",5e9]}]}',
    ['{"count":-5000000000}', '{"count":4999999999.999999}'],
    ['{"count":5000000000}', '{"count":-5000000001}'],
  ],
  [
    '{"ip":[{"cidr":"10.0.0.0/24"}]}',
    ['{"ip":"10.0.0.0"}', '{"ip":"10.0.0.255"}'],
    ['{"ip":"10.0.1.0"}', '{"ip":"10.0.0"}', '{"ip":"here"}', '{"ip":10}'],
  ],
  ['{"ip":[{"cidr":"10.0.0.7/24"}]}', ['{"ip":"10.0.0.0"}'], ['{"ip":"10.0.1.7"}']],
  [
    '{"ip":[{"cidr":"2001:db8:1234:1a00::/56"}]}',
    ['{"ip":"2001:db8:1234:1a00::1"}', '{"ip":"2001:0DB8:1234:1aff:0:0:0:0"}'],
    ['{"ip":"2001:db8:1234:1b00::1"}', '{"ip":"10.0.0.1"}'],
  ],
  // "Exists matching only works on leaf nodes."
  [
    '{"detail":{"count":[{"exists":true}]}}',
    ['{"detail":{"count":0}}', '{"detail":{"count":null}}', '{"detail":{"count":[1]}}'],
    ['{"detail":{}}', '{"detail":{"count":{"c1":100}}}', '{"detail":{"count":[]}}'],
  ],
  [
    '{"detail":{"count":[{"exists":false}]}}',
    [
      '{"detail":{"state":"a"}}',
      '{"detail":{"count":{"c1":100}}}',
      '{}',
      '{"detail":{"count":[]}}',
      '{"detail":"text"}',
    ],
    ['{"detail":{"count":5}}', '{"detail":{"count":[null]}}'],
  ],
  [
    '{"name":{"S":[{"anything-but":["roses"]},{"exists":false}]}}',
    ['{"name":{"S":"other"}}', '{"name":{}}'],
    ['{"name":{"S":"roses"}}'],
  ],
  // Wildcards.
  [
    '{"arn":[{"wildcard":"arn:*:event-bus/*"}]}',
    ['{"arn":"arn:aws:events:event-bus/"}', '{"arn":"arn::event-bus/a/b"}'],
    ['{"arn":"arn:event-bus/a"}', '{"arn":"arn:a:event-bus"}'],
  ],
  [
    '{"name":[{"wildcard":"a\\\\*b\\\\\\\\*"}]}',
    ['{"name":"a*b\\\\"}', '{"name":"a*b\\\\c"}'],
    ['{"name":"aab\\\\"}', '{"name":"a*b"}'],
  ],
  ['{"name":[{"wildcard":"*"}]}', ['{"name":""}', '{"name":"any"}'], ['{"name":1}', '{}']],
  // "$or", beside other fields, and within one.
  [
    '{"source":["s"],"$or":[{"m":["x","y"]},{"n":["z"],"$or":[{"i":[1]},{"j":[2]}]}]}',
    ['{"source":"s","m":"y"}', '{"source":"s","n":"z","j":2}'],
    ['{"source":"s","n":"z"}', '{"source":"t","m":"x"}'],
  ],
  [
    '{"detail":{"$or":[{"c":[{"numeric":[">",0]}]},{"d":[{"exists":false}]}]}}',
    ['{"detail":{"c":1,"d":1}}', '{"detail":{}}'],
    ['{"detail":{"c":0,"d":1}}'],
  ],
  // Names that every JavaScript object has are no fields of an event.
  ['{"constructor":[{"exists":true}]}', ['{"constructor":"a"}'], ['{}']],
  ['{"toString":{"name":[{"exists":true}]}}', ['{"toString":{"name":1}}'], ['{}']],
  ['{"__proto__":{"a":[1]}}', ['{"__proto__":{"a":1}}', '{"__proto__.a":1}'], ['{"a":1}', '{"b.c":1,"a":1}']],
];

describe('what the documentation says', () => {
  it.each(documented)('%s', (pattern, matching, others) => {
    const parsed = parseEventPattern(pattern);
    expect(matching.filter((one) => !matchesEvent(parsed, parseEvent(one)))).toEqual([]);
    expect(others.filter((one) => matchesEvent(parsed, parseEvent(one)))).toEqual([]);
  });
});

const isMatch = (pattern: string, event: string) =>
  matchesEvent(parseEventPattern(pattern), parseEvent(event));

describe('numbers', () => {
  it('of equal value are equal, however they are written (the service does so, whatever its guide says)', () => {
    for (const written of ['300', '300.0', '3.0e2', '3E+2', '0.3e3']) {
      expect(isMatch(`{"a":[300]}`, `{"a":${written}}`)).toBe(true);
      expect(isMatch(`{"a":[${written}]}`, `{"a":300}`)).toBe(true);
    }
    expect(isMatch('{"a":[0]}', '{"a":-0}')).toBe(true);
    expect(isMatch('{"a":[300]}', '{"a":"300"}')).toBe(false);
  });

  it('that a double does not hold stay apart', () => {
    expect(isMatch('{"a":[12345678901234567890]}', '{"a":12345678901234567891}')).toBe(false);
    expect(isMatch('{"a":[12345678901234567890]}', '{"a":12345678901234567890}')).toBe(true);
    expect(isMatch('{"a":[9007199254740993]}', '{"a":[1,{"b":1},9007199254740993]}')).toBe(true);
    expect(isMatch('{"a":[9007199254740993]}', '{"a":9007199254740992}')).toBe(false);
    expect(isMatch('{"a":[287.48116291799363]}', '{"a":287.48116291799364}')).toBe(false);
  });

  it('are held against ranges by their first six decimals', () => {
    expect(isMatch('{"a":[{"numeric":[">",99.999]}]}', '{"a":99.99999237060547}')).toBe(true);
    expect(isMatch('{"a":[{"numeric":[">",0.123456]}]}', '{"a":0.1234567}')).toBe(false);
    expect(isMatch('{"a":[{"numeric":["<",0]}]}', '{"a":-0.00000001}')).toBe(true);
    expect(isMatch('{"a":[{"numeric":[">=",0]}]}', '{"a":1e-400}')).toBe(true);
    expect(isMatch('{"a":[{"numeric":[">",0]}]}', '{"a":1e400}')).toBe(false);
  });

  it('between the bounds keep all of six decimals', () => {
    expect(isMatch('{"a":[4999999999.123457]}', '{"a":4999999999.123457}')).toBe(true);
    expect(isMatch('{"a":[4999999999.123457]}', '{"a":4999999999.123456}')).toBe(false);
    expect(isMatch('{"a":[{"numeric":["<",0.3]}]}', '{"a":0.299999}')).toBe(true);
  });
});
