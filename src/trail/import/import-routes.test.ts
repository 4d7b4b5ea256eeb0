import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
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
import { DiskFullError, OverloadError } from '../../kernel/index.ts';
import { LogFailedError } from '../../store/index.ts';
import type { Stream } from '../../journal/index.ts';
import type { ImportSummary } from '../index.ts';

function record(eventID: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    eventID,
    eventName: 'RunInstances',
    eventTime: '2026-11-22T10:00:00Z',
    awsRegion: 'eu-central-1',
    recipientAccountId: otherAccount,
    ...over,
  };
}

function logFile(...records: unknown[]): Buffer {
  return gzipSync(JSON.stringify({ Records: records }));
}

function many(from: number, to: number): Buffer {
  return logFile(...Array.from({ length: to - from }, (_, index) => record(`e${from + index}`)));
}

async function send(fixture: TrailFixture, body: Uint8Array): Promise<ImportSummary> {
  const answer = await fixture.route('POST', '/_cairn/import', { body });
  return JSON.parse((await bodyOf(answer)).toString()) as ImportSummary;
}

async function found(fixture: TrailFixture, query: string): Promise<readonly Record<string, unknown>[]> {
  const answer = await fixture.route('GET', `/_cairn/events?${query}`);
  return (JSON.parse((await bodyOf(answer)).toString()) as { events: Record<string, unknown>[] }).events;
}

async function check(fixture: TrailFixture, hashes: unknown): Promise<unknown> {
  const answer = await fixture.route('POST', '/_cairn/import/check', {
    body: Buffer.from(JSON.stringify(hashes)),
  });
  return JSON.parse((await bodyOf(answer)).toString());
}

/** Turns the clock until `outcome` has settled; the worker thread that it waits for runs in its own time. */
async function turnUntil<T>({ clock }: TrailFixture, outcome: Promise<T>): Promise<T> {
  const settled = new AbortController();
  const ended = outcome.finally(() => settled.abort());
  while (!settled.signal.aborted) {
    await clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return ended;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('POST /_cairn/import', () => {
  it('answers once the records are durable and searchable, and is recorded', async () => {
    await using fixture = await openTrailFixture();
    const file = logFile(
      record('a'),
      { broken: true },
      record('b', { awsRegion: 'us-east-1', eventTime: '2026-11-22T11:00:00Z' }),
    );
    expect(await send(fixture, file)).toEqual({
      sha256: sha256(file),
      events: 2,
      added: 2,
      duplicates: 0,
      bad: 1,
      problems: [{ record: 1, reason: 'no eventID' }],
      accounts: [otherAccount],
      regions: ['eu-central-1', 'us-east-1'],
      from: '2026-11-22T10:00:00Z',
      to: '2026-11-22T11:00:00Z',
    });
    expect(await found(fixture, `accountId=${otherAccount}`)).toMatchObject([
      { eventID: 'b' },
      { eventID: 'a' },
    ]);
    const imports = (await fixture.records()).filter(({ eventName }) => eventName === 'ImportEvents');
    expect(imports).toMatchObject([
      { readOnly: false, responseElements: { sha256: sha256(file), events: 2, bad: 1 } },
    ]);
  });

  it('counts duplicates per file, however many files come at once', async () => {
    await using fixture = await openTrailFixture();
    const answers = await Promise.all([
      send(fixture, many(0, 2_000)),
      send(fixture, many(10_000, 11_500)),
      send(fixture, many(20_000, 20_001)),
    ]);
    expect(answers.map(({ added, duplicates }) => [added, duplicates])).toEqual([
      [2_000, 0],
      [1_500, 0],
      [1, 0],
    ]);
    expect(await send(fixture, many(1_900, 2_100))).toMatchObject({
      events: 200,
      added: 100,
      duplicates: 100,
    });
  });

  it('knows a file that it has imported, and does not take it again', async () => {
    await using fixture = await openTrailFixture();
    const file = logFile(record('a'));
    expect(await check(fixture, [sha256(file)])).toEqual({ imported: [] });
    const first = await send(fixture, file);
    const end = fixture.stream.end;
    expect(await send(fixture, file)).toEqual({ ...first, alreadyImported: true });
    // Only the record of the second call came to the journal.
    expect(fixture.stream.end).toBe(end + 1);
    expect(await check(fixture, ['0'.repeat(64), sha256(file)])).toEqual({ imported: [sha256(file)] });
  });

  it('takes a file again that is wanted again, and what is there already is a duplicate', async () => {
    await using fixture = await openTrailFixture();
    const body = logFile(record('a'));
    await send(fixture, body);
    const again = await fixture.route('POST', '/_cairn/import?again=true', { body });
    expect(JSON.parse((await bodyOf(again)).toString())).toMatchObject({
      events: 1,
      added: 0,
      duplicates: 1,
    });
    await expect(fixture.route('POST', '/_cairn/import?again=1', { body })).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });

  it('brings events back by a file that is wanted again, when the history has lost them', async () => {
    await using fixture = await openTrailFixture();
    const body = logFile(record('old', { eventTime: '2026-10-01T00:00:00Z' }));
    await send(fixture, body);
    fixture.history.setRetention(otherAccount, 30);
    await fixture.history.expire(fixture.clock.now());
    fixture.history.setRetention(otherAccount, undefined);
    expect(await send(fixture, body)).toMatchObject({ alreadyImported: true });
    expect(await found(fixture, 'eventId=old')).toEqual([]);
    const again = await fixture.route('POST', '/_cairn/import?again=true', { body });
    expect(JSON.parse((await bodyOf(again)).toString())).toMatchObject({ added: 1, duplicates: 0 });
    expect(await found(fixture, 'eventId=old')).toHaveLength(1);
  });

  it('does not say of a file with records that it could not take that it is imported', async () => {
    await using fixture = await openTrailFixture();
    const file = logFile(record('a'), {});
    const first = await send(fixture, file);
    expect(await check(fixture, [sha256(file)])).toEqual({ imported: [] });
    expect(await send(fixture, file)).toEqual({ ...first, bad: 1, alreadyImported: true });
  });

  it.each<[string, Buffer, RegExp]>([
    ['a cut file', logFile(record('a')).subarray(0, -10), /cut off/],
    ['a digest', gzipSync('{"digestStartTime":"x"}'), /no Records/],
    ['nothing', Buffer.alloc(0), /empty/],
  ])('names what is wrong with %s, takes nothing and does not remember it', async (_name, file, reason) => {
    await using fixture = await openTrailFixture();
    await expect(send(fixture, file)).rejects.toMatchObject({
      code: 'InvalidLogFile',
      status: 422,
      message: expect.stringMatching(reason) as string,
    });
    expect(await check(fixture, [sha256(file)])).toEqual({ imported: [] });
    await fixture.trail.settle();
    expect((await fixture.history.stats()).events).toBe(2);
    expect(await fixture.records()).toMatchObject([{ errorCode: 'InvalidLogFile' }, {}]);
  });

  it('is for principals of the management account', async () => {
    await using fixture = await openTrailFixture();
    const call = callBy(rootOf(otherAccount));
    for (const path of ['/_cairn/import', '/_cairn/import/check']) {
      await expect(fixture.route('POST', path, { call, body: logFile(record('a')) })).rejects.toMatchObject({
        code: 'AccessDenied',
        message: expect.stringContaining(managementAccount) as string,
      });
    }
  });

  it.each([
    ['is full', new DiskFullError('full')],
    ['failed', new LogFailedError('a sync failed')],
    ['is overloaded for long', new OverloadError('too much')],
  ])('asks to come again when the journal %s, and does not remember the file', async (_name, error) => {
    let full = true;
    await using fixture = await openTrailFixture({
      wrap: (stream) =>
        Object.assign(Object.create(stream) as Stream, {
          append: (entries: Parameters<Stream['append']>[0]) =>
            full && entries.some(({ kind }) => kind === 'imported')
              ? Promise.reject(error)
              : stream.append(entries),
        }),
    });
    const file = logFile(record('a'));
    const outcome = send(fixture, file).catch((fault: unknown) => fault);
    expect(await turnUntil(fixture, outcome)).toMatchObject({ code: 'ServiceUnavailable', status: 503 });
    expect(await check(fixture, [sha256(file)])).toEqual({ imported: [] });
    full = false;
    expect(await send(fixture, file)).toMatchObject({ added: 1, duplicates: 0 });
  });

  it('waits a moment when the journal is overloaded for a moment', async () => {
    let refusals = 3;
    await using fixture = await openTrailFixture({
      wrap: (stream) =>
        Object.assign(Object.create(stream) as Stream, {
          append: (entries: Parameters<Stream['append']>[0]) =>
            entries.some(({ kind }) => kind === 'imported') && refusals-- > 0
              ? Promise.reject(new OverloadError('too much'))
              : stream.append(entries),
        }),
    });
    const outcome = send(fixture, logFile(record('a'), record('b')));
    expect(await turnUntil(fixture, outcome)).toMatchObject({ added: 2, duplicates: 0 });
  });

  it('asks to come again when too many files are being worked on', async () => {
    await using fixture = await openTrailFixture();
    const answers = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => send(fixture, logFile(record(`e${index}`)))),
    );
    const refused = answers.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(40 - 32);
    expect(refused[0]).toMatchObject({ reason: { code: 'ServiceUnavailable', status: 503 } });
  });

  it.each([
    ['no list', {}],
    ['no hashes', ['x']],
    ['too many', Array.from({ length: 1_001 }, () => '0'.repeat(64))],
  ])('refuses a question with %s', async (_name, body) => {
    await using fixture = await openTrailFixture();
    await expect(check(fixture, body)).rejects.toMatchObject({ code: 'ValidationException' });
  });
});

const folder = join(import.meta.dirname, '../../../../shared/data/cloudtrail');

describe.skipIf(!existsSync(folder))('the 310 real events of shared/data/cloudtrail', () => {
  it('are imported, known again, and found with their bytes', async () => {
    await using fixture = await openTrailFixture();
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
    const answers: ImportSummary[] = [];
    for (const name of files) answers.push(await send(fixture, readFileSync(join(folder, name))));
    expect(answers.reduce((sum, { added }) => sum + added, 0)).toBe(310);
    expect(answers.every(({ bad, duplicates }) => bad === 0 && duplicates === 0)).toBe(true);
    for (const name of files) {
      const records = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { eventID: string }[];
      for (const one of records) expect(await found(fixture, `eventId=${one.eventID}`)).toEqual([one]);
    }
  });
});
