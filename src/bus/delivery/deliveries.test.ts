import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDeliveryFixture, type DeliveryFixture } from '../../../test/bus-delivery-fixture.ts';
import { answer, openHttpReceiver, type HttpReceiver } from '../../../test/http-receiver.ts';
import { DiskFullError, limits } from '../../kernel/index.ts';

let fixture: DeliveryFixture;
let receiver: HttpReceiver;
let role: string;

beforeEach(async () => {
  receiver = await openHttpReceiver();
  fixture = await openDeliveryFixture();
  role = await fixture.role('invoke');
});
afterEach(async () => {
  await fixture[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const idsReceived = () => receiver.requests.map(({ body }) => (JSON.parse(body) as { id: string }).id);

async function target(over: Record<string, unknown> = {}, name = 'hook') {
  const Arn = await fixture.destination(name, `http://${receiver.host}/${name}`);
  return { Id: name, Arn, RoleArn: role, ...over };
}

/** Lets what is under way go on; with `ticking`, time as well, as the invocation rate wants between two events. */
async function until(condition: () => boolean, ticking = false): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 2_000) throw new Error('it did not come to that');
    if (ticking) await fixture.identity.clock.advance(1);
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
  }
}
const report = () => fixture.bus.report();

describe('deliveries', () => {
  it('reach the target of a rule that matches, once', async () => {
    await fixture.rule('mine', { source: ['my.app'] }, [await target()]);
    const id = await fixture.put({ detail: { a: 1 } });
    await fixture.put({ source: 'other' });
    await until(() => report().delivered === 1);
    expect(idsReceived()).toEqual([id]);
    expect(receiver.requests[0]).toMatchObject({ method: 'POST', url: '/hook' });
    expect(report()).toEqual({ delivered: 1, failedAttempts: 0, givenUp: 0, waiting: 0 });
  });

  it('are tried again after a failure, with a longer pause each time', async () => {
    await fixture.rule('mine', { source: ['my.app'] }, [await target()]);
    receiver.respond = answer(503);
    const id = await fixture.put({});
    for (const [attempt, mostMs] of [1_000, 2_000, 4_000].entries()) {
      await until(() => report().failedAttempts === attempt + 1);
      expect(report().waiting).toBe(1);
      await fixture.identity.clock.advance(mostMs / 2 - 1);
      expect(receiver.requests).toHaveLength(attempt + 1);
      await fixture.identity.clock.advance(mostMs / 2 + 1);
    }
    await until(() => report().failedAttempts === 4);
    receiver.respond = answer(200);
    await fixture.identity.clock.advance(8_000);
    await until(() => report().delivered === 1);
    expect(idsReceived()).toEqual([id, id, id, id, id]);
    expect(report()).toMatchObject({ givenUp: 0, waiting: 0 });
  });

  it('are given up when the retries are used up', async () => {
    const RetryPolicy = { MaximumRetryAttempts: 1 };
    await fixture.rule('mine', { source: ['my.app'] }, [await target({ RetryPolicy })]);
    receiver.respond = answer(500);
    await fixture.put({});
    await until(() => report().failedAttempts === 1);
    await fixture.identity.clock.advance(1_000);
    await until(() => report().givenUp === 1);
    expect(report()).toEqual({ delivered: 0, failedAttempts: 2, givenUp: 1, waiting: 0 });
    await fixture.identity.clock.advance(3_600_000);
    expect(receiver.requests).toHaveLength(2);
  });

  it('are given up when the event is too old for another attempt', async () => {
    const RetryPolicy = { MaximumEventAgeInSeconds: 60 };
    await fixture.rule('mine', { source: ['my.app'] }, [await target({ RetryPolicy })]);
    receiver.respond = answer(500);
    await fixture.put({});
    for (let second = 0; second < 61; second++) {
      await fixture.identity.clock.advance(1_000);
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
    await until(() => report().givenUp === 1);
    expect(report().waiting).toBe(0);
    // 1, 2, 4 … seconds with jitter: five to seven attempts fit in a minute.
    expect(receiver.requests.length).toBeGreaterThanOrEqual(5);
    expect(receiver.requests.length).toBeLessThanOrEqual(7);
  });

  it('that failed are repeated after a restart, and those that were made are not', async () => {
    await fixture.rule('mine', { source: ['my.app'] }, [await target()]);
    receiver.respond = ({ body }, response) =>
      void response.writeHead(body.includes('bad') ? 500 : 200).end();
    const bad = await fixture.put({ detail: { bad: true } });
    await fixture.put({});
    await fixture.put({});
    await until(() => report().delivered === 2 && report().failedAttempts === 1, true);
    await fixture.restart();
    receiver.requests.length = 0;
    await until(() => report().waiting === 1);
    expect(receiver.requests).toEqual([]);
    await fixture.identity.clock.advance(1_000);
    await receiver.received(1);
    expect(idsReceived()).toEqual([bad]);
    await until(() => report().failedAttempts === 1);
    receiver.respond = answer(200);
    await fixture.identity.clock.advance(2_000);
    await until(() => report().waiting === 0);
    await fixture.restart();
    await fixture.bus.settle();
    expect(report().waiting).toBe(0);
    expect(receiver.requests).toHaveLength(2);
  });

  it.each([
    ['torn', '{"version":1,"rou'],
    ['of another version', '{"version":2} 00000000\n'],
    ['empty', ''],
  ])('are all repeated rather than lost where the progress file is %s', async (_, content) => {
    await fixture.rule('mine', { source: ['my.app'] }, [await target()]);
    receiver.respond = ({ body }, response) =>
      void response.writeHead(body.includes('bad') ? 500 : 200).end();
    const bad = await fixture.put({ detail: { bad: true } });
    const good = await fixture.put({});
    await until(() => report().delivered === 1 && report().failedAttempts === 1, true);
    await fixture.bus[Symbol.asyncDispose]();
    writeFileSync(join(fixture.directory, 'progress.json'), content);
    receiver.requests.length = 0;
    receiver.respond = answer(200);
    await fixture.restart();
    await until(() => report().delivered === 2, true);
    expect(idsReceived().toSorted()).toEqual([bad, good].toSorted());
  });

  it('of a target that is dead hold up no others, and wait in the journal beyond what memory holds', async () => {
    const events = 2 * limits.busHeldPerTarget + 500;
    const fast = { InvocationRateLimitPerSecond: 1_000_000 };
    const dead = await fixture.destination('dead', `http://${receiver.host}/dead`, fast);
    const live = await fixture.destination('live', `http://${receiver.host}/live`, fast);
    const targets = [dead, live].map((Arn, at) => ({ Id: `${at}`, Arn, RoleArn: role }));
    await fixture.rule('mine', { source: ['my.app'] }, targets);
    let isDead = true;
    receiver.respond = ({ url }, response) =>
      url === '/dead' && isDead ? void response.destroy() : void response.writeHead(200).end();
    for (let count = 0; count < events; count++) await fixture.put({ detail: { count } });
    await until(() => report().delivered === events, true);
    expect(report().waiting).toBe(events);
    await fixture.restart();
    await until(() => report().waiting === events, true);
    isDead = false;
    receiver.requests.length = 0;
    // One by one at first, then more and more at once.
    for (let turn = 0; report().waiting > 0; turn++) {
      if (turn > 20_000) throw new Error('it did not come to that');
      await fixture.identity.clock.advance(20);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    const taken = receiver.requests.filter(({ url }) => url === '/dead').map(({ body }) => body);
    const counts = taken.map((body) => (JSON.parse(body) as { detail: { count: number } }).detail.count);
    expect(new Set(counts).size).toBe(events);
    expect(counts).toHaveLength(events);
    expect(receiver.requests.filter(({ url }) => url === '/live')).toEqual([]);
  }, 60_000);

  it('are kept up by a full disk, and go on when there is room', async () => {
    let fullFor = 2;
    await using own = await openDeliveryFixture({
      wrap: (stream) => ({
        ...stream,
        get start() {
          return stream.start;
        },
        get end() {
          return stream.end;
        },
        append: (entries) =>
          fullFor-- > 0 ? Promise.reject(new DiskFullError('the disk is full')) : stream.append(entries),
      }),
    });
    const RoleArn = await own.role('invoke');
    const Arn = await own.destination('hook', `http://${receiver.host}/hook`);
    await own.rule('mine', { source: ['my.app'] }, [{ Id: 'hook', Arn, RoleArn }]);
    const ids = [await own.put({}), await own.put({})];
    for (let turn = 0; own.bus.report().delivered < 2; turn++) {
      if (turn > 2_000) throw new Error('it did not come to that');
      await own.identity.clock.advance(10);
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
    }
    expect(idsReceived()).toEqual(ids);
  });

  it('are made although their progress cannot be written, which is tried again', async () => {
    await fixture.rule('mine', { source: ['my.app'] }, [await target()]);
    rmSync(fixture.directory, { recursive: true });
    await fixture.put({});
    await until(() => report().delivered === 1);
    await fixture.identity.clock.advance(2_000);
    await fixture.put({});
    await until(() => report().delivered === 2, true);
    mkdirSync(fixture.directory);
    const file = join(fixture.directory, 'progress.json');
    await fixture.bus.settle();
    // Of what is settled nothing is left to say but how far that is.
    expect(readFileSync(file, 'utf8')).toContain('"read":2,"waiting":[],"passedOver":[]');
  });
});
