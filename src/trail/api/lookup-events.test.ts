import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LookupEventsRequest } from '@aws-sdk/client-cloudtrail';
import { beforeAll, describe, expect, it } from 'vitest';
import { manualClock, sequence, silentLog } from '../../kernel/index.ts';
import { openReferenceHistory } from '../history/reference-history.ts';
import {
  attributeValues,
  scanLogFile,
  scanRecord,
  type History,
  type ScannedRecord,
} from '../history/index.ts';
import { LookupEvents } from './lookup-events.ts';

const caller = { accountId: '000000000000', region: 'eu-central-1' } as Parameters<typeof LookupEvents>[2];
let next = 0;

function record(over: Record<string, unknown> = {}): Record<string, unknown> {
  next++;
  return {
    eventVersion: '1.11',
    userIdentity: { type: 'IAMUser', userName: 'alice', accessKeyId: 'AKIAALICE' },
    eventTime: new Date(Date.UTC(2026, 10, 22, 10, 0, next)).toISOString().replace('.000', ''),
    eventSource: 'iam.amazonaws.com',
    eventName: 'CreateUser',
    awsRegion: caller.region,
    eventID: `event-${next}`,
    readOnly: false,
    recipientAccountId: caller.accountId,
    eventCategory: 'Management',
    ...over,
  };
}

async function add(history: History, ...records: (Record<string, unknown> | Uint8Array)[]): Promise<void> {
  await history.apply(
    records.map((one) => ({
      kind: 'imported' as const,
      payload: one instanceof Uint8Array ? one : Buffer.from(JSON.stringify(one)),
      sequence: sequence(0),
      time: 0,
      hash: undefined,
    })),
  );
}

function emptyHistory(): History {
  return openReferenceHistory({ clock: manualClock(0), log: silentLog });
}

const names = (answer: { Events?: { EventId?: string | undefined }[] | undefined }) =>
  (answer.Events ?? []).map(({ EventId }) => EventId);

const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 12, 0, second));
const by = (userName: string) => ({ userIdentity: { type: 'IAMUser', userName } });

const page = async (request: LookupEventsRequest, over: Partial<typeof caller> = {}) => {
  const history = emptyHistory();
  await add(history, record(), record(), record());
  return LookupEvents(history, request, { ...caller, ...over });
};

describe('LookupEvents', () => {
  it('answers the newest first with every documented member, and the record byte for byte', async () => {
    const history = emptyHistory();
    const raw = Buffer.from(
      JSON.stringify(
        record({
          eventID: 'whole',
          resources: [{ ARN: 'arn:aws:s3:::b', type: 'AWS::S3::Bucket' }],
          requestParameters: { note: 'ümläut €' },
        }),
        null,
        3,
      ),
    );
    await add(history, record(), raw, record({ eventID: 'last', eventTime: '2026-11-22T11:00:00Z' }));
    const answer = await LookupEvents(history, {}, caller);
    expect(answer.Events?.map(({ EventTime }) => EventTime?.getTime())).toEqual(
      answer.Events?.map(({ EventTime }) => EventTime?.getTime()).toSorted(
        (one, other) => (other ?? 0) - (one ?? 0),
      ),
    );
    expect(answer.Events?.[0]?.EventId).toBe('last');
    expect(answer.Events?.find(({ EventId }) => EventId === 'whole')).toEqual({
      EventId: 'whole',
      EventName: 'CreateUser',
      ReadOnly: 'false',
      AccessKeyId: 'AKIAALICE',
      EventTime: new Date((JSON.parse(raw.toString()) as { eventTime: string }).eventTime),
      EventSource: 'iam.amazonaws.com',
      Username: 'alice',
      Resources: [{ ResourceType: 'AWS::S3::Bucket', ResourceName: 'arn:aws:s3:::b' }],
      CloudTrailEvent: raw.toString(),
    });
    expect(answer).not.toHaveProperty('NextToken');
  });

  it('shows management events of the caller’s account and region alone', async () => {
    const history = emptyHistory();
    await add(
      history,
      record({ eventID: 'mine' }),
      record({ recipientAccountId: '111111111111' }),
      record({ awsRegion: 'us-east-1' }),
      record({ eventCategory: 'Data' }),
      record({ eventCategory: 'ActivityAuditLog' }),
    );
    expect(names(await LookupEvents(history, {}, caller))).toEqual(['mine']);
    expect(await LookupEvents(history, { EventCategory: 'insight' }, caller)).toEqual({ Events: [] });
  });

  it('takes events at both ends of the time range', async () => {
    const history = emptyHistory();
    for (const second of [0, 1, 2, 3]) {
      await add(
        history,
        record({ eventID: `s${second}`, eventTime: at(second).toISOString().replace('.000', '') }),
      );
    }
    expect(names(await LookupEvents(history, { StartTime: at(1), EndTime: at(2) }, caller))).toEqual([
      's2',
      's1',
    ]);
    expect(names(await LookupEvents(history, { StartTime: at(3) }, caller))).toEqual(['s3']);
    expect(names(await LookupEvents(history, { EndTime: at(0) }, caller))).toEqual(['s0']);
    expect(names(await LookupEvents(history, { StartTime: at(2), EndTime: at(2) }, caller))).toEqual(['s2']);
  });

  it('takes several attributes, which must all match', async () => {
    const history = emptyHistory();
    await add(
      history,
      record({ eventID: 'a', ...by('alice') }),
      record({ eventID: 'b', ...by('bob') }),
      record({ eventID: 'c', ...by('bob'), eventName: 'DeleteUser' }),
    );
    const answer = await LookupEvents(
      history,
      {
        LookupAttributes: [
          { AttributeKey: 'Username', AttributeValue: 'bob' },
          { AttributeKey: 'EventName', AttributeValue: 'CreateUser' },
        ],
      },
      caller,
    );
    expect(names(answer)).toEqual(['b']);
  });

  it('pages without losing or repeating an event while new ones come in', async () => {
    const history = emptyHistory();
    for (let index = 0; index < 120; index++)
      await add(history, record({ eventTime: '2026-11-22T10:00:00Z' }));
    const before = new Set<string | undefined>();
    const seen: (string | undefined)[] = [];
    const everything = await history.search({}, { limit: 1_000 });
    for (const { eventId } of everything.events) before.add(eventId);
    let token: string | undefined;
    do {
      const answer = await LookupEvents(
        history,
        { MaxResults: 7, ...(token !== undefined && { NextToken: token }) },
        caller,
      );
      expect(answer.Events?.length).toBeLessThanOrEqual(7);
      seen.push(...names(answer));
      token = answer.NextToken;
      await add(
        history,
        record({ eventTime: '2026-11-22T10:00:05Z' }),
        record({ eventTime: '2026-11-22T10:00:00Z' }),
      );
    } while (token !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    for (const eventId of before) expect(seen).toContain(eventId);
  });

  it('refuses a token with other parameters, another caller, or damage', async () => {
    const request = {
      MaxResults: 1,
      LookupAttributes: [{ AttributeKey: 'Username', AttributeValue: 'alice' }],
    } as const;
    const wide: LookupEventsRequest = { ...request, LookupAttributes: [...request.LookupAttributes] };
    const { NextToken } = await page(wide);
    expect(NextToken).toBeDefined();
    const token = NextToken ?? '';
    await expect(page({ ...wide, NextToken: token })).resolves.toBeDefined();
    // The size of the page may change from page to page.
    await expect(page({ ...wide, MaxResults: 2, NextToken: token })).resolves.toBeDefined();
    const refused = { code: 'InvalidNextTokenException' };
    await expect(page({ MaxResults: 1, NextToken: token })).rejects.toMatchObject(refused);
    await expect(page({ ...wide, StartTime: new Date(0), NextToken: token })).rejects.toMatchObject(refused);
    await expect(page({ ...wide, EventCategory: 'insight', NextToken: token })).rejects.toMatchObject(
      refused,
    );
    await expect(page({ ...wide, NextToken: token }, { region: 'us-east-1' as never })).rejects.toMatchObject(
      refused,
    );
    for (const damaged of ['', 'x', `${token}A`, token.slice(0, -4), `A${token.slice(1)}`, '€'.repeat(30)]) {
      await expect(page({ ...wide, NextToken: damaged })).rejects.toMatchObject(refused);
    }
  });

  it.each<[string, unknown, string]>([
    ['MaxResults of 0', { MaxResults: 0 }, 'InvalidMaxResultsException'],
    ['MaxResults of 51', { MaxResults: 51 }, 'InvalidMaxResultsException'],
    ['MaxResults of 1.5', { MaxResults: 1.5 }, 'InvalidMaxResultsException'],
    ['a start after the end', { StartTime: new Date(2), EndTime: new Date(1) }, 'InvalidTimeRangeException'],
    ['a time that is none', { StartTime: new Date(NaN) }, 'InvalidTimeRangeException'],
    ['another category', { EventCategory: 'data' }, 'InvalidEventCategoryException'],
    [
      'an unknown attribute',
      { LookupAttributes: [{ AttributeKey: 'ErrorCode', AttributeValue: 'x' }] },
      'InvalidLookupAttributesException',
    ],
    ['no value', { LookupAttributes: [{ AttributeKey: 'EventName' }] }, 'InvalidLookupAttributesException'],
    [
      'an empty value',
      { LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: '' }] },
      'InvalidLookupAttributesException',
    ],
    [
      'a value of 2,001',
      { LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'x'.repeat(2_001) }] },
      'InvalidLookupAttributesException',
    ],
    [
      '1,001 underscores, which count twice',
      { LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: '_'.repeat(1_001) }] },
      'InvalidLookupAttributesException',
    ],
  ])('refuses %s', async (_name, request, code) => {
    await expect(page(request as LookupEventsRequest)).rejects.toMatchObject({ code });
  });

  it('takes values and pages up to their bounds', async () => {
    const attribute = { AttributeKey: 'EventName', AttributeValue: '_'.repeat(1_000) } as const;
    expect(await page({ MaxResults: 50, LookupAttributes: [attribute] })).toEqual({ Events: [] });
  });
});

const folder = join(import.meta.dirname, '../../../../shared/data/cloudtrail');

describe.skipIf(!existsSync(folder))('the 310 real events of shared/data/cloudtrail', () => {
  const history = emptyHistory();
  const known: { raw: Buffer; record: ScannedRecord }[] = [];
  beforeAll(async () => {
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
      const bytes = readFileSync(join(folder, name));
      for (const { start, end } of scanLogFile(bytes).records) {
        const raw = bytes.subarray(start, end);
        const scan = scanRecord(raw);
        if (scan.kind === 'record') known.push({ raw, record: scan.record });
        await add(history, raw);
      }
    }
  });

  const attributes = [
    'EventId',
    'EventName',
    'ReadOnly',
    'Username',
    'ResourceType',
    'ResourceName',
    'EventSource',
    'AccessKeyId',
  ] as const;

  it.each(attributes)('are found by %s, as they are', async (AttributeKey) => {
    expect(known).toHaveLength(310);
    let found = 0;
    for (const { raw, record } of known) {
      for (const AttributeValue of attributeValues(record, AttributeKey)) {
        const { accountId, region } = record as unknown as typeof caller;
        const request = {
          LookupAttributes: [{ AttributeKey, AttributeValue }],
          StartTime: new Date(record.eventTime),
          EndTime: new Date(record.eventTime),
        };
        const answer = await LookupEvents(history, request, { accountId, region });
        const event = answer.Events?.find(({ EventId }) => EventId === record.eventId);
        expect(event?.CloudTrailEvent, `${AttributeKey}=${AttributeValue} of ${record.eventId}`).toBe(
          raw.toString(),
        );
        found++;
      }
    }
    // Every attribute occurs in the data; most of them in nearly every event.
    expect(found).toBeGreaterThan(AttributeKey.startsWith('Resource') ? 100 : 290);
  });
});
