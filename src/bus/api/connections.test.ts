import { expect, it } from 'vitest';
import { openDeliveryFixture } from '../../../test/bus-delivery-fixture.ts';
import { faultOf } from '../../../test/identity-fixture.ts';

it('DeleteConnection answers with the state DELETING, whatever the connection was in', async () => {
  await using bus = await openDeliveryFixture();
  const made = await bus.call('CreateConnection', {
    Name: 'c',
    AuthorizationType: 'BASIC',
    AuthParameters: { BasicAuthParameters: { Username: 'me', Password: 'secret' } },
  });
  const { ConnectionArn, CreationTime } = made as { ConnectionArn: string; CreationTime: Date };
  expect(await bus.call('DeleteConnection', { Name: 'c' })).toEqual({
    ConnectionArn,
    ConnectionState: 'DELETING',
    CreationTime,
    LastModifiedTime: CreationTime,
    LastAuthorizedTime: CreationTime,
  });
  expect(await faultOf(bus.call('DescribeConnection', { Name: 'c' }))).toEqual({
    code: 'ResourceNotFoundException',
    message: "Failed to describe the connection(s). Connection 'c' does not exist.",
  });
});
