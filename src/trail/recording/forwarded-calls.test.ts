import { expect, it } from 'vitest';
import { otherAccount, openTrailFixture } from '../../../test/trail-fixture.ts';
import { AwsFault } from '../../kernel/index.ts';
import type { ForwardedCall } from '../../wire/index.ts';

const invokedBy = 'fas.s3.amazonaws.com';
const forwarded: ForwardedCall = {
  eventSource: 'kms.amazonaws.com',
  eventName: 'Decrypt',
  region: 'eu-central-1',
  invokedBy,
  requestParameters: { encryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
  resources: [{ accountId: otherAccount, ARN: 'arn:aws:kms:eu-central-1:111111111111:key/k' }],
};
const records = (fixture: { records(): Promise<readonly unknown[]> }) =>
  fixture.records() as Promise<readonly Record<string, unknown>[]>;

it('what a service does for its caller is recorded for the caller and for the owner of what was used', async () => {
  await using fixture = await openTrailFixture();
  await fixture.perform({
    access: 'write',
    forwardedCalls: () => [forwarded],
    handle: () => Promise.resolve({}),
  });
  const [own, used, seen, ...more] = await records(fixture);
  expect(more).toEqual([]);
  expect(own?.['userIdentity']).not.toHaveProperty('invokedBy');
  expect(used).toMatchObject({
    eventName: 'Decrypt',
    userIdentity: { type: 'Root', invokedBy },
    sourceIPAddress: invokedBy,
    readOnly: true,
    recipientAccountId: own?.['recipientAccountId'],
  });
  // "CloudTrail userIdentity element": of another account's principal, the account alone.
  expect(seen).toMatchObject({
    userIdentity: { type: 'AWSAccount', invokedBy },
    recipientAccountId: otherAccount,
  });
  expect(seen?.['sharedEventID']).toBe(used?.['sharedEventID']);
  expect(new Set([own, used, seen].map((one) => one?.['eventID'])).size).toBe(3);
});

it('is recorded with a call that failed, for the caller alone', async () => {
  await using fixture = await openTrailFixture();
  const error = { code: 'DisabledException', message: 'the key is disabled' };
  const failing = fixture.perform({
    access: 'read',
    forwardedCalls: () => [{ ...forwarded, error }],
    handle: () => Promise.reject(new AwsFault('KMS.DisabledException', 'the key is disabled')),
  });
  await expect(failing).rejects.toMatchObject({ code: 'KMS.DisabledException' });
  // "cross-account requests … rejected … are logged only in the caller's account".
  const names = (await records(fixture)).map((one) => one['errorCode']);
  expect(names).toEqual(['KMS.DisabledException', 'DisabledException']);
});
