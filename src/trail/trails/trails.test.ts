import { describe, expect, it } from 'vitest';
import { AwsFault, region } from '../../kernel/index.ts';
import { bucketPolicy } from '../../../test/memory-buckets.ts';
import { mainArn, openTrailsFixture } from '../../../test/trails-fixture.ts';

const main = { Name: 'main', S3BucketName: 'logs' };
const add = (TagsList: unknown) => ({ ResourceId: mainArn, TagsList });
const paris = { region: region('eu-west-3') };

describe('CreateTrail', () => {
  it('answers the trail with its defaults, not logging', async () => {
    await using fixture = await openTrailsFixture();
    const answer = await fixture.call('CreateTrail', main);
    expect(answer).toEqual({
      Name: 'main',
      S3BucketName: 'logs',
      IncludeGlobalServiceEvents: true,
      IsMultiRegionTrail: false,
      TrailARN: mainArn,
      LogFileValidationEnabled: false,
      IsOrganizationTrail: false,
      RecursiveLogging: false,
    });
    const status = await fixture.call('GetTrailStatus', { Name: 'main' });
    expect(status).toMatchObject({ IsLogging: false, TimeLoggingStarted: '', LatestDeliveryAttemptTime: '' });
  });

  it.each([
    ['ab', 'too short'],
    ['a'.repeat(129), 'too long'],
    ['-abc', 'begins with a dash'],
    ['abc.', 'ends with a period'],
    ['a--b', 'adjacent dashes'],
    ['my-_name', 'dash and underscore'],
    ['192.168.5.4', 'an address'],
    ['a b c', 'spaces'],
  ])('refuses the name %s (%s)', async (Name) => {
    await using fixture = await openTrailsFixture();
    expect(await fixture.faultOf('CreateTrail', { ...main, Name })).toBe('InvalidTrailNameException');
  });

  it.each([
    [{ S3BucketName: 'Logs' }, 'InvalidS3BucketNameException'],
    [{ S3BucketName: 'absent' }, 'S3BucketDoesNotExistException'],
    [{ S3BucketName: 'not-ours' }, 'InsufficientS3BucketPolicyException'],
    [{ S3KeyPrefix: 'p'.repeat(201) }, 'InvalidS3PrefixException'],
    [{ S3KeyPrefix: 'elsewhere' }, 'InsufficientS3BucketPolicyException'],
    [{ IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false }, 'InvalidParameterCombinationException'],
    [{ IsOrganizationTrail: true }, 'OrganizationsNotInUseException'],
    [{ RecursiveLogging: true }, 'UnsupportedOperationException'],
    [{ SnsTopicName: 'topic' }, 'InsufficientSnsTopicPolicyException'],
    [{ SnsTopicName: 'a topic' }, 'InvalidSnsTopicNameException'],
    [{ CloudWatchLogsLogGroupArn: 'arn:x' }, 'InvalidCloudWatchLogsLogGroupArnException'],
    [{ KmsKeyId: 'alias/none' }, 'KmsKeyNotFoundException'],
    [{ KmsKeyId: '12345678-1234-1234-1234-123456789012' }, 'KmsKeyNotFoundException'],
    [{ KmsKeyId: 'no key at all' }, 'InvalidKmsKeyIdException'],
    [{ KmsKeyId: 'arn:aws:s3:::logs' }, 'InvalidKmsKeyIdException'],
    [
      {
        TagsList: [
          { Key: 'a', Value: '1' },
          { Key: 'a', Value: '2' },
        ],
      },
      'InvalidTagParameterException',
    ],
  ])('refuses %j with %s', async (input, code) => {
    await using fixture = await openTrailsFixture();
    fixture.buckets.refused.add('not-ours');
    expect(await fixture.faultOf('CreateTrail', { ...main, ...input })).toBe(code);
    expect((await fixture.call('ListTrails'))['Trails']).toEqual([]);
  });

  it.each([
    ['no policy', undefined],
    ['a policy for another account', bucketPolicy('logs', '111111111111')],
    [
      'a policy for another trail',
      bucketPolicy('logs', '000000000000').replaceAll(
        '"StringEquals":{',
        '"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:eu-central-1:000000000000:trail/other",',
      ),
    ],
    [
      'a policy without GetBucketAcl',
      bucketPolicy('logs', '000000000000').replace('GetBucketAcl', 'GetBucketTagging'),
    ],
  ])('refuses a bucket with %s', async (_, policy) => {
    await using fixture = await openTrailsFixture();
    fixture.buckets.addBucket('logs', { policy });
    expect(await fixture.faultOf('CreateTrail', main)).toBe('InsufficientS3BucketPolicyException');
  });

  it('takes five trails a region, shadows among them, and each name once', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.call('CreateTrail', { ...main, IsMultiRegionTrail: true });
    expect(await fixture.faultOf('CreateTrail', main)).toBe('TrailAlreadyExistsException');
    expect(await fixture.faultOf('CreateTrail', main, paris)).toBe('TrailAlreadyExistsException');
    for (const Name of ['two', 'three', 'four', 'five']) {
      await fixture.call('CreateTrail', { ...main, Name }, paris);
    }
    expect(await fixture.faultOf('CreateTrail', { ...main, Name: 'six' }, paris)).toBe(
      'MaximumNumberOfTrailsExceededException',
    );
    await fixture.call('CreateTrail', { ...main, Name: 'six' });
    expect(await fixture.faultOf('CreateTrail', { ...main, Name: 'seven', IsMultiRegionTrail: true })).toBe(
      'MaximumNumberOfTrailsExceededException',
    );
  });

  it('asks KMS for the key, in the region of the bucket, and whether it may be used', async () => {
    const keyArn = 'arn:aws:kms:eu-central-1:000000000000:key/1';
    let refusal: AwsFault | undefined;
    const keys = {
      keyArn: ({ keyId }: { keyId: string }) =>
        keyId === 'alias/logs'
          ? Promise.resolve(keyArn)
          : Promise.reject(new AwsFault('NotFoundException', `no ${keyId}`)),
      generate: () => (refusal ? Promise.reject(refusal) : Promise.resolve()),
    };
    await using fixture = await openTrailsFixture({ keys });
    const withKey = { ...main, KmsKeyId: 'alias/logs' };
    expect(await fixture.faultOf('CreateTrail', { ...main, KmsKeyId: 'alias/other' })).toBe(
      'KmsKeyNotFoundException',
    );
    fixture.buckets.addBucket('far', { region: 'us-east-1' });
    expect(await fixture.faultOf('CreateTrail', { ...withKey, S3BucketName: 'far' })).toBe(
      'KmsKeyNotFoundException',
    );
    refusal = new AwsFault('AccessDenied', 'no');
    expect(await fixture.faultOf('CreateTrail', withKey)).toBe('InsufficientEncryptionPolicyException');
    refusal = undefined;
    expect(await fixture.call('CreateTrail', withKey)).toMatchObject({ KmsKeyId: keyArn });
    expect(await fixture.call('UpdateTrail', { Name: 'main', KmsKeyId: '' })).not.toHaveProperty('KmsKeyId');
  });
});

describe('a trail in other regions', () => {
  it('shows a shadow of a trail for all regions, which cannot be changed there', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.call('CreateTrail', { ...main, IsMultiRegionTrail: true });
    await fixture.call('CreateTrail', { ...main, Name: 'local' });
    const names = async (input: Record<string, unknown>) => {
      const { trailList } = await fixture.call('DescribeTrails', input, paris);
      return (trailList as { Name: string }[]).map(({ Name }) => Name);
    };
    expect(await names({})).toEqual(['main']);
    expect(await names({ includeShadowTrails: false })).toEqual([]);
    expect(await names({ trailNameList: ['main', mainArn] })).toEqual(['main']);
    expect((await fixture.call('ListTrails', {}, paris))['Trails']).toHaveLength(2);
    expect(await fixture.call('GetTrail', { Name: mainArn }, paris)).toMatchObject({
      Trail: { HomeRegion: 'eu-central-1', HasCustomEventSelectors: false },
    });
    expect(await fixture.faultOf('GetTrailStatus', { Name: 'main' }, paris)).toBe('TrailNotFoundException');
    expect(await fixture.call('GetTrailStatus', { Name: mainArn }, paris)).toMatchObject({
      IsLogging: false,
    });
    for (const operation of ['StartLogging', 'StopLogging', 'UpdateTrail', 'DeleteTrail']) {
      for (const Name of ['main', mainArn]) {
        expect(await fixture.faultOf(operation, { Name }, paris)).toBe('InvalidHomeRegionException');
      }
    }
    expect(await fixture.faultOf('StartLogging', { Name: 'local' }, paris)).toBe('TrailNotFoundException');
    expect(await fixture.faultOf('GetTrail', { Name: 'arn:aws:cloudtrail:eu-central-1:1:trail/main' })).toBe(
      'CloudTrailARNInvalidException',
    );
    expect(await fixture.faultOf('GetTrail', { Name: mainArn.replace('000000000000', '111111111111') })).toBe(
      'TrailNotFoundException',
    );
  });
});

describe('UpdateTrail', () => {
  it('changes what is given and keeps the rest', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.startTrail({ TagsList: [{ Key: 'team', Value: 'audit' }] });
    fixture.buckets.addBucket('more', { policy: bucketPolicy('more', '000000000000', { prefix: 'p' }) });
    expect(await fixture.faultOf('UpdateTrail', { Name: 'main', S3BucketName: 'more' })).toBe(
      'InsufficientS3BucketPolicyException',
    );
    const input = { Name: 'main', S3BucketName: 'more', S3KeyPrefix: 'p', EnableLogFileValidation: true };
    expect(await fixture.call('UpdateTrail', input)).toMatchObject({
      S3BucketName: 'more',
      S3KeyPrefix: 'p',
      LogFileValidationEnabled: true,
      IncludeGlobalServiceEvents: true,
    });
    expect(await fixture.call('GetTrailStatus', { Name: 'main' })).toMatchObject({
      IsLogging: true,
      TimeLoggingStarted: '2026-11-22T10:00:00Z',
    });
    expect(await fixture.call('ListTags', { ResourceIdList: [mainArn] })).toEqual({
      ResourceTagList: [{ ResourceId: mainArn, TagsList: [{ Key: 'team', Value: 'audit' }] }],
    });
  });

  it('keeps a name from standing twice when a trail becomes one for all regions', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.call('CreateTrail', main);
    await fixture.call('CreateTrail', main, paris);
    expect(await fixture.faultOf('UpdateTrail', { Name: 'main', IsMultiRegionTrail: true })).toBe(
      'TrailAlreadyExistsException',
    );
  });
});

describe('selectors of a trail', () => {
  it('are those of all management events until others are put, and one kind takes the place of the other', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.call('CreateTrail', main);
    const standard = {
      ReadWriteType: 'All',
      IncludeManagementEvents: true,
      DataResources: [],
      ExcludeManagementEventSources: [],
    };
    expect(await fixture.call('GetEventSelectors', { TrailName: 'main' })).toEqual({
      TrailARN: mainArn,
      EventSelectors: [standard],
    });
    const basic = {
      ReadWriteType: 'WriteOnly',
      DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }],
    };
    await fixture.call('PutEventSelectors', { TrailName: mainArn, EventSelectors: [basic] });
    expect(await fixture.call('GetEventSelectors', { TrailName: 'main' })).toEqual({
      TrailARN: mainArn,
      EventSelectors: [{ ...standard, ...basic }],
    });
    const AdvancedEventSelectors = [
      { Name: 'all', FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] },
    ];
    await fixture.call('PutEventSelectors', { TrailName: 'main', AdvancedEventSelectors });
    expect(await fixture.call('GetEventSelectors', { TrailName: mainArn }, paris)).toEqual({
      TrailARN: mainArn,
      AdvancedEventSelectors,
    });
    expect(await fixture.call('GetTrail', { Name: 'main' })).toMatchObject({
      Trail: { HasCustomEventSelectors: true },
    });
    expect(
      await fixture.faultOf('PutEventSelectors', {
        TrailName: 'main',
        AdvancedEventSelectors,
        EventSelectors: [basic],
      }),
    ).toBe('InvalidEventSelectorsException');
    expect(await fixture.faultOf('PutEventSelectors', { TrailName: 'main' })).toBe(
      'InvalidEventSelectorsException',
    );
  });
});

const policyOf = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const accounts = (count: number) => Array.from({ length: count }, (_, at) => String(200_000_000_000 + at));

describe('tags', () => {
  it('are added, replaced and removed, within CloudTrail’s limits', async () => {
    await using fixture = await openTrailsFixture();
    await fixture.call('CreateTrail', main);
    const tags = async () => {
      const { ResourceTagList } = await fixture.call('ListTags', { ResourceIdList: [mainArn] });
      return (ResourceTagList as { TagsList: unknown }[])[0]?.TagsList;
    };
    await fixture.call(
      'AddTags',
      add([
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ]),
    );
    await fixture.call('AddTags', add([{ Key: 'a', Value: '3' }]));
    expect(await tags()).toEqual([
      { Key: 'a', Value: '3' },
      { Key: 'b', Value: '2' },
    ]);
    await fixture.call('RemoveTags', add([{ Key: 'a' }]));
    expect(await tags()).toEqual([{ Key: 'b', Value: '2' }]);
    const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: 'v' }));
    expect(await fixture.faultOf('AddTags', add(many))).toBe('TagsLimitExceededException');
    expect(await fixture.faultOf('AddTags', add([{ Key: 'aws:x', Value: '1' }]))).toBe(
      'InvalidTagParameterException',
    );
  });

  it('and resource policies know other kinds of resources where there are any', async () => {
    const storeArn = 'arn:aws:cloudtrail:eu-central-1:000000000000:eventdatastore/1';
    const stored = new Map<string, readonly { Key: string; Value: string }[]>([[storeArn, []]]);
    const eventdatastore = {
      readTags: (_: unknown, arn: string) => Promise.resolve(stored.get(arn)),
      writeTags: (_: unknown, arn: string, tags: readonly object[]) =>
        Promise.resolve(void stored.set(arn, tags as { Key: string; Value: string }[])),
    };
    await using fixture = await openTrailsFixture({ others: { eventdatastore } });
    await fixture.call('AddTags', { ResourceId: storeArn, TagsList: [{ Key: 'a', Value: '1' }] });
    expect(stored.get(storeArn)).toEqual([{ Key: 'a', Value: '1' }]);
    const other = storeArn.replace(/1$/, '2');
    expect(await fixture.faultOf('AddTags', { ResourceId: other, TagsList: [] })).toBe(
      'EventDataStoreNotFoundException',
    );
    const channel = storeArn.replace('eventdatastore', 'channel');
    expect(await fixture.faultOf('ListTags', { ResourceIdList: [channel] })).toBe('ChannelNotFoundException');

    const ResourcePolicy = bucketPolicy('logs', '000000000000');
    expect(await fixture.faultOf('GetResourcePolicy', { ResourceArn: storeArn })).toBe(
      'ResourcePolicyNotFoundException',
    );
    await fixture.call('PutResourcePolicy', { ResourceArn: storeArn, ResourcePolicy });
    expect(await fixture.call('GetResourcePolicy', { ResourceArn: storeArn })).toEqual({
      ResourceArn: storeArn,
      ResourcePolicy,
    });
    await fixture.call('DeleteResourcePolicy', { ResourceArn: storeArn });
    expect(await fixture.faultOf('DeleteResourcePolicy', { ResourceArn: storeArn })).toBe(
      'ResourcePolicyNotFoundException',
    );
    const put = (ResourceArn: string, policy = ResourcePolicy) =>
      fixture.faultOf('PutResourcePolicy', { ResourceArn, ResourcePolicy: policy });
    expect(await put(storeArn, '{"Version":"2012-10-17"}')).toBe('ResourcePolicyNotValidException');
    expect(await put(other)).toBe('ResourceNotFoundException');
    expect(await put(mainArn)).toBe('ResourceTypeNotSupportedException');
    expect(await put('arn:aws:s3:::logs')).toBe('ResourceARNNotValidException');
  });

  it('take of channels the policy alone that lets others put events', async () => {
    const ResourceArn = 'arn:aws:cloudtrail:eu-central-1:000000000000:channel/1';
    const channel = {
      readTags: (_: unknown, arn: string) => Promise.resolve(arn === ResourceArn ? [] : undefined),
      writeTags: () => Promise.resolve(),
    };
    await using fixture = await openTrailsFixture({ others: { channel } });
    const allow = {
      Effect: 'Allow',
      Principal: { AWS: ['111111111111'] },
      Action: 'cloudtrail-data:PutAuditEvents',
      Resource: ResourceArn,
    };
    const put = (ResourcePolicy: string) =>
      fixture.faultOf('PutResourcePolicy', { ResourceArn, ResourcePolicy });
    await fixture.call('PutResourcePolicy', { ResourceArn, ResourcePolicy: policyOf(allow) });
    await fixture.call('PutResourcePolicy', {
      ResourceArn,
      ResourcePolicy: policyOf({ ...allow, Principal: { AWS: accounts(50) } }),
    });
    for (const wrong of [
      policyOf({ ...allow, Action: 'cloudtrail:StartQuery' }),
      policyOf({ ...allow, Action: ['cloudtrail-data:PutAuditEvents', 'cloudtrail-data:*'] }),
      policyOf({ ...allow, Principal: { AWS: accounts(51) } }),
      policyOf(...Array.from({ length: 21 }, () => allow)),
    ])
      expect(await put(wrong)).toBe('ResourcePolicyNotValidException');
  });
});
