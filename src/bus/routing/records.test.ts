import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDeliveryFixture, type DeliveryFixture } from '../../../test/bus-delivery-fixture.ts';
import { openHttpReceiver, type HttpReceiver } from '../../../test/http-receiver.ts';
import { management } from '../../../test/identity-fixture.ts';
import { auditRecord } from '../../../test/trails-fixture.ts';
import type { NewEntry } from '../../journal/index.ts';
import { encodeChange } from '../../state/change-codec.ts';
import { trailKey, type TrailDocument } from '../../trail/trails/trail-documents.ts';

/** "AWS service events delivered via AWS CloudTrail": which records rules get. */

let fixture: DeliveryFixture;
let receiver: HttpReceiver;
beforeEach(async () => {
  receiver = await openHttpReceiver();
  fixture = await openDeliveryFixture();
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const trail: TrailDocument = {
  name: 'main',
  arn: `arn:aws:cloudtrail:eu-central-1:${management}:trail/main`,
  accountId: management,
  homeRegion: 'eu-central-1',
  bucket: 'logs',
  includeGlobalServiceEvents: true,
  isMultiRegion: false,
  logFileValidation: false,
  isLogging: true,
  createdAt: 0,
};
const key = trailKey(management, 'eu-central-1', 'main');
const putTrail = (over: Partial<TrailDocument>): NewEntry => ({
  kind: 'change',
  payload: encodeChange(new Map([[key, JSON.stringify({ ...trail, ...over })]]), []),
});
const record = (id: string, over: Record<string, unknown> = {}): NewEntry => ({
  kind: 'record',
  payload: auditRecord(id, over),
});
const append = (...entries: NewEntry[]) => fixture.identity.stream.append(entries);

async function rule(
  name: string,
  pattern: object,
  state: 'ENABLED' | 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS',
) {
  const Arn = await fixture.destination(name, `http://${receiver.host}/${name}`);
  const RoleArn = await fixture.role(name);
  await fixture.rule(name, pattern, [{ Id: '1', Arn, RoleArn }], { state });
}

/** The eventIDs that came on a path, once everything is routed and as many were delivered. */
async function told(path: string, deliveries: number): Promise<readonly string[]> {
  await fixture.bus.settle();
  for (let turn = 0; fixture.bus.report().delivered < deliveries; turn++) {
    if (turn > 2000) throw new Error(`only ${fixture.bus.report().delivered} deliveries`);
    await fixture.identity.clock.advance(100);
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
  return receiver.requests
    .filter(({ url }) => url === path)
    .map(({ body }) => (JSON.parse(body) as { detail: { eventID: string } }).detail.eventID)
    .toSorted();
}

describe('records', () => {
  it('go to rules by what they ask for, in the region of the call, while a trail logs', async () => {
    await rule('ec2', { source: ['aws.ec2'] }, 'ENABLED');
    await rule('all', { account: [management] }, 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS');
    await append(record('before'), putTrail({ isMultiRegion: true }));
    await append(
      record('write'),
      record('elsewhere', { awsRegion: 'eu-west-1' }),
      record('read', { eventName: 'DescribeInstances', readOnly: true }),
      record('of others', { recipientAccountId: '111122223333' }),
      record('s3', { eventSource: 's3.amazonaws.com' }),
      { ...record('handed in'), kind: 'ingested' },
      { ...record('imported'), kind: 'imported' },
    );
    expect(await told('/ec2', 4)).toEqual(['write']);
    expect(await told('/all', 4)).toEqual(['read', 's3', 'write']);
  });

  it('are judged by what trails logged at their place, also where routing is begun again', async () => {
    await rule('ec2', { source: ['aws.ec2'] }, 'ENABLED');
    await append(putTrail({}));
    await fixture.bus.settle();
    const { busStream } = fixture.identity as {
      busStream: { append: (entries: NewEntry[]) => Promise<unknown> };
    };
    const { append: appendToBus } = busStream;
    const refused: NewEntry[][] = [];
    busStream.append = (entries) => {
      if (refused.length === 2) return appendToBus(entries);
      refused.push(entries);
      return Promise.reject(new Error('not now'));
    };
    await append(
      record('1 logged'),
      putTrail({ isLogging: false }),
      record('2 the stop'),
      record('3 stopped'),
    );
    for (let turn = 0; refused.length < 2; turn++) {
      if (turn > 2000) throw new Error('it was not tried again');
      await fixture.identity.clock.advance(1_000);
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
    }
    expect(await told('/ec2', 2)).toEqual(['1 logged', '2 the stop']);
  });

  it('are told once the server is there again', async () => {
    await rule('ec2', { source: ['aws.ec2'] }, 'ENABLED');
    await append(putTrail({}));
    await fixture.bus.settle();
    await fixture.bus[Symbol.asyncDispose]();
    await append(record('meanwhile'), putTrail({ isLogging: false }), record('the stop'), record('stopped'));
    await fixture.restart();
    expect(await told('/ec2', 2)).toEqual(['meanwhile', 'the stop']);
  });
});
