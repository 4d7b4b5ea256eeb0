import type { Target } from '@aws-sdk/client-eventbridge';
import { describe, expect, it } from 'vitest';
import { checkTarget } from './target-kinds.ts';

const place = { account: '000000000000', region: 'eu-central-1' };
const bus = 'arn:aws:events:us-east-1:111111111111:event-bus/central';
const destination = 'arn:aws:events:eu-central-1:000000000000:api-destination/hook/1-2';
const RoleArn = 'arn:aws:iam::000000000000:role/invoke';

const check = (target: Partial<Target>) =>
  checkTarget({ Id: 'a', Arn: destination, RoleArn, ...target }, place);

describe('a target', () => {
  it.each<[string, Partial<Target>]>([
    ['an API destination', {}],
    ['a bus of another account and region', { Arn: bus }],
    [
      'an API destination with parameters',
      { HttpParameters: { PathParameterValues: ['a', '$.detail.a'], QueryStringParameters: { a: '$5' } } },
    ],
    [
      'an API destination with a retry policy',
      { RetryPolicy: { MaximumRetryAttempts: 0 }, InputPath: '$.detail' },
    ],
  ])('may be %s', (_, target) => expect(check(target)).toBeUndefined());

  it.each<[string, Partial<Target>, RegExp]>([
    ['no ARN', { Arn: 'hook' }, /not in correct format/],
    [
      'a function',
      { Arn: 'arn:aws:lambda:eu-central-1:000000000000:function:f' },
      /is not supported: .*event buses and API destinations/,
    ],
    ['a queue', { Arn: 'arn:aws:sqs:eu-central-1:000000000000:q' }, /is not supported/],
    ['a rule', { Arn: 'arn:aws:events:eu-central-1:000000000000:rule/r' }, /is not supported/],
    ['without a role', { RoleArn: undefined }, /^RoleArn is required for target arn:aws:events:/],
    ['a bus without a role', { Arn: bus, RoleArn: undefined }, /^RoleArn is required for target/],
    [
      'with a dead-letter queue',
      { DeadLetterConfig: { Arn: 'arn:aws:sqs:eu-central-1:000000000000:q' } },
      /DeadLetterConfig is not valid/,
    ],
    [
      'with parameters of another service',
      { KinesisParameters: { PartitionKeyPath: '$' } },
      /KinesisParameters is not valid.*Amazon Kinesis/,
    ],
    ['a bus with an Input', { Arn: bus, Input: '{}' }, /Input is not valid.*event bus/],
    ['a bus with an InputPath', { Arn: bus, InputPath: '$' }, /InputPath is not valid/],
    [
      'a bus with an InputTransformer',
      { Arn: bus, InputTransformer: { InputTemplate: '"a"' } },
      /InputTransformer is not valid/,
    ],
    ['a bus with HTTP parameters', { Arn: bus, HttpParameters: {} }, /HttpParameters is not valid/],
    [
      'of another account',
      { Arn: destination.replace('000000000000', '111111111111') },
      /cross-account target is not permitted/,
    ],
    ['of another region', { Arn: destination.replace('eu-central-1', 'us-east-1') }, /not in correct region/],
    [
      'with a path that is none',
      { HttpParameters: { PathParameterValues: ['$.detail..a'] } },
      /HttpParameters is not valid/,
    ],
  ])('may not be %s', (_, target, reason) => expect(check(target)).toMatch(reason));
});
