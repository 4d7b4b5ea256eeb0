import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDeliveryFixture, type DeliveryFixture } from '../../../test/bus-delivery-fixture.ts';
import { openHttpReceiver, type HttpReceiver } from '../../../test/http-receiver.ts';
import { DiskFullError, sequence } from '../../kernel/index.ts';
import type { Stream } from '../../journal/index.ts';
import { decodeDelivery } from '../delivery/delivery-entry.ts';

/** An event whose deliveries are more than memory should hold at once: there may be 1,500 of them, a megabyte each. */

const mebibyte = 1024 * 1024;
const rules = 3;
const targetsPerRule = 5;

let receiver: HttpReceiver;
let fixture: DeliveryFixture;
let appendedBytes: number[];
/** Appends before the one that fails; none does where it is not set. */
let failAt: number | undefined;

/** The stream, which notes how much is appended at once. */
const noting = (stream: Stream): Stream => ({
  ...stream,
  get start() {
    return stream.start;
  },
  get end() {
    return stream.end;
  },
  append(entries) {
    if (appendedBytes.length === failAt) {
      failAt = undefined;
      return Promise.reject(new DiskFullError('the disk is full'));
    }
    appendedBytes.push(entries.reduce((sum, { payload }) => sum + payload.length, 0));
    return stream.append(entries);
  },
});

beforeEach(async () => {
  appendedBytes = [];
  failAt = undefined;
  receiver = await openHttpReceiver();
  fixture = await openDeliveryFixture({ wrap: noting });
  const RoleArn = await fixture.role('invoke');
  const Arn = await fixture.destination('hook', `http://${receiver.host}/hook`);
  const targets = Array.from({ length: targetsPerRule }, (_, at) => ({ Id: `${at}`, Arn, RoleArn }));
  for (let rule = 0; rule < rules; rule++)
    await fixture.rule(`rule-${rule}`, { source: ['my.app'] }, targets);
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

/** Rule and target of every delivery in the stream, and whether it is said to be the last of its event. */
async function deliveries(): Promise<readonly (readonly [string, boolean])[]> {
  const found: [string, boolean][] = [];
  for await (const { entries } of fixture.identity.busStream.read(sequence(0)))
    for (const { payload } of entries) {
      const { head } = decodeDelivery(payload);
      found.push([`${head.rule.split('/').at(-1)} ${head.id}`, head.isLast === true]);
    }
  return found;
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 2_000) throw new Error('it did not come to that');
    await fixture.identity.clock.advance(10);
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
}

const all = Array.from({ length: rules * targetsPerRule }, (_, at) => [
  `rule-${Math.floor(at / targetsPerRule)} ${at % targetsPerRule}`,
  at === rules * targetsPerRule - 1,
]);
const isRouted = () => fixture.identity.busStream.end === all.length;

describe('an event for many targets', () => {
  it('becomes durable for some of them after the other', async () => {
    await fixture.put({ detail: { text: 'x'.repeat(mebibyte - 1_000) } });
    await until(isRouted);
    expect(await deliveries()).toEqual(all);
    expect(appendedBytes).toHaveLength(4);
    expect(Math.max(...appendedBytes)).toBeLessThanOrEqual(4 * mebibyte);
  });

  it('is not made durable twice for some of them where the disk fills up in between', async () => {
    failAt = 2;
    await fixture.put({ detail: { text: 'x'.repeat(mebibyte - 1_000) } });
    await fixture.put({ detail: {} });
    await until(() => fixture.identity.busStream.end >= 2 * all.length);
    expect(failAt).toBeUndefined();
    expect(await deliveries()).toEqual([...all, ...all]);
  });
});
