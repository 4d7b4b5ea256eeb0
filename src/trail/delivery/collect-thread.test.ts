import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { manualClock, sequence, silentLog } from '../../kernel/index.ts';
import { openTrailFixture, managementAccount, type TrailFixture } from '../../../test/trail-fixture.ts';
import { auditRecord, openTrailsFixture } from '../../../test/trails-fixture.ts';
import { collectFiles, type CollectOptions } from './collect-files.ts';
import { collectInPlace } from './collect-in-place.ts';
import { openCollectThread, type CollectThread } from './collect-thread.ts';
import type { Collected, CollectingTrail } from './collect-pass.ts';
import type { LoggingSettings } from './delivery-documents.ts';

const all: LoggingSettings = { isLogging: true, isMultiRegion: true, includeGlobalServiceEvents: true };
const trail = (name: string, over: Partial<CollectingTrail> = {}): CollectingTrail => ({
  accountId: managementAccount,
  homeRegion: 'eu-central-1',
  name,
  position: sequence(0),
  logging: all,
  ...over,
});

/** Trails of two accounts, of one region or all, by several kinds of selectors, one of them further on. */
const trails: readonly CollectingTrail[] = [
  trail('all'),
  trail('here', { logging: { ...all, isMultiRegion: false } }),
  trail('reads', { logging: { ...all, eventSelectors: [{ ReadWriteType: 'ReadOnly' }] } }),
  trail('later', { position: sequence(700) }),
  trail('other', { accountId: '111111111111' }),
  trail('idle', { logging: { ...all, isLogging: false } }),
  trail('runs', {
    logging: {
      ...all,
      advancedEventSelectors: [
        {
          FieldSelectors: [
            { Field: 'eventCategory', Equals: ['Management'] },
            { Field: 'userIdentity.arn', StartsWith: ['arn:aws:iam::111111111111'] },
          ],
        },
      ],
    },
  }),
];

const regions = ['eu-central-1', 'us-east-1', 'eu-west-3'];

/** Hardly gets smaller when it is packed. */
const noise = (index: number) =>
  Array.from({ length: 8 }, (_, part) => hash('sha512', `${index} ${part}`, 'base64')).join('');

async function fill({ stream }: TrailFixture, count: number): Promise<void> {
  const payloads = Array.from({ length: count }, (_, index) =>
    auditRecord(`e${index}`, {
      awsRegion: regions[index % 3],
      readOnly: index % 2 === 0,
      recipientAccountId: index % 5 === 0 ? '111111111111' : managementAccount,
      ...(index % 7 === 0 && { userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::111111111111:user/a' } }),
      requestParameters: { note: noise(index), large: 'x'.repeat(index === 500 ? 200_000 : index % 90) },
    }),
  );
  await stream.append(payloads.slice(0, 300).map((payload) => ({ kind: 'ingested', payload })));
  await stream.append([{ kind: 'imported', payload: auditRecord('imported') }]);
  await stream.append([{ kind: 'ingested', payload: Buffer.from('{"eventID":') }]);
  await stream.append(payloads.slice(300).map((payload) => ({ kind: 'record', payload })));
}

function optionsOf({ stream }: TrailFixture, collecting: CollectThread): CollectOptions {
  const signal = new AbortController().signal;
  return { stream, collecting, log: silentLog, signal, mostBytes: Infinity, mostFiles: 64 };
}

/** Pass after pass to the end of the journal. */
async function collectAll(options: CollectOptions): Promise<readonly (readonly Collected[])[]> {
  const passes: (readonly Collected[])[] = [];
  let standing = trails;
  while (standing.some(({ position }) => position < options.stream.end)) {
    const collected = await collectFiles(standing, options);
    passes.push(collected);
    standing = standing.map((one, place) => ({
      ...one,
      position: collected[place]?.to ?? one.position,
      logging: collected[place]?.logging ?? one.logging,
    }));
  }
  return passes;
}

/** With bodies that compare by their bytes, whatever holds them. */
const comparable = (passes: readonly (readonly Collected[])[]) =>
  passes.map((collected) =>
    collected.map(({ files, ...one }) => ({
      ...one,
      files: files.map((file) => ({ ...file, body: Buffer.from(file.body).toString('base64') })),
    })),
  );

describe('a thread that collects', () => {
  it.each([Infinity, 20_000])(
    'makes the same files as in place, in passes of %d bytes',
    async (mostBytes) => {
      await using fixture = await openTrailFixture();
      await using thread = openCollectThread({ clock: fixture.clock, fewEntries: 0 });
      await fill(fixture, 1_500);
      const options = { ...optionsOf(fixture, thread), mostBytes };
      const there = await collectAll(options);
      expect(thread.runs).toBe(true);
      const here = await collectAll({ ...options, collecting: collectInPlace(fixture.clock) });
      expect(comparable(there)).toEqual(comparable(here));
      expect(here[0]?.map(({ files }) => files.length > 0)).toEqual([
        true,
        true,
        true,
        true,
        true,
        false,
        true,
      ]);
      expect(here.length > 1).toBe(mostBytes < Infinity);
    },
  );

  it('says which record it could not read and what is damaged, once, and collects what is around it', async () => {
    await using fixture = await openTrailFixture();
    await using thread = openCollectThread({ clock: fixture.clock, fewEntries: 0 });
    await fill(fixture, 400);
    const { stream } = fixture;
    const damage = {
      file: 'a.segment',
      offset: 1_000,
      length: 10,
      reason: 'the checksum of entry 310 is wrong',
    };
    const torn: CollectOptions['stream'] = {
      start: stream.start,
      end: stream.end,
      async *read(from) {
        const entries = (await Array.fromAsync(stream.read(from))).flatMap((batch) => batch.entries);
        yield { entries: entries.filter(({ sequence: at }) => at < 310), damage: [] };
        yield { entries: [], damage: [damage] };
        yield { entries: entries.filter(({ sequence: at }) => at > 310), damage: [] };
      },
    };
    const said: unknown[] = [];
    const log = { ...silentLog, error: (facts: unknown) => said.push(facts) } as unknown as typeof silentLog;
    const [collected] = await collectFiles([trail('all')], {
      ...optionsOf(fixture, thread),
      stream: torn,
      log,
    });
    expect(said).toEqual([{ sequence: 301, reason: 'not a JSON object' }, { damage }]);
    // Of 400 records the account has four of five, and one of them is gone.
    expect(collected?.files.reduce((sum, { records }) => sum + records, 0)).toBe(319);
    expect(collected?.to).toBe(stream.end);
  });

  it('starts when there is much to do for a trail that logs, and ends when it had nothing to do for a while', async () => {
    await using fixture = await openTrailFixture();
    const clock = manualClock(0);
    await using thread = openCollectThread({ clock, fewEntries: 100, idleMs: 10_000 });
    await fill(fixture, 400);
    const options = optionsOf(fixture, thread);
    await collectFiles([trail('idle', { logging: { ...all, isLogging: false } })], options);
    expect(thread.runs).toBe(false);
    const [few] = await collectFiles([trail('few', { position: sequence(350) })], options);
    expect(thread.runs).toBe(false);
    expect(few?.files.length).toBeGreaterThan(0);
    await collectFiles([trail('all')], options);
    await clock.advance(9_999);
    expect(thread.runs).toBe(true);
    await collectFiles([trail('all')], options);
    await clock.advance(9_999);
    expect(thread.runs).toBe(true);
    await clock.advance(1);
    expect(thread.runs).toBe(false);
  });

  it('fails its open passes when it ends, and the next pass has a new one', async () => {
    await using fixture = await openTrailFixture();
    await using thread = openCollectThread({ clock: fixture.clock, fewEntries: 0 });
    await fill(fixture, 400);
    const pass = thread.open(trails, { mostBytes: Infinity, mostFiles: 64 }, 400);
    await pass.add([{ sequence: 0, payload: auditRecord('one') }], []);
    await thread[Symbol.asyncDispose]();
    await expect(pass.finish(sequence(1))).rejects.toThrow('ended with code');
    pass.discard();
    const [collected] = await collectFiles([trail('all')], optionsOf(fixture, thread));
    expect(collected?.to).toBe(fixture.stream.end);
  });
});

describe('delivery by a thread that dies', () => {
  it('tries again, says why once, and delivers each event in exactly one file', async () => {
    const said: string[] = [];
    const log = { ...silentLog, error: (_: unknown, what: string) => said.push(what) };
    const child = { ...log, child: () => child } as unknown as typeof silentLog;
    await using fixture = await openTrailsFixture();
    const { trail: parts, buckets } = fixture;
    await using thread = openCollectThread({ clock: parts.clock, fewEntries: 0 });
    let deaths = 2;
    const collecting: CollectThread = {
      ...thread,
      open(...pass) {
        const opened = thread.open(...pass);
        if (deaths-- > 0) void thread[Symbol.asyncDispose]();
        return opened;
      },
    };
    await fixture.startTrail();
    await fixture.restart({ collecting, log: child });
    const ids = Array.from({ length: 50 }, (_, index) => `e${index}`);
    await parts.stream.append(ids.map((id) => ({ kind: 'ingested', payload: auditRecord(id) })));
    await fixture.trails.delivery.settle();
    expect(buckets.puts).toEqual([]);
    await fixture.trails.delivery.settle();
    expect(buckets.puts).toEqual([]);
    expect(said).toEqual([
      'log files cannot be delivered; the journal keeps the events and delivery is tried again',
    ]);
    await fixture.trails.delivery.settle();
    const delivered = buckets.puts.flatMap(({ file }) => buckets.records(file).map((one) => one['eventID']));
    expect(delivered.slice(1)).toEqual(ids);
    await fixture.restart({ collecting: undefined });
  });
});
