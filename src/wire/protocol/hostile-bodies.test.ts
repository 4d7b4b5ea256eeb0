import { describe, expect, test } from 'vitest';
import { AwsFault, limits } from '../../kernel/index.ts';
import { openServices } from '../services.ts';
import { parseCbor } from './cbor-parser.ts';
import { decode, route, type WireRequest } from './index.ts';
import { parseForm } from './form-body.ts';
import { parseXml, type XmlElement } from './xml-parser.ts';

const services = openServices();

function post(headers: Record<string, string>, path = '/', query = ''): WireRequest {
  return { method: 'POST', path, query, headers, host: 'localhost:4747' };
}

async function decodeJson(target: string, body: string): Promise<Record<string, unknown>> {
  const request = post({ 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' });
  const bytes = Buffer.from(body, 'utf8');
  const signingName = target.startsWith('AWSEvents') ? 'events' : 'cloudtrail';
  const routed = await route(services, request, signingName, () => Promise.resolve(bytes));
  return decode(routed, request, bytes);
}

function bytes(hex: string): Uint8Array {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

function xml(text: string): XmlElement {
  return parseXml(Buffer.from(text, 'utf8'));
}

const lookup = 'CloudTrail_20131101.LookupEvents';

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AwsFault);
  return (error as AwsFault).code;
}

async function decodeUnion(given: string): Promise<unknown> {
  const asked = post({ 'x-amz-target': 'Logs_20140328.PutIntegration' });
  const body = Buffer.from(
    `{"integrationName":"n","integrationType":"OPENSEARCH","resourceConfig":${given}}`,
  );
  const routed = await route(services, asked, 'logs', () => Promise.resolve(body));
  return decode(routed, asked, body)['resourceConfig'];
}

describe('JSON bodies', () => {
  test.each([
    ['{"Entries":"x"}', 'STRING_VALUE can not be converted to a List (at Entries)'],
    ['{"Entries":{"0":{}}}', 'START_OBJECT can not be converted to a List (at Entries)'],
    ['{"Entries":[{"Source":5}]}', 'NUMBER_VALUE can not be converted to a String (at Entries.0.Source)'],
    [
      '{"Entries":[{"Time":"yesterday"}]}',
      'STRING_VALUE can not be converted to a Timestamp (at Entries.0.Time)',
    ],
    ['{"Entries":[null]}', 'null is not allowed here (at Entries.0)'],
    [
      '{"Entries":[{"Resources":[[]]}]}',
      'START_ARRAY can not be converted to a String (at Entries.0.Resources.0)',
    ],
    [
      String.raw`{"Entries":[{"Source":"\ud800"}]}`,
      'The text holds half a surrogate pair (at Entries.0.Source)',
    ],
  ])('%s is a SerializationException', async (body, message) => {
    await expect(decodeJson('AWSEvents.PutEvents', body)).rejects.toMatchObject({
      code: 'SerializationException',
      status: 400,
      message,
    });
  });

  test.each([
    '',
    '{}',
    '{"Unknown":1}',
    '{"__type":"X"}',
    '{"__proto__":{"MaxResults":3}}',
    '{"MaxResults":null}',
  ])('%s reads as an empty input', async (body) => {
    expect(Object.keys(await decodeJson(lookup, body))).toEqual([]);
  });

  test.each(['[]', '"x"', '5', 'null', '{', '{"a":1,}', "{'a':1}", '\ufeff{', '{"MaxResults":1e999}'])(
    '%s is refused',
    async (body) => {
      expect(await codeOf(decodeJson(lookup, body))).toBe('SerializationException');
    },
  );

  test('bytes that are not UTF-8 are refused, not replaced', async () => {
    const request = post({ 'x-amz-target': lookup, 'content-type': 'application/x-amz-json-1.1' });
    const body = Buffer.concat([Buffer.from('{"NextToken":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    const routed = await route(services, request, 'cloudtrail', () => Promise.resolve(body));
    expect(() => decode(routed, request, body)).toThrow('The body is not UTF-8');
  });

  test('of a key that stands twice the last counts, for the record as for the operation', async () => {
    expect(await decodeJson(lookup, '{"MaxResults":1,"MaxResults":2}')).toEqual({ MaxResults: 2 });
  });

  test('a megabyte of brackets neither overflows the stack nor fills the memory', async () => {
    expect(await codeOf(decodeJson(lookup, '['.repeat(1 << 20)))).toBe('SerializationException');
    expect(await codeOf(decodeJson(lookup, '{"a":'.repeat(1 << 18)))).toBe('SerializationException');
  });

  test('a body of millions of values is refused before they are made', async () => {
    const body = `{"Entries":[${'{},'.repeat(limits.requestValues)}{}]}`;
    await expect(decodeJson('AWSEvents.PutEvents', body)).rejects.toThrow('more than');
    const many = Buffer.concat([Buffer.from([0x9f]), new Uint8Array(limits.requestValues + 1)]);
    expect(() => parseCbor(many)).toThrow('more than');
  });

  test('keys of maps are only keys', async () => {
    const request = post({
      'x-amz-target': 'AmazonSQS.SetQueueAttributes',
      'content-type': 'application/x-amz-json-1.0',
    });
    const body = Buffer.from(
      '{"QueueUrl":"u","Attributes":{"__proto__":"x","constructor":"y","Policy":"z"}}',
    );
    const routed = await route(services, request, 'sqs', () => Promise.resolve(body));
    const attributes = decode(routed, request, body)['Attributes'] as Record<string, string>;
    expect(Object.entries(attributes)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['Policy', 'z'],
    ]);
    expect(attributes['toString']).toBeUndefined();
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  test('a union takes exactly one member that is known', async () => {
    const config = '{"dataSourceRoleArn":"a","dashboardViewerPrincipals":[],"retentionDays":1}';
    expect(await decodeUnion(`{"openSearchResourceConfig":${config}}`)).toMatchObject({
      openSearchResourceConfig: {},
    });
    expect(await codeOf(decodeUnion('{}'))).toBe('SerializationException');
    expect(await codeOf(decodeUnion('{"unknown":{}}'))).toBe('SerializationException');
    expect(await codeOf(decodeUnion(`{"openSearchResourceConfig":${config},"unknown":{}}`))).toBe(
      'SerializationException',
    );
  });
});

describe('CBOR bodies', () => {
  // Values and encodings from "Appendix A. Examples of Encoded CBOR Data Items" of RFC 8949.
  test.each<[string, unknown]>([
    ['00', 0],
    ['1818', 24],
    ['1b000000e8d4a51000', 1000000000000],
    ['1bffffffffffffffff', 18446744073709551615n],
    ['c249010000000000000000', 18446744073709551616n],
    ['3bffffffffffffffff', -18446744073709551616n],
    ['c349010000000000000000', -18446744073709551617n],
    ['29', -10],
    ['f93c00', 1],
    ['f90001', 5.960464477539063e-8],
    ['f9c400', -4],
    ['fa47c35000', 100000],
    ['fb3ff199999999999a', 1.1],
    ['f97c00', Number.POSITIVE_INFINITY],
    ['f97e00', Number.NaN],
    ['f4', false],
    ['f6', null],
    ['64f0908591', '\u{10151}'],
    ['5f42010243030405ff', Buffer.from([1, 2, 3, 4, 5])],
    ['7f657374726561646d696e67ff', 'streaming'],
    ['9f018202039f0405ffff', [1, [2, 3], [4, 5]]],
    ['bf61610161629f0203ffff', { a: 1, b: [2, 3] }],
  ])('%s reads as %s', (hex, value) => {
    expect(parseCbor(bytes(hex))).toEqual(value);
  });

  test.each([
    ['a list of 2^32 elements in nine bytes', '9b00000000ffffffff'],
    ['a list of 2^26 elements in five bytes', '9a04000000'],
    ['a map of 2^31 entries', 'ba7fffffff'],
    ['a text of 2^53 bytes', '7b0020000000000000'],
    ['an item that is cut off', '82 01'],
    ['bytes after the end', '01 01'],
    ['nothing', ''],
    ['a break alone', 'ff'],
    ['a key that is not text', 'a1 01 01'],
    ['a text that is not UTF-8', '62 c328'],
    ['an indefinite text of bytes', '7f 4101 ff'],
    ['an indefinite text within one', '7f 7f 6161 ff ff'],
    ['a reserved length', '1c'],
    ['a simple value that nobody knows', 'e0'],
    ['a decimal fraction of texts', 'c4 82 6161 6162'],
  ])('%s is refused', (_, hex) => {
    expect(() => parseCbor(bytes(hex))).toThrow(AwsFault);
  });

  test('lists within lists, and tags on tags, end at a bound', () => {
    expect(() => parseCbor(new Uint8Array(1 << 20).fill(0x81))).toThrow('nested too deeply');
    expect(() => parseCbor(new Uint8Array(1 << 20).fill(0x9f))).toThrow('nested too deeply');
    expect(() => parseCbor(new Uint8Array(1 << 20).fill(0xc1))).toThrow('nested too deeply');
  });

  test('an exponent does not make a text of gigabytes', () => {
    expect(String(parseCbor(bytes('c4 82 3a7fffffff 01')))).toBe('1e-2147483648');
    expect(String(parseCbor(bytes('c4 82 21 196ab3')))).toBe('273.15');
  });
});

describe('what bodies hold is bounded before it is made', () => {
  test('chunks of a CBOR string count as values, however empty they are', () => {
    const chunks = Buffer.alloc(limits.requestValues + 2, 0x60);
    chunks[0] = 0x7f;
    chunks[chunks.length - 1] = 0xff;
    expect(() => parseCbor(chunks)).toThrow(/more than 500000 values/);
  });

  test('the dots of a form', () => {
    const keys = Array.from({ length: 2_000 }, (_, index) => `${index}${'.a'.repeat(200)}=`);
    expect(() => parseForm(Buffer.from(keys.join('&')))).toThrow(/more than 200000 parts/);
  });

  test('the attributes of XML elements', () => {
    const names = Array.from({ length: limits.xmlElements }, (_, index) => ` a${index}=""`);
    expect(() => xml(`<a${names.join('')}/>`)).toThrow(/more than 200000 elements and attributes/);
  });
});

describe('XML bodies', () => {
  test.each([
    ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['an entity that XML does not have', '<a>&b;</a>'],
    ['an entity that is not closed', '<a>a &amp b</a>'],
    ['a character that XML does not allow', '<a>&#0;</a>'],
    ['half a surrogate pair by number', '<a>&#xD800;</a>'],
    ['a number beyond Unicode', '<a>&#x110000;</a>'],
    ['an element that is not closed', '<a><b></a>'],
    ['two roots', '<a/><b/>'],
    ['text after the root', '<a/>b'],
    ['an attribute that stands twice', '<a b="1" b="2"/>'],
    ['an attribute without quotes', '<a b=1/>'],
    ['an attribute with an angle', '<a b="<"/>'],
    ['nothing', ''],
    ['a comment without an end', '<a><!-- </a>'],
  ])('%s is MalformedXML', (_, text) => {
    expect(() => xml(text)).toThrow(expect.objectContaining({ code: 'MalformedXML', status: 400 }));
  });

  test('what may stand in a document is understood', () => {
    const root = xml(
      '\ufeff<?xml version="1.0"?>\n<!-- c --><n:a x:y=\'1 &lt; 2\'>t&#x41;<![CDATA[<&>]]><b/>\r\nu</n:a>\n',
    );
    expect(root).toMatchObject({ name: 'a', text: 'tA<&>\nu', children: [{ name: 'b' }] });
    expect(root.attributes.get('x:y')).toBe('1 < 2');
  });

  test('elements within elements end at a bound', () => {
    expect(() => xml('<a>'.repeat(100_000))).toThrow('nested too deeply');
    expect(() => xml(`<a>${'<b/>'.repeat(limits.xmlElements)}</a>`)).toThrow('more than');
  });
});

describe('forms', () => {
  test.each(['a=%zz', 'a=%c3%28', '%=1', 'a=1&b=2&a=1', 'a.b=&a.b=1', `${'a.'.repeat(2000)}=1`])(
    '%s is a MalformedQueryString',
    (text) => {
      expect(() => parseForm(Buffer.from(text))).toThrow(
        expect.objectContaining({ code: 'MalformedQueryString', status: 404 }),
      );
    },
  );

  test('the number of parameters has a bound', () => {
    expect(() => parseForm(Buffer.from('a=1&'.repeat(limits.formPairs + 1)))).toThrow('more than');
  });

  test.each([
    ['Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.10.Key=c&Tags.member.2.Key=d', ['a', 'd', 'c']],
    ['Tags=', []],
    ['Tags.member=', []],
  ])('%s is a list in the order of its numbers', async (tags, keys) => {
    const body = Buffer.from(`Action=CreateUser&Version=2010-05-08&UserName=a&${tags}`);
    const request = post({ 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' });
    const routed = await route(services, request, 'iam', () => Promise.resolve(body));
    const decoded = decode(routed, request, body)['Tags'] as { Key: string }[];
    expect(decoded.map(({ Key }) => Key)).toEqual(keys);
  });

  test.each([
    'Tags.member.x.Key=a',
    'Tags.member.0.Key=a',
    'Tags=a',
    'UserName.b=c',
    'UserName=a&UserName.b=c',
  ])('%s is a MalformedInput', async (parameters) => {
    const body = Buffer.from(`Action=CreateUser&Version=2010-05-08&${parameters}`);
    const request = post({ 'content-type': 'application/x-www-form-urlencoded' });
    const routed = await route(services, request, 'iam', () => Promise.resolve(body));
    expect(() => decode(routed, request, body)).toThrow(
      expect.objectContaining({ code: 'MalformedInput', status: 400 }),
    );
  });
});
