import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { manualClock, silentLog } from '../../kernel/index.ts';
import { dayMs, entries, expectedIds, idsOf, start } from './numbered-events.ts';
import { manifestVersion, writeManifest } from './manifest.ts';
import { openHistory, type OpenedHistory } from './open-history.ts';
import { headerBytes, readFooter, trailerBytes } from './segment-format.ts';

let directory: string;
const clock = manualClock(start + dayMs);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-history-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function open(tailEvents = 50): Promise<OpenedHistory> {
  return openHistory({ directory, clock, log: silentLog, tailEvents, mostTextTerms: 4 });
}

function segmentFiles(): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .map((name) => join(directory, name));
}

function footerOf(file: string) {
  const handle = openSync(file, 'r');
  try {
    return readFooter(handle, file);
  } finally {
    closeSync(handle);
  }
}

/**
 * Applies and seals in a process of its own, going on from what is there, and kills it at its `lines`th line. Returns the
 * last `durable` that it told.
 */
async function runAndKill(lines: number): Promise<number> {
  const script = `
    import { manualClock, silentLog } from ${JSON.stringify(new URL('../../kernel/index.ts', import.meta.url).href)};
    import { openHistory } from ${JSON.stringify(new URL('open-history.ts', import.meta.url).href)};
    import { entryOf } from ${JSON.stringify(new URL('numbered-events.ts', import.meta.url).href)};
    const history = await openHistory({ directory: ${JSON.stringify(directory)}, clock: manualClock(0), log: silentLog, tailEvents: 10 });
    for (let from = history.durable; ; from += 4) {
      await history.apply([0, 1, 2, 3].map((step) => entryOf(from + step)));
      console.log(history.durable);
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let durable = 0;
  let seen = 0;
  for await (const line of createInterface(child.stdout)) {
    durable = Number(line);
    seen += 1;
    if (seen === lines) child.kill('SIGKILL');
  }
  expect(seen).toBeGreaterThanOrEqual(lines);
  return durable;
}

describe('after a crash', () => {
  test('by a kill at random moments of sealing and merging, everything before durable is there and nothing twice', async () => {
    const durables: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      durables.push(await runAndKill(3 + round * 4));
      await using survivor = await open(10);
      const { durable } = survivor;
      expect(durable).toBeGreaterThanOrEqual(durables.at(-1) ?? 0);
      const ids = await idsOf(survivor);
      expect(ids).toEqual(expectedIds(0, durable));
      const more = entries(Math.max(0, durable - 3), durable + 5);
      expect(await survivor.apply(more)).toEqual({ added: 5, duplicates: Math.min(3, durable) });
      expect(survivor.damage).toEqual([]);
    }
    // The kills must have met different moments, or this test tests nothing.
    expect(new Set(durables).size).toBeGreaterThan(4);
  });

  test('left-overs of a seal and of a merge are removed', async () => {
    const history = await open();
    await history.apply(entries(0, 120));
    await history.flush();
    await history[Symbol.asyncDispose]();
    const [first = ''] = segmentFiles();
    copyFileSync(first, join(directory, 'segment-99999999.seg'));
    writeFileSync(join(directory, 'segment-99999998.seg.tmp'), 'half');
    writeFileSync(join(directory, 'manifest.json.new'), 'half');
    await using again = await open();
    expect(await idsOf(again)).toEqual(expectedIds(0, 120));
    expect(
      readdirSync(directory).filter((name) => name.includes('9999') || /\.(tmp|new)$/.test(name)),
    ).toEqual([]);
  });

  test('when segments cannot be written, flush rejects, all stays searchable, and the next flush succeeds', async () => {
    const history = await open();
    await history.apply(entries(0, 20));
    renameSync(directory, `${directory}-away`);
    await expect(history.flush()).rejects.toThrow(/ENOENT/);
    expect(await idsOf(history)).toEqual(expectedIds(0, 20));
    expect(history.durable).toBe(0);
    renameSync(`${directory}-away`, directory);
    await history.flush();
    expect(history.durable).toBe(20);
    expect(await idsOf(history)).toEqual(expectedIds(0, 20));
    await history[Symbol.asyncDispose]();
  });
});

/** A directory with one sealed segment; its file. */
async function filled(count: number): Promise<string> {
  const history = await open(1000);
  await history.apply(entries(0, count));
  await history.flush();
  await history[Symbol.asyncDispose]();
  const [file = ''] = segmentFiles();
  return file;
}

describe('damage', () => {
  test('of any byte is found before it gives a wrong row; all but the damaged records stay, and nothing is silent', async () => {
    const file = await filled(400);
    const whole = readFileSync(file);
    const { indexAt } = footerOf(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const copy = await mkdtemp(join(tmpdir(), 'cairn-history-'));
        try {
          cpSync(directory, copy, { recursive: true });
          const bytes = Buffer.from(whole);
          bytes[at] = (bytes[at] ?? 0) ^ change;
          writeFileSync(join(copy, file.slice(directory.length + 1)), bytes);
          await using history = await openHistory({
            directory: copy,
            clock,
            log: silentLog,
            tailEvents: 1000,
          });
          const ids = await idsOf(history);
          const byName = await history.search(
            { attributes: [{ name: 'EventName', values: ['Call3'] }] },
            { limit: 1000 },
          );
          for (const event of byName.events)
            expect(JSON.parse(Buffer.from(event.raw).toString())).toMatchObject({ eventName: 'Call3' });
          const expected = expectedIds(0, 400);
          const isRecord = at >= headerBytes && at < indexAt;
          if (isRecord) {
            expect(ids.length).toBeGreaterThanOrEqual(400 - 32);
            expect(expected.filter((id) => ids.includes(id))).toEqual(ids);
          } else expect(ids).toEqual(expected);
          if (ids.length < 400) {
            expect(history.damage).toHaveLength(1);
            expect(history.damage[0]?.lostBytes).toBeGreaterThan(0);
            expect(readdirSync(join(copy, 'quarantine'))).toHaveLength(1);
            // Importing again brings back what was lost, and only that.
            const again = await history.apply(entries(0, 400));
            expect(again.added).toBe(400 - ids.length);
            expect(await idsOf(history)).toEqual(expected);
          }
        } finally {
          await rm(copy, { recursive: true });
        }
      }),
      // The example changes the length of a frame, so that it seems to reach into the next one.
      { numRuns: 15, examples: [[4400, 8]] },
    );
  });

  test.each(['times', 'places', 'ids', 'blockTable', 'EventName', 'AccountId'] as const)(
    'of the section %s is found by its checksum, and nothing is lost',
    async (section) => {
      const file = await filled(400);
      const footer = footerOf(file);
      const [offset, length] =
        section === 'EventName' || section === 'AccountId'
          ? footer.attributes[section].postings
          : footer[section];
      const bytes = readFileSync(file);
      const at = footer.indexAt + offset + Math.floor(length / 2);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      await using history = await open();
      expect(await idsOf(history)).toEqual(expectedIds(0, 400));
      expect(history.damage).toEqual([
        { file, offset: footer.indexAt, reason: 'wrong checksum of the index', lostBytes: 0 },
      ]);
    },
  );

  test.each([0, headerBytes + 5, 3000, -trailerBytes, -1])(
    'a file cut at %i keeps what is whole',
    async (cut) => {
      const file = await filled(400);
      truncateSync(file, cut < 0 ? statSync(file).size + cut : cut);
      await using history = await open();
      const ids = await idsOf(history);
      expect(history.damage.map((one) => one.file)).toEqual([file]);
      expect(history.damage[0]?.lostBytes).toBeUndefined();
      expect(expectedIds(0, 400).filter((id) => ids.includes(id))).toEqual(ids);
      if (cut < 0) expect(ids).toHaveLength(400);
      if (cut === 3000) expect(ids.length).toBeGreaterThan(0);
    },
  );

  test('a missing segment and a missing dictionary are said, and the rest is there', async () => {
    const history = await open(100);
    await history.apply(entries(0, 100));
    await history.flush();
    await history.apply(entries(100, 200));
    await history.flush();
    await history[Symbol.asyncDispose]();
    const [first = ''] = segmentFiles();
    unlinkSync(first);
    await using again = await open();
    // What was in it is not known, so nobody may say that nothing is lost.
    expect(again.damage).toEqual([
      { file: first, offset: 0, reason: 'the file is missing', lostBytes: undefined },
    ]);
    expect(await idsOf(again)).toEqual(expectedIds(100, 200));
  });

  test.each([
    ['damaged', (text: string) => text.replace('"durable":200', '"durable":999')],
    ['cut', (text: string) => text.slice(0, 40)],
    ['empty', () => ''],
    ['missing', undefined],
  ])('a manifest that is %s costs no event: the segments are indexed anew', async (_, change) => {
    {
      await using history = await open(100);
      await history.apply(entries(0, 200));
      await history.flush();
    }
    const before = segmentFiles();
    const manifest = join(directory, 'manifest.json');
    if (change) writeFileSync(manifest, change(readFileSync(manifest, 'utf8')));
    else unlinkSync(manifest);
    {
      await using history = await open(100);
      expect(history.damage.map(({ file, lostBytes }) => [file, lostBytes])).toEqual(
        before.map((file) => [file, 0]),
      );
      expect(await idsOf(history)).toEqual(expectedIds(0, 200));
      // The journal is read again, as far as it is still there, and adds nothing.
      expect(history.durable).toBe(0);
      expect(await history.apply(entries(150, 200))).toMatchObject({ added: 0 });
      await history.apply(entries(200, 210));
      await history.flush();
    }
    await using again = await open(100);
    expect(again.damage).toEqual([]);
    expect(await idsOf(again)).toEqual(expectedIds(0, 210));
    const found = await again.search(
      { attributes: [{ name: 'EventName', values: ['Call3'] }] },
      { limit: 1000 },
    );
    expect(found.events.length).toBeGreaterThan(0);
  });

  test('a start that ends while it indexes anew goes on with it at the next', async () => {
    const file = await filled(100);
    const manifest = join(directory, 'manifest.json');
    unlinkSync(manifest);
    // What a first change of the manifest would have left, had the process ended before it.
    const hashKey = Buffer.alloc(24, 7).toString('base64');
    const [name = ''] = segmentFiles().map((path) => path.slice(directory.length + 1));
    await writeManifest(directory, {
      version: manifestVersion,
      hashKey,
      durable: 0,
      nextFile: 9,
      dictionary: 0,
      segments: [name],
      unindexed: [name],
    });
    await using history = await open();
    expect(history.damage).toMatchObject([{ file, lostBytes: 0 }]);
    expect(await idsOf(history)).toEqual(expectedIds(0, 100));
    expect(readFileSync(manifest, 'utf8')).not.toContain('unindexed');
  });

  test.each(['damaged', 'missing'])(
    'a dictionary that is %s does not keep new events from being sealed',
    async (how) => {
      {
        await using history = await open(3000);
        await history.apply(entries(0, 3000));
        await history.flush();
      }
      const dictionary = join(directory, 'dictionary-1.zdict');
      expect(existsSync(dictionary)).toBe(true);
      if (how === 'missing') unlinkSync(dictionary);
      else truncateSync(dictionary, 100);
      await using history = await open(3000);
      await history.apply(entries(3000, 3100));
      await history.flush();
      expect(await idsOf(history)).toEqual(expect.arrayContaining([...expectedIds(3000, 3100)]));
      expect(history.damage[0]?.lostBytes).toBeGreaterThan(0);
    },
  );
});

describe('retention', () => {
  test('hides at once, drops segments of which all has expired, and writes those anew of which half has', async () => {
    await using history = await open(100);
    await history.apply(entries(0, 100, { day: -20 }));
    await history.apply(entries(100, 160, { day: -20 }));
    await history.apply(entries(160, 200, { account: '222222222222', day: -20 }));
    await history.apply(entries(200, 250));
    await history.flush();
    const before = await history.stats();
    expect(before).toMatchObject({ events: 250, segments: 3 });
    history.setRetention('111111111111', 10);
    const shown = await idsOf(history);
    expect(shown).toHaveLength(90);
    expect(await history.count({}, { attributes: ['AccountId'], limit: 5 })).toEqual([
      { values: ['111111111111'], count: 50 },
      { values: ['222222222222'], count: 40 },
    ]);
    expect(await history.expire(clock.now())).toEqual({ segmentsDropped: 1 });
    const after = await history.stats();
    expect(after).toMatchObject({ events: 90, segments: 2 });
    expect(after.sizeBytes).toBeLessThan(before.sizeBytes * 0.6);
    expect(await idsOf(history)).toEqual(shown);
    // A file goes when the last reader lets go of it, which is nobody's to wait for.
    await vi.waitFor(() => expect(segmentFiles()).toHaveLength(2));
  });

  test('merges leave out what has expired', async () => {
    await using history = await open(10);
    history.setRetention('111111111111', 10);
    for (let part = 0; part < 8; part += 1) {
      await history.apply(entries(part * 10, part * 10 + 10, { day: part % 2 === 0 ? -20 : 0 }));
      await history.flush();
    }
    await history.settled();
    expect(await history.stats()).toMatchObject({ events: 40, segments: 1 });
    expect(await idsOf(history)).toHaveLength(40);
  });
});

test('a page token stays right while events come in, tails are sealed and segments merge', async () => {
  await using history = await open(10);
  await history.apply(entries(100, 190));
  const first = await history.search({}, { limit: 20 });
  await history.apply(entries(0, 100));
  await history.apply(entries(190, 260));
  await history.flush();
  await history.settled();
  const second = await history.search({}, { limit: 30, after: first.next ?? '' });
  expect(second.events.map((one) => one.eventId)).toEqual(expectedIds(140, 170));
});

test.each(['', 'x', 'AAAAAAAA', 'bm90IGEgdG9rZW4', '"; drop'])(
  'a token that no page gave is refused: %j',
  async (after) => {
    await using history = await open();
    await history.apply(entries(0, 5));
    await expect(history.search({}, { limit: 2, after })).rejects.toMatchObject({
      code: 'InvalidNextTokenException',
    });
  },
);

test('an aborted search, stream and count stop with the reason', async () => {
  await using history = await open();
  await history.apply(entries(0, 300));
  await history.flush();
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(history.search({ text: 'nowhere' }, { limit: 10 }, signal)).rejects.toThrow('enough');
  await expect(history.count({}, { attributes: ['EventName'], limit: 10 }, signal)).rejects.toThrow('enough');
  const stream = async () => {
    for await (const event of history.stream({}, signal)) expect(event).toBeDefined();
  };
  await expect(stream()).rejects.toThrow('enough');
  expect(existsSync(directory)).toBe(true);
});
