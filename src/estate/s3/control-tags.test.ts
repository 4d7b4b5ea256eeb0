import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBucketFixture, type BucketFixture } from '../../../test/bucket-fixture.ts';
import { allow, faultOf, management } from '../../../test/identity-fixture.ts';

let s3: BucketFixture;
beforeEach(async () => {
  s3 = await openBucketFixture();
  await s3.bucket('bucket');
});
afterEach(async () => {
  await s3[Symbol.asyncDispose]();
});

const on = { AccountId: management as string, ResourceArn: 'arn:aws:s3:::bucket' };
const tag = (Key: string, Value = '') => ({ Key, Value });
const codeOf = async (answer: Promise<unknown>) => (await faultOf(answer)).code;
const listed = async () => (await s3.call('ListTagsForResource', on)).Tags as unknown;

describe('the tags of a bucket by S3 Control', () => {
  it('are those of PutBucketTagging: added, replaced and taken away one by one', async () => {
    expect(await listed()).toEqual([]);
    await s3.call('TagResource', { ...on, Tags: [tag('team', 'a'), tag('stage')] });
    await s3.call('TagResource', { ...on, Tags: [tag('team', 'b')] });
    expect(await listed()).toEqual([tag('stage'), tag('team', 'b')]);
    expect(await s3.call('GetBucketTagging', { Bucket: 'bucket' })).toEqual({
      TagSet: [tag('stage'), tag('team', 'b')],
    });
    await s3.call('UntagResource', { ...on, TagKeys: ['stage', 'absent'] });
    expect(await listed()).toEqual([tag('team', 'b')]);
    await s3.call('UntagResource', { ...on, TagKeys: ['team'] });
    expect(await codeOf(s3.call('GetBucketTagging', { Bucket: 'bucket' }))).toBe('NoSuchTagSet');
  });

  it.each([
    ['NoSuchBucket', { ...on, ResourceArn: 'arn:aws:s3:::absent' }],
    ['InvalidRequest', { ...on, ResourceArn: 'bucket' }],
    ['InvalidRequest', { ...on, ResourceArn: 'arn:aws:s3:::bucket/key' }],
    ['InvalidRequest', { ...on, ResourceArn: `arn:aws:s3:us-east-1:${management}:accesspoint/a` }],
    ['AccessDenied', { ...on, AccountId: '111111111111' }],
  ])('are refused with %s for %j', async (code, input) => {
    expect(await codeOf(s3.call('ListTagsForResource', input))).toBe(code);
    expect(await codeOf(s3.call('TagResource', { ...input, Tags: [tag('a')] }))).toBe(code);
    expect(await codeOf(s3.call('UntagResource', { ...input, TagKeys: ['a'] }))).toBe(code);
  });

  it('are 50 at most, those that are there already included', async () => {
    const many = Array.from({ length: 50 }, (_, index) => tag(`k${index}`));
    await s3.call('TagResource', { ...on, Tags: many });
    expect(await codeOf(s3.call('TagResource', { ...on, Tags: [tag('more')] }))).toBe('BadRequest');
    expect(await codeOf(s3.call('TagResource', { ...on, Tags: [tag('aws:x')] }))).toBe('InvalidTag');
    expect(await listed()).toEqual(many);
  });

  it('need permissions of their own, with conditions on the tags and their keys', async () => {
    const alice = await s3.identity.user('alice', allow(['s3:PutBucketTagging', 's3:GetBucketTagging']));
    expect(await codeOf(s3.call('ListTagsForResource', on, alice))).toBe('AccessDenied');
    expect(await codeOf(s3.call('TagResource', { ...on, Tags: [tag('a')] }, alice))).toBe('AccessDenied');
    await s3.identity.call('PutUserPolicy', {
      UserName: 'alice',
      PolicyName: 'tags',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 's3:TagResource',
            Resource: on.ResourceArn,
            Condition: { StringEquals: { 'aws:RequestTag/team': 'a' } },
          },
          {
            Effect: 'Allow',
            Action: 's3:UntagResource',
            Resource: on.ResourceArn,
            Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['team'] } },
          },
        ],
      }),
    });
    await s3.call('TagResource', { ...on, Tags: [tag('team', 'a'), tag('stage')] }, alice);
    const other = s3.call('TagResource', { ...on, Tags: [tag('team', 'b')] }, alice);
    expect(await codeOf(other)).toBe('AccessDenied');
    const stage = s3.call('UntagResource', { ...on, TagKeys: ['team', 'stage'] }, alice);
    expect(await codeOf(stage)).toBe('AccessDenied');
    await s3.call('UntagResource', { ...on, TagKeys: ['team'] }, alice);
    expect(await listed()).toEqual([tag('stage')]);
  });
});
