import { expect, it } from 'vitest';
import { openTrailFixture } from '../../../test/trail-fixture.ts';

it('a denied call shows parameters and resources where the service’s records do', async () => {
  await using fixture = await openTrailFixture();
  fixture.denied.add('s3:GetObject');
  const answer = fixture.perform(
    {
      access: 'read',
      needs: () => [{ action: 's3:GetObject', resource: 'arn:aws:s3:::b/k' }],
      shownWhenDenied: true,
      resources: () => [{ ARN: 'arn:aws:s3:::b/k', type: 'AWS::S3::Object' }],
      recorded: (input: { name: string }, output) => ({
        requestParameters: { key: input.name },
        responseElements: output === undefined ? null : { output },
      }),
      handle: () => Promise.resolve({ id: 'never' }),
    },
    { input: { name: 'k' } },
  );
  await expect(answer).rejects.toMatchObject({ code: 'AccessDenied' });
  expect(await fixture.records()).toMatchObject([
    {
      errorCode: 'AccessDenied',
      requestParameters: { key: 'k' },
      responseElements: null,
      resources: [{ ARN: 'arn:aws:s3:::b/k', type: 'AWS::S3::Object' }],
    },
  ]);
});
