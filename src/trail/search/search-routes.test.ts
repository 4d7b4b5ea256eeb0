import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  callBy,
  managementAccount,
  openTrailFixture,
  otherAccount,
  rootOf,
  type TrailFixture,
} from '../../../test/trail-fixture.ts';

let next = 0;

function record(eventID: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  next++;
  return {
    eventID,
    eventName: 'RunInstances',
    eventTime: new Date(Date.UTC(2026, 10, 22, 9, 0, next)).toISOString().replace('.000', ''),
    awsRegion: 'eu-central-1',
    recipientAccountId: otherAccount,
    eventCategory: 'Management',
    ...over,
  };
}

/** Puts records into the journal; they are searchable when it resolves. */
async function add(fixture: TrailFixture, ...records: (Record<string, unknown> | string)[]): Promise<void> {
  await fixture.stream.append(
    records.map((one) => ({
      kind: 'imported' as const,
      payload: Buffer.from(typeof one === 'string' ? one : JSON.stringify(one)),
    })),
  );
  await fixture.trail.settle();
}

async function text(
  fixture: TrailFixture,
  pathAndQuery: string,
  account = managementAccount,
): Promise<string> {
  const answer = await fixture.route('GET', pathAndQuery, { call: callBy(rootOf(account)) });
  return (await bodyOf(answer)).toString();
}

interface Page {
  readonly events: readonly { readonly eventID: string }[];
  readonly next?: string;
}

async function page(fixture: TrailFixture, query: string, account = managementAccount): Promise<Page> {
  return JSON.parse(await text(fixture, `/_cairn/events?${query}`, account)) as Page;
}

async function ids(
  fixture: TrailFixture,
  query: string,
  account = managementAccount,
): Promise<readonly string[]> {
  // Calls of the test itself are recorded too, in the management account and of another name.
  const { events } = await page(fixture, query, account);
  return events.map(({ eventID }) => eventID).filter((eventID) => eventID.length < 5);
}

async function openSample(): Promise<TrailFixture> {
  const fixture = await openTrailFixture();
  await add(
    fixture,
    record('a', {
      sourceIPAddress: '10.1.2.3',
      errorCode: 'AccessDenied',
      readOnly: false,
      requestParameters: { name: 'main' },
    }),
    record('b', { sourceIPAddress: '10.9.9.9', awsRegion: 'us-east-1', readOnly: true }),
    record('c', {
      sourceIPAddress: '192.0.2.1',
      eventName: 'GetObject',
      eventCategory: 'Data',
      readOnly: true,
    }),
    record('d', { sourceIPAddress: '2001:db8::7', recipientAccountId: managementAccount }),
    record('e', {
      sourceIPAddress: 'ec2.amazonaws.com',
      userIdentity: { type: 'IAMUser', userName: 'eve', arn: 'arn:aws:iam::1:user/eve' },
      requestParameters: { note: '100% & more=…' },
    }),
  );
  return fixture;
}

describe('GET /_cairn/events', () => {
  it.each<[string, readonly string[]]>([
    ['', ['e', 'd', 'c', 'b', 'a']],
    ['eventName=GetObject', ['c']],
    ['eventName=GetObject&eventName=RunInstances&region=us-east-1', ['b']],
    ['not.eventName=RunInstances&category=Data', ['c']],
    ['not.region=us-east-1&not.eventCategory=Data', ['e', 'd', 'a']],
    ['errorCode=AccessDenied', ['a']],
    ['readOnly=true', ['c', 'b']],
    ['username=eve', ['e']],
    ['principalArn=arn:aws:iam::1:user/eve', ['e']],
    ['sourceIp=10.1.2.3', ['a']],
    ['sourceIp=10.1.2.3&sourceIp=192.0.2.1', ['c', 'a']],
    ['sourceIp=10.0.0.0/8', ['b', 'a']],
    ['sourceIp=2001:db8::/32', ['d']],
    ['sourceIp=2001:DB8:0:0::7', ['d']],
    ['not.sourceIp=2001:DB8:0:0::7&not.sourceIp=ec2.amazonaws.com', ['c', 'b', 'a']],
    ['sourceIp=::ffff:10.1.2.3', ['a']],
    ['sourceIpAddress=10.0.0.0/8', ['b', 'a']],
    ['not.sourceIpAddress=10.1.2.3&sourceIp=10.0.0.0/8', ['b']],
    ['region=us-gov-west-1', []],
    ['region=unknown', []],
    ['accountId=999999999999', []],
    ['sourceIp=ec2.amazonaws.com', ['e']],
    ['not.sourceIp=10.1.2.3', ['e', 'd', 'c', 'b']],
    ['account=000000000000', ['d']],
    [`accountId=${otherAccount}&limit=2`, ['e', 'c']],
    [`text=${encodeURIComponent('100% & more=…')}`, ['e']],
    ['eventId=a&eventId=c', ['c', 'a']],
  ])('finds by %s', async (query, expected) => {
    await using fixture = await openSample();
    expect(await ids(fixture, query)).toEqual(expected);
  });

  it('takes times in ISO 8601, epoch seconds and epoch milliseconds, both ends included', async () => {
    await using fixture = await openTrailFixture();
    await add(
      fixture,
      ...[0, 1, 2, 3].map((second) => record(`s${second}`, { eventTime: `2026-11-20T12:00:0${second}Z` })),
    );
    const epoch = Date.UTC(2026, 10, 20, 12, 0, 1);
    expect(await ids(fixture, 'from=2026-11-20T12:00:01Z&to=2026-11-20T12:00:02Z')).toEqual(['s2', 's1']);
    expect(await ids(fixture, 'from=2026-11-20T13:00:03%2B01:00&to=2026-11-21')).toEqual(['s3']);
    expect(await ids(fixture, `to=${epoch / 1000}`)).toEqual(['s1', 's0']);
    expect(await ids(fixture, `from=${epoch}&to=${epoch}`)).toEqual(['s1']);
    expect(await ids(fixture, `from=${epoch / 1000}.000&to=2026-11-20T12:00:01.000`)).toEqual(['s1']);
  });

  it('gives pages that go on where the last one ended, and the records byte for byte', async () => {
    await using fixture = await openTrailFixture();
    const raw = `{ "eventID" : "raw", "eventTime":"2026-11-22T09:59:59Z",\n "awsRegion":"eu-central-1","recipientAccountId":"${otherAccount}","n":1.0e0}`;
    await add(fixture, raw, ...Array.from({ length: 9 }, (_, index) => record(`p${index}`)));
    const body = await text(fixture, `/_cairn/events?account=${otherAccount}&limit=4`);
    expect(body).toContain(raw);
    const seen: string[] = [];
    let after = '';
    for (let pages = 0; pages < 3; pages++) {
      const one = await page(fixture, `account=${otherAccount}&limit=4${after}`);
      seen.push(...one.events.map(({ eventID }) => eventID));
      after = `&after=${one.next}`;
      if (one.next === undefined) break;
      await add(fixture, record(`new${pages}`, { eventTime: '2026-11-22T10:00:00Z' }));
    }
    expect(seen).toEqual(['raw', 'p8', 'p7', 'p6', 'p5', 'p4', 'p3', 'p2', 'p1', 'p0']);
  });

  it('shows other accounts their own events alone, in every region', async () => {
    await using fixture = await openSample();
    expect(await ids(fixture, '', otherAccount)).toEqual(['e', 'c', 'b', 'a']);
    expect(await ids(fixture, `accountId=${otherAccount}&region=us-east-1`, otherAccount)).toEqual(['b']);
    expect(await ids(fixture, `not.accountId=${otherAccount}`, otherAccount)).toEqual([]);
    await expect(ids(fixture, `accountId=${managementAccount}`, otherAccount)).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    const counted = await text(fixture, '/_cairn/events/count?by=accountId', otherAccount);
    expect(
      (JSON.parse(counted) as { rows: { values: unknown[] }[] }).rows.map(({ values }) => values),
    ).toEqual([[otherAccount]]);
    for (const format of ['json', 'ndjson', 'csv']) {
      expect(await text(fixture, `/_cairn/events?format=${format}`, otherAccount)).not.toContain(
        '2001:db8::7',
      );
    }
  });

  it.each<[string, RegExp]>([
    ['eventname=x', /"eventname" is not known/],
    ['not.nothing=x', /"not.nothing" is not known/],
    ['by=eventName', /"by" is not known/],
    ['eventName=', /eventName has an empty value/],
    ['readOnly=yes', /readOnly takes true or false/],
    ['not.readOnly=1', /not.readOnly takes true or false/],
    ['region=nowhere', /region takes a region name such as eu-central-1, not "nowhere"/],
    ['not.region=EU', /not.region takes a region name/],
    ['accountId=5', /accountId takes twelve digits, not "5"/],
    ['account=root', /account takes twelve digits/],
    ['sourceIp=10.0.0.0/8&sourceIpAddress=192.0.2.0/24', /takes a range only alone/],
    ['text=a&text=b', /text is given 2 times/],
    ['from=yesterday', /from takes ISO 8601/],
    ['from=2026-02-30', /from takes ISO 8601/],
    ['to=1&to=2', /to is given 2 times/],
    ['from=2&to=1', /from is after to/],
    ['limit=0', /limit takes a whole number from 1 to 1000/],
    ['limit=1001', /limit takes a whole number from 1 to 1000/],
    ['limit=1e2', /limit takes a whole number/],
    ['format=xml', /format takes json, ndjson, csv/],
    ['format=csv&after=x', /after goes with pages/],
    ['text=', /text has an empty value/],
    ['sourceIp=10.0.0.0/8&sourceIp=10.1.2.3', /sourceIp takes a range only alone/],
    ['not.sourceIp=10.0.0.0/8', /not.sourceIp takes a range only alone/],
    ['sourceIp=ec2/8', /"ec2\/8" is not a CIDR range/],
  ])('refuses %s by name', async (query, message) => {
    await using fixture = await openSample();
    await expect(page(fixture, query)).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringMatching(message) as string,
    });
  });

  it('refuses a range with too many bits and a place that no page gave', async () => {
    await using fixture = await openSample();
    await expect(page(fixture, 'sourceIp=10.0.0.0/33')).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
    await expect(page(fixture, 'after=nonsense')).rejects.toMatchObject({
      code: 'InvalidNextTokenException',
    });
  });
});

describe('downloads', () => {
  it('are a CloudTrail log file, records a line, and CSV', async () => {
    await using fixture = await openSample();
    const query = `/_cairn/events?account=${otherAccount}&format=`;
    const { Records } = JSON.parse(await text(fixture, `${query}json`)) as { Records: { eventID: string }[] };
    expect(Records.map(({ eventID }) => eventID)).toEqual(['e', 'c', 'b', 'a']);
    const lines = (await text(fixture, `${query}ndjson&limit=2`)).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { eventID: string }).eventID)).toEqual(['e', 'c']);
    const rows = (await text(fixture, `${query}csv`)).split('\r\n');
    expect(rows[0]).toMatch(/^eventTime,eventID,eventName,/);
    expect(rows).toHaveLength(6);
    expect(rows[5]).toBe('');
    expect(rows[4]).toMatch(/^2026-11-22T09:\d\d:\d\dZ,a,RunInstances,,111111111111,eu-central-1,/);
  });

  it('of nothing are whole as well', async () => {
    await using fixture = await openTrailFixture();
    const query = '/_cairn/events?eventName=Nothing&format=';
    expect(JSON.parse(await text(fixture, `${query}json`))).toEqual({ Records: [] });
    expect(await text(fixture, `${query}ndjson`)).toBe('');
    expect((await text(fixture, `${query}csv`)).split('\r\n')).toHaveLength(2);
  });

  it('that are imported again are the same events', async () => {
    await using fixture = await openSample();
    const body = Buffer.from(await text(fixture, `/_cairn/events?account=${otherAccount}&format=json`));
    await using other = await openTrailFixture();
    const imported = await other.route('POST', '/_cairn/import', { body });
    expect(JSON.parse((await bodyOf(imported)).toString())).toMatchObject({ events: 4, added: 4, bad: 0 });
  });

  it('of pages and counts that nobody waits for are recorded as given up', async () => {
    await using fixture = await openSample();
    for (const path of ['/_cairn/events', '/_cairn/events/count']) {
      await expect(
        fixture.route('GET', path, { signal: AbortSignal.abort(new Error('gone')) }),
      ).rejects.toMatchObject({
        code: 'RequestAborted',
      });
    }
    expect((await fixture.records()).slice(-2)).toMatchObject([
      { errorCode: 'RequestAborted' },
      { errorCode: 'RequestAborted' },
    ]);
  });

  it('end when the client goes away', async () => {
    await using fixture = await openSample();
    const away = new AbortController();
    const { body } = await fixture.route('GET', '/_cairn/events?format=ndjson', { signal: away.signal });
    away.abort(new Error('gone'));
    await expect(bodyOf({ status: 200, body })).rejects.toThrow('gone');
  });
});

describe('GET /_cairn/events/count', () => {
  it('counts by attributes and time', async () => {
    await using fixture = await openSample();
    const counted = JSON.parse(
      await text(fixture, `/_cairn/events/count?account=${otherAccount}&by=eventName,region&bucket=1h`),
    ) as unknown;
    expect(counted).toEqual({
      by: ['EventName', 'Region'],
      rows: [
        { values: ['RunInstances', 'eu-central-1'], bucket: '2026-11-22T09:00:00.000Z', count: 2 },
        { values: ['GetObject', 'eu-central-1'], bucket: '2026-11-22T09:00:00.000Z', count: 1 },
        { values: ['RunInstances', 'us-east-1'], bucket: '2026-11-22T09:00:00.000Z', count: 1 },
      ],
    });
    const addresses = await text(fixture, `/_cairn/events/count?account=${otherAccount}&by=sourceIp&limit=1`);
    expect(JSON.parse(addresses)).toEqual({
      by: ['SourceIpAddress'],
      rows: [{ values: ['10.1.2.3'], count: 1 }],
    });
    const members = await text(
      fixture,
      `/_cairn/events/count?account=${otherAccount}&by=awsRegion,requestParameters.name`,
    );
    expect(JSON.parse(members)).toEqual({
      by: ['awsRegion', 'requestParameters.name'],
      rows: [
        { values: ['eu-central-1', null], count: 2 },
        { values: ['eu-central-1', 'main'], count: 1 },
        { values: ['us-east-1', null], count: 1 },
      ],
    });
    const total = JSON.parse(await text(fixture, `/_cairn/events/count?account=${otherAccount}`)) as unknown;
    expect(total).toEqual({ by: [], rows: [{ values: [], count: 4 }] });
    const some = JSON.parse(await text(fixture, '/_cairn/events/count?by=region&by=category&limit=1')) as {
      rows: unknown[];
    };
    expect(some.rows).toHaveLength(1);
  });

  it.each<[string, RegExp]>([
    ['by=nothing', /"nothing" is no attribute/],
    ['by=requestparameters.userName', /no member of a record/],
    ['by=requestParameters.', /no member of a record/],
    ['by=region,region', /names an attribute twice/],
    ['by=region,eventName,username,errorCode', /at most three/],
    ['bucket=1', /bucket takes a duration/],
    ['bucket=0h', /bucket takes a duration/],
    ['format=csv', /"format" is not known/],
  ])('refuses %s by name', async (query, message) => {
    await using fixture = await openSample();
    await expect(text(fixture, `/_cairn/events/count?${query}`)).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringMatching(message) as string,
    });
  });
});
