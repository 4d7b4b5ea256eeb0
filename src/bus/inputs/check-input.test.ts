import type { Target } from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import { checkInput } from './index.ts';

const arn = 'arn:aws:events:eu-west-1:111122223333:event-bus/other';
const check = (target: Partial<Target>) => checkInput({ Id: 't1', Arn: arn, ...target });
const transformer = (InputTemplate: string, InputPathsMap?: Record<string, string>) =>
  check({ InputTransformer: { InputTemplate, ...(InputPathsMap && { InputPathsMap }) } });

const paths = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${at}`, '$.a']));

describe('checkInput', () => {
  it('takes a target without any, and one of each', () => {
    expect(check({})).toBeUndefined();
    expect(check({ Input: '{"a":1}' })).toBeUndefined();
    expect(check({ InputPath: '$.detail' })).toBeUndefined();
    expect(transformer('"<a>"', { a: '$.detail.a' })).toBeUndefined();
  });

  it('refuses more than one, in the words of the service', () => {
    const refusal = 'Only one of Input, InputPath, or InputTransformer must be provided for target t1.';
    const InputTransformer = { InputTemplate: '"a"' };
    expect(check({ Input: '1', InputPath: '$' })).toBe(refusal);
    expect(check({ InputPath: '$', InputTransformer })).toBe(refusal);
    expect(check({ Input: '1', InputTransformer })).toBe(refusal);
  });

  it('takes any JSON as Input, and nothing else', () => {
    for (const Input of ['"hello"', '[]', 'null', '5']) expect(check({ Input })).toBeUndefined();
    for (const Input of ['hello', '', '{"a":1', "{'a':1}"]) {
      expect(check({ Input })).toBe('JSON syntax error in input for target t1.');
    }
  });

  // "EventBridge does not support all JSON Path syntax": what it does is listed there.
  it.each([
    '$',
    '$.detail',
    '$.detail-type',
    '$.detail.a_b/c.d',
    '$.a[0]',
    '$.a[12][0].b',
    '$.a[*].b',
    '$.*',
    '$[0]',
  ])('takes the path %s', (path) => {
    expect(check({ InputPath: path })).toBeUndefined();
    expect(transformer('<a>', { a: path })).toBeUndefined();
  });

  it.each([
    '',
    'detail',
    '.detail',
    "$.detail['key']",
    '$["detail"]',
    '$..detail',
    '$.a[?(@.b==1)]',
    '$.a[-1]',
    '$.a[0:2]',
    '$.a[0,1]',
    '$.',
    '$.a.',
    '$.a[',
    '$.a[x]',
    '$ .a',
    '$.a b',
    '$.length()',
    '$.a:b',
    '@.a',
    `$.${'a'.repeat(255)}`,
  ])('refuses the path %s', (path) => {
    expect(check({ InputPath: path })).toMatch(/^InputPath for target t1 is invalid\. /);
    expect(transformer('<a>', { a: path })).toMatch(/^InputPath for target t1 is invalid\. /);
  });

  it('takes templates that are strings in quotes or other JSON', () => {
    for (const template of [
      '"instance <a> is in <b>"',
      '"instance \\"<a>\\" is in <b>"',
      '{"instance" : <a>, "state": "<b>", "status": "instance \\"<a>\\" is in <b>"}',
      '{\n  "state": [ 9, <a>, true ],\n  "Transformed" : "Yes"\n}',
      '<a>',
      '[<a>,<b>]',
      '"5 < 6"',
      '"line of <a>"\n "another line" "<b>"\n',
      '{"a":"<","b":">"}',
      '{"rule":<aws.events.rule-arn>,"event":<aws.events.event>,"all":<aws.events.event.json>}',
      '"<aws.events.rule-name> at <aws.events.event.ingestion-time>"',
    ]) {
      expect(transformer(template, { a: '$.a', b: '$.b' })).toBeUndefined();
    }
  });

  it('refuses templates that are neither', () => {
    for (const template of [
      'instance <a>',
      '"open',
      '{"a":<a>',
      '{"a" <a>}',
      '<a> <a>',
      '"a" b',
      '"a" {"b":<a>}',
      '"a" "\\x"',
      '"a","b"',
      '"a"\\',
      '{"a":1}\\',
      "'<a>'",
      '{a:<a>}',
    ]) {
      expect(transformer(template, { a: '$.a' })).toMatch(
        /^Invalid InputTemplate for target t1 : It is neither/,
      );
    }
    for (const template of ['{"<a>":1}', '{"x<a>y" : 1}', '{"b":{"\\"<a>" :1}}', '{<a>:1}']) {
      expect(transformer(template, { a: '$.a' })).toBe(
        'Invalid InputTemplate for target t1 : The placeholder cannot be used as an object key.',
      );
    }
  });

  it('refuses placeholders that stand for nothing', () => {
    expect(transformer('"with <notdefinedkey>"', { a: '$.a' })).toBe(
      'InputTemplate for target t1 contains invalid placeholder notdefinedkey.',
    );
    expect(transformer('"5 < 6 and 7 > 6"')).toBe(
      'InputTemplate for target t1 contains invalid placeholder  6 and 7 .',
    );
    expect(transformer('{"a":<aws.events.rule>}')).toBe(
      'InputTemplate for target t1 contains invalid placeholder aws.events.rule.',
    );
    expect(transformer('"<toString>"', {})).toBe(
      'InputTemplate for target t1 contains invalid placeholder toString.',
    );
  });

  it('takes the whole event in a JSON object alone, and not within a string', () => {
    for (const name of ['aws.events.event.json', 'aws.events.event']) {
      expect(transformer(`{"e": <${name}>}`)).toBeUndefined();
      for (const template of [`[<${name}>]`, `"<${name}>"`, `<${name}>`, `{"e":"<${name}>"}`]) {
        expect(transformer(template)).toBe(
          `InputTemplate for target t1 contains placeholder ${name} valid only for JSON template.`,
        );
      }
    }
  });

  it('keeps to the bounds of the API', () => {
    expect(transformer('"<a1>"', paths(100))).toBeUndefined();
    expect(transformer('"<a1>"', paths(101))).toMatch(
      /^InputPathsMap for target t1 .* at most 100 entries\.$/,
    );
    expect(transformer(`"${'a'.repeat(8190)}"`)).toBeUndefined();
    expect(transformer(`"${'a'.repeat(8191)}"`)).toMatch(/1 to 8192 characters/);
    expect(transformer('')).toMatch(/1 to 8192 characters/);
    expect(check({ InputPath: `$.${'a'.repeat(254)}` })).toBeUndefined();
    for (const key of ['aws.events.rule-name', 'a b', '', 'a'.repeat(257), 'ü']) {
      expect(transformer('"a"', { [key]: '$.a' })).toMatch(
        /^InputPathsMap for target t1 is invalid\. The key/,
      );
    }
  });
});
