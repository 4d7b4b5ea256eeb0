import { describe, expect, it } from 'vitest';
import { bucketNameProblem } from './bucket-names.ts';
import { checkBucketPolicy } from './bucket-policy.ts';
import { grantsPublic, isPublicPolicy } from './bucket-policy-reach.ts';
import { matchesWildcards } from './bucket-policy-actions.ts';

const statement = (over: Record<string, unknown> = {}) => ({
  Effect: 'Allow',
  Principal: { AWS: '111111111111' },
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::logs/*',
  ...over,
});
const policy = (...over: Record<string, unknown>[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: over.map((one) => statement(one)) });

function refusal(text: string): { code: string; message: string } | undefined {
  try {
    checkBucketPolicy(text, 'logs');
    return undefined;
  } catch (error) {
    return error as { code: string; message: string };
  }
}

describe('a bucket policy', () => {
  it.each([
    [{}],
    [{ Resource: '*' }],
    [{ Resource: ['arn:aws:s3:::logs', 'arn:aws:s3:::logs/*'], Action: ['s3:ListBucket', 's3:GetObject'] }],
    [{ Resource: 'arn:aws:s3:::logs/AWSLogs/*', Action: 's3:PutObject' }],
    [{ Resource: 'arn:aws:s3:::l*', Action: 's3:*' }],
    [{ Resource: 'arn:aws:s3:::logs', Action: 's3:Get*' }],
    [{ Effect: 'Deny', Principal: '*', Action: '*' }],
    [{ Effect: 'Deny', NotResource: 'arn:aws:s3:::logs/public/*', Resource: undefined }],
    [
      {
        Principal: { Service: 'cloudtrail.amazonaws.com' },
        Action: 's3:GetBucketAcl',
        Resource: 'arn:aws:s3:::logs',
      },
    ],
  ])('is taken where it speaks of this bucket: %j', (over) => {
    expect(refusal(policy(over))).toBeUndefined();
  });

  // The messages are S3's, as the AWS knowledge centre explains them ("S3 bucket policy errors").
  it.each([
    ['Policy has invalid resource', { Resource: 'arn:aws:s3:::other/*' }],
    ['Policy has invalid resource', { Resource: 'arn:aws:s3:::logs-2/*' }],
    ['Policy has invalid resource', { Resource: 'arn:aws:iam::111111111111:user/a' }],
    [
      'Policy has invalid resource',
      { NotResource: 'arn:aws:s3:::other/*', Resource: undefined, Effect: 'Deny' },
    ],
    ['Policy has invalid action', { Action: 's3:GetObjectt' }],
    ['Policy has invalid action', { Action: 'ec2:RunInstances' }],
    ['Policy has invalid action', { Action: 's3:Nothing*' }],
    ['Action does not apply to any resource(s) in statement', { Action: 's3:ListBucket' }],
    ['Action does not apply to any resource(s) in statement', { Resource: 'arn:aws:s3:::logs' }],
    ['Action does not apply to any resource(s) in statement', { Action: ['s3:GetObject', 's3:ListBucket'] }],
    ['Invalid principal in policy', { Principal: { AWS: 'nobody' } }],
    ['Invalid principal in policy', { Principal: { CanonicalUser: 'a'.repeat(64) } }],
    ['Syntax errors in policy.', { Effect: 'Maybe' }],
    ['Syntax errors in policy.', { Condition: { StringEqual: { 'aws:SourceArn': 'x' } } }],
  ])('is refused with MalformedPolicy and "%s": %j', (message, over) => {
    const fault = refusal(policy(over));
    expect(fault?.code).toBe('MalformedPolicy');
    expect(fault?.message.slice(0, message.length)).toBe(message);
  });

  it('is JSON of at most 20 KB', () => {
    expect(refusal('hello')?.message).toContain("the first byte must be '{'");
    expect(refusal(`{"Version":"2012-10-17",`)?.code).toBe('MalformedPolicy');
    const wide = policy({ Condition: { StringEquals: { 'aws:SourceArn': 'x'.repeat(20_480) } } });
    expect(refusal(wide)?.message).toContain('20480 bytes');
  });

  // "The meaning of public" in "Blocking public access to your Amazon S3 storage".
  it.each([
    [true, { Principal: '*' }],
    [true, { Principal: { AWS: '*' } }],
    [true, { Principal: { AWS: ['111111111111', '*'] } }],
    [false, {}],
    [false, { Principal: '*', Effect: 'Deny' }],
    [false, { Principal: { Service: 'cloudtrail.amazonaws.com' } }],
    [false, { Principal: '*', Condition: { StringEquals: { 'aws:SourceVpc': 'vpc-91237329' } } }],
    [true, { Principal: '*', Condition: { StringLike: { 'aws:SourceVpc': 'vpc-*' } } }],
    [true, { Principal: '*', Condition: { StringEqualsIfExists: { 'aws:SourceVpc': 'vpc-91237329' } } }],
    [true, { Principal: '*', Condition: { StringNotEquals: { 'aws:SourceVpc': 'vpc-91237329' } } }],
    [true, { Principal: '*', Condition: { 'ForAllValues:StringEquals': { 'aws:PrincipalOrgID': 'o-1' } } }],
    [true, { Principal: '*', Condition: { StringEquals: { 'aws:UserAgent': 'secret' } } }],
    [true, { Principal: '*', Condition: { StringEquals: { 'aws:PrincipalArn': '${aws:PrincipalArn}' } } }],
    [false, { Principal: '*', Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } }],
    [false, { Principal: '*', Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }],
    [true, { Principal: '*', Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/1' } } }],
    [true, { Principal: '*', Condition: { IpAddress: { 'aws:SourceIp': ['203.0.113.9', '0.0.0.0/0'] } } }],
    [true, { Principal: '*', Condition: { IpAddress: { 'aws:SourceIp': '::/16' } } }],
    [
      false,
      {
        Principal: '*',
        Condition: { ArnEquals: { 'aws:SourceArn': 'arn:aws:sns:eu-west-1:111111111111:t' } },
      },
    ],
    [true, { Principal: '*', Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:sns:*:*:*' } } }],
  ])('is public: %s, for %j', (expected, over) => {
    expect(grantsPublic(checkBucketPolicy(policy(over), 'logs'))).toBe(expected);
    expect(isPublicPolicy(policy(over))).toBe(expected);
    expect(isPublicPolicy(policy({}, over))).toBe(expected);
  });

  it('that is not understood any more counts as public', () => {
    expect(isPublicPolicy('{"Version":"2012-10-17"}')).toBe(true);
  });
});

describe('wildcards', () => {
  it.each([
    ['s3:get*', 's3:getobject', true],
    ['s3:*acl', 's3:getobjectacl', true],
    ['s3:get?bject', 's3:getobject', true],
    ['s3:get?', 's3:getobject', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['**', '', true],
    ['', 'a', false],
  ])('%s and %s: %s', (pattern, text, expected) => {
    expect(matchesWildcards(pattern, text)).toBe(expected);
  });

  it('take no more than the product of the lengths', () => {
    expect(matchesWildcards(`${'*a'.repeat(5_000)}b`, 'a'.repeat(2_000))).toBe(false);
  });
});

describe('bucket names', () => {
  // "General purpose bucket naming rules".
  it.each(['abc', 'docexamplebucket1', 'my.bucket', 'log-delivery-march-2020', 'a'.repeat(63), '1ab'])(
    '%s',
    (name) => {
      expect(bucketNameProblem(name)).toBeUndefined();
    },
  );
  it.each([
    'ab',
    'a'.repeat(64),
    'doc_example',
    'DocExample',
    'doc-example-',
    '.doc',
    'doc..example',
    '192.168.5.4',
    'xn--abc',
    'sthree-configurator',
    'amzn-s3-demo-x',
    'abc-s3alias',
    'abc--ol-s3',
    'abc.mrap',
    'abc--x-s3',
    'abc/d',
    'ab\n',
  ])('not %j', (name) => {
    expect(bucketNameProblem(name)).toBeTypeOf('string');
  });
});
