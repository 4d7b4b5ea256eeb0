import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  callBy,
  managementAccount,
  openTrailFixture,
  otherAccount,
  rootOf,
  startMs,
  type TrailFixture,
} from '../../test/trail-fixture.ts';

const dayMs = 86_400_000;

async function addAged(fixture: TrailFixture, recipientAccountId: string, ...days: number[]): Promise<void> {
  await fixture.stream.append(
    days.map((age) => ({
      kind: 'imported' as const,
      payload: Buffer.from(
        JSON.stringify({
          eventID: `${recipientAccountId}-${age}`,
          eventName: 'Aged',
          eventTime: new Date(startMs - age * dayMs).toISOString(),
          awsRegion: 'r',
          recipientAccountId,
        }),
      ),
    })),
  );
  await fixture.trail.settle();
}

async function ages(fixture: TrailFixture): Promise<readonly string[]> {
  const page = await fixture.history.search(
    { attributes: [{ name: 'EventName', values: ['Aged'] }] },
    { limit: 100 },
  );
  return page.events.map(({ eventId }) => eventId.replace(/^0+|^1+/, ''));
}

function set(fixture: TrailFixture, body: unknown, account = managementAccount) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return fixture.route('POST', '/_cairn/retention', { body: bytes, call: callBy(rootOf(account)) });
}

async function get(fixture: TrailFixture): Promise<unknown> {
  return JSON.parse((await bodyOf(await fixture.route('GET', '/_cairn/retention'))).toString());
}

describe('retention', () => {
  it('is set per account, applies at once, and is recorded with its change', async () => {
    await using fixture = await openTrailFixture();
    await addAged(fixture, managementAccount, 10, 40);
    await addAged(fixture, otherAccount, 11, 41);
    expect(await ages(fixture)).toEqual(['-10', '-11', '-40', '-41']);
    await set(fixture, { accountId: otherAccount, days: 30 });
    await fixture.trail.settle();
    expect(await ages(fixture)).toEqual(['-10', '-11', '-40']);
    expect(await get(fixture)).toEqual({
      defaultDays: null,
      accounts: [{ accountId: otherAccount, days: 30 }],
    });
    expect((await fixture.records()).at(-2)).toMatchObject({
      eventName: 'SetRetention',
      responseElements: { accountId: otherAccount, days: 30 },
    });
  });

  it('has a default for accounts without a setting, also for those seen later', async () => {
    await using fixture = await openTrailFixture({ retentionDays: 30 });
    await set(fixture, { accountId: managementAccount, days: null });
    await addAged(fixture, managementAccount, 40);
    await addAged(fixture, otherAccount, 11, 41);
    await fixture.clock.advance(3_600_000);
    for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(await ages(fixture)).toEqual(['-11', '-40']);
    expect(await get(fixture)).toEqual({
      defaultDays: 30,
      accounts: [{ accountId: managementAccount, days: null }],
    });
  });

  it('moves on with the clock', async () => {
    await using fixture = await openTrailFixture();
    await set(fixture, { accountId: otherAccount, days: 30 });
    await addAged(fixture, otherAccount, 29);
    expect(await ages(fixture)).toEqual(['-29']);
    await fixture.clock.advance(2 * dayMs);
    expect(await ages(fixture)).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['no JSON', 'x'],
    ['no account', { days: 1 }],
    ['no account id', { accountId: '12', days: 1 }],
    ['no days', { accountId: otherAccount }],
    ['days of 0', { accountId: otherAccount, days: 0 }],
    ['days of 1.5', { accountId: otherAccount, days: 1.5 }],
    ['days as text', { accountId: otherAccount, days: '30' }],
    ['a member that is not known', { accountId: otherAccount, days: 1, unit: 'weeks' }],
  ])('refuses %s', async (_name, body) => {
    await using fixture = await openTrailFixture();
    await expect(set(fixture, body)).rejects.toMatchObject({ code: 'ValidationException' });
    expect(await fixture.state.list('trail/retention/')).toEqual([]);
  });

  it('is for principals of the management account', async () => {
    await using fixture = await openTrailFixture();
    await expect(set(fixture, { accountId: otherAccount, days: 1 }, otherAccount)).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    const call = callBy(rootOf(otherAccount));
    await expect(fixture.route('GET', '/_cairn/retention', { call })).rejects.toMatchObject({
      code: 'AccessDenied',
    });
  });
});
