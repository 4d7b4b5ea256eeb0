import type { InputTransformer, Target } from '@aws-sdk/client-eventbridge';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEvent } from '../event-json.ts';
import { checkInput, InputTooLongError, renderInput } from './index.ts';

/** The event of the examples in "Amazon EventBridge input transformation". */
const raw = `{
  "version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602",
  "detail-type": "EC2 Instance State-change Notification",
  "source": "aws.ec2", "account": "123456789012", "time": "2015-11-11T21:29:54Z", "region": "us-east-1",
  "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
  "detail": {
    "instance-id": "i-0123456789", "state": "RUNNING", "price": 12.50, "big": 12345678901234567890, "none": null, "no": false,
    "empty": "", "words": "say \\"hi\\"\\n", "list": [ 1, "two", { "three": 3 } ], "object": { "a": "b c" },
    "items": [ { "name": "one" }, { "name": "two" }, {} ]
  }
}`;
const context = {
  raw,
  ruleArn: 'arn:aws:events:us-east-2:123456789012:rule/example',
  ruleName: 'example',
  ingestionTime: '2015-11-11T21:29:55Z',
};

function render(given: Partial<Target>): string {
  const target = { Id: 't', Arn: 'arn:aws:events:us-east-1:123456789012:event-bus/b', ...given };
  expect(checkInput(target)).toBeUndefined();
  return renderInput(target, context);
}

const paths = {
  instance: '$.detail.instance-id',
  state: '$.detail.state',
  timestamp: '$.time',
  missing: '$.detail.notinmessage',
  words: '$.detail.words',
  price: '$.detail.price',
  big: '$.detail.big',
  none: '$.detail.none',
  no: '$.detail.no',
  list: '$.detail.list',
  object: '$.detail.object',
  names: '$.detail.items[*].name',
  second: '$.detail.list[1]',
};
const transform = (InputTemplate: string, InputPathsMap: InputTransformer['InputPathsMap'] = paths) =>
  render({ InputTransformer: { InputTemplate, InputPathsMap } });

const eventOf = (length: number) => JSON.stringify({ a: 'x'.repeat(length) });

describe('renderInput', () => {
  it('gives the event as it is, or the constant as it is', () => {
    expect(render({})).toBe(raw);
    expect(render({ Input: '{ "constant": 1.0 }' })).toBe('{ "constant": 1.0 }');
  });

  it.each([
    ['$', JSON.stringify(parseEvent(raw))],
    ['$.detail.state', '"RUNNING"'],
    ['$.detail-type', '"EC2 Instance State-change Notification"'],
    ['$.resources[0]', '"arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"'],
    ['$.detail.price', '12.50'],
    ['$.detail.big', '12345678901234567890'],
    ['$.detail.list', '[1,"two",{"three":3}]'],
    ['$.detail.list[2].three', '3'],
    ['$.detail.items[*].name', '["one","two"]'],
    ['$.detail.object.*', '["b c"]'],
    ['$.detail.none', 'null'],
    ['$.detail.nothing', 'null'],
    ['$.detail.nothing[*]', '[]'],
    ['$.detail.items.name', 'null'],
    ['$.detail.state.length', 'null'],
    ['$.toString', 'null'],
    ['$.detail.price.rawJSON', 'null'],
  ])('gives what is at the path %s', (path, expected) => {
    expect(render({ InputPath: path })).toBe(expected);
  });

  // The table of the page, and what answers of the service are known to look like.
  it.each([
    ['"instance <instance> is in <state>"', '"instance i-0123456789 is in RUNNING"'],
    ['"instance \\"<instance>\\" is in <state>"', '"instance \\"i-0123456789\\" is in RUNNING"'],
    ['{\n  "instance" : <instance>,\n  "state": <state>\n}', '{"instance":"i-0123456789","state":"RUNNING"}'],
    [
      '{ "instance" : <instance>, "state": "<state>", "status": "instance \\"<instance>\\" is in <state>" }',
      '{"instance":"i-0123456789","state":"RUNNING","status":"instance \\"i-0123456789\\" is in RUNNING"}',
    ],
    [
      '{ "state": [ 9, <state>, true ], "Transformed" : "Yes, it is" }',
      '{"state":[9,"RUNNING",true],"Transformed":"Yes, it is"}',
    ],
    ['"<aws.events.rule-name> triggered"', '"example triggered"'],
    [
      '{"ruleArn":<aws.events.rule-arn>,"ruleName":<aws.events.rule-name>,"at":<aws.events.event.ingestion-time>}',
      '{"ruleArn":"arn:aws:events:us-east-2:123456789012:rule/example","ruleName":"example","at":"2015-11-11T21:29:55Z"}',
    ],
    ['{"time":<timestamp>}', '{"time":"2015-11-11T21:29:54Z"}'],
    ['"detail <missing>"', '"detail "'],
    ['{"command":<missing>,"in":"<missing>"}', '{"command":"","in":""}'],
    ['{"none":<none>,"no":<no>}', '{"none":null,"no":false}'],
    ['"<none> <no>"', '"null false"'],
    [
      '{"price":<price>,"big":<big>,"text":"<price>"}',
      '{"price":12.50,"big":12345678901234567890,"text":"12.50"}',
    ],
    [
      '{"list":<list>,"object":<object>,"names":<names>}',
      '{"list":[1,"two",{"three":3}],"object":{"a":"b c"},"names":["one","two"]}',
    ],
    ['<second>', '"two"'],
    ['"{[/special <state>"', '"{[/special RUNNING"'],
    ['"a < b"', '"a < b"'],
    // The lines of a message, as GuardDuty's user guide has them.
    ['  "It is <state>."\n  "See \\"<instance>\\"  "\n', '"It is RUNNING."\n  "See \\"i-0123456789\\"  "'],
  ])('renders %s', (template, expected) => {
    expect(transform(template)).toBe(expected);
  });

  it('gives the event without its detail, and the whole of it', () => {
    const rendered = transform(
      '{"originalEvent": <aws.events.event>, "originalEventJson": <aws.events.event.json>}',
      {},
    );
    const { originalEvent, originalEventJson } = JSON.parse(rendered) as Record<
      string,
      Record<string, unknown>
    >;
    const { detail, 'detail-type': detailType, ...rest } = JSON.parse(raw) as Record<string, unknown>;
    expect(originalEvent).toEqual({ ...rest, detailType });
    expect(originalEventJson).toEqual({ ...rest, 'detail-type': detailType, detail });
    expect(rendered).toContain('"price":12.50,"big":12345678901234567890');
  });

  it('lets no value of an event out of the string that it stands in', () => {
    expect(transform('{"message":"he did <words>","own":<words>}')).toBe(
      '{"message":"he did say \\"hi\\"\\n","own":"say \\"hi\\"\\n"}',
    );
    expect(transform('"list <list>, object <object>"')).toBe(
      '"list [1,\\"two\\",{\\"three\\":3}], object {\\"a\\":\\"b c\\"}"',
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const event = { detail: { value } };
        const InputTransformer = {
          InputPathsMap: { value: '$.detail.value' },
          InputTemplate: '{"in": "x <value> y", "out": <value>, "last": true}',
        };
        const target = { Id: 't', Arn: 'arn', InputTransformer };
        const rendered = renderInput(target, { ...context, raw: JSON.stringify(event) });
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        expect(JSON.parse(rendered)).toEqual({
          in: `x ${text} y`,
          out: JSON.parse(JSON.stringify(value)) as unknown,
          last: true,
        });
      }),
    );
  });

  it('takes the event parsed already, and then does not need its text', () => {
    const target = { Id: 't', Arn: 'arn', InputPath: '$.a' };
    expect(renderInput(target, { ...context, raw: '', event: parseEvent('{"a":1.0}') })).toBe('1.0');
    expect(() => renderInput(target, { ...context, raw: 'no JSON' })).toThrow(SyntaxError);
  });

  it('stops where a template would make too much of an event', () => {
    const InputTransformer = { InputPathsMap: { a: '$.a' }, InputTemplate: `"${'<a>'.repeat(2_000)}"` };
    const target = { Id: 't', Arn: 'arn', InputTransformer };
    expect(renderInput(target, { ...context, raw: eventOf(500) })).toHaveLength(1_000_002);
    expect(() => renderInput(target, { ...context, raw: eventOf(200_000) })).toThrow(InputTooLongError);
  });

  it('looks for a value in an event once, however often a template has it', () => {
    const InputTransformer = {
      InputPathsMap: { a: '$.*[*].*.nothing' },
      InputTemplate: `[${Array.from({ length: 2_000 }, () => '<a>').join()}]`,
    };
    const items = Array.from({ length: 50_000 }, () => ({ a: 1 }));
    const start = performance.now();
    const rendered = renderInput(
      { Id: 't', Arn: 'arn', InputTransformer },
      { ...context, raw: '', event: { items } },
    );
    expect(rendered).toBe(`[${Array.from({ length: 2_000 }, () => '[]').join()}]`);
    // 2,000 times it would be minutes.
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
