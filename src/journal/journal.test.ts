import { createHash } from 'node:crypto';
import {
  assert,
  asyncProperty,
  array,
  constantFrom,
  nat,
  uint8Array,
  record as object,
  property,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DiskFullError, limits, manualClock, sequence, silentLog, type Sequence } from '../kernel/index.ts';
import { LogFailedError, type Cursors, type Log, type LogDamage } from '../store/index.ts';
import { openMemoryCursors, openMemoryLog } from '../store/memory/index.ts';
import { decodeEntry, encodeEntries, EntryFormatError } from './entry-codec.ts';
import {
  entryRoomBytes,
  hashInPlace,
  openJournal,
  verifyStream,
  type JournalEntry,
  type NewEntry,
  type Reader,
  type Stream,
} from './index.ts';

const clock = manualClock(1_700_000_000_000);
const entry = (text: string): NewEntry => ({ kind: 'record', payload: Buffer.from(text) });
const textOf = ({ payload }: JournalEntry) => Buffer.from(payload).toString();

async function openOn(parts: { log?: Log; cursors?: Cursors } = {}) {
  const log = parts.log ?? (await openMemoryLog());
  const cursors = parts.cursors ?? (await openMemoryCursors());
  const journal = await openJournal({
    openLog: async () => log,
    openCursors: async () => cursors,
    clock,
    log: silentLog,
  });
  return { journal, stream: journal.stream('audit'), log, cursors };
}

/** A gate that lets one waiter through at a time. */
function openGate() {
  let open: (() => void)[] = [];
  let tickets = 0;
  return {
    pass: () =>
      new Promise<void>((resolve) => {
        if (tickets > 0) {
          tickets -= 1;
          resolve();
        } else {
          open.push(resolve);
        }
      }),
    let(count: number) {
      const now = open.slice(0, count);
      open = open.slice(count);
      tickets += count - now.length;
      for (const resolve of now) resolve();
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

async function collect(stream: Stream, options: { name?: string; from?: Sequence } = {}) {
  const seen: string[] = [];
  const reader = await stream.follow({
    name: 'reader',
    ...options,
    async apply(entries) {
      seen.push(...entries.map(textOf));
    },
  });
  return { seen, reader };
}

it('says that the disk failed under it, and not that it was full', async () => {
  const log = await openMemoryLog();
  let error: Error | undefined = new DiskFullError('no room');
  const failing: Log = Object.assign(Object.create(log) as Log, {
    append: (group: readonly Uint8Array[]) => (error ? Promise.reject(error) : log.append(group)),
  });
  const { stream } = await openOn({ log: failing });
  await expect(stream.append([entry('a')])).rejects.toThrow('no room');
  expect(stream.failure).toBeUndefined();
  error = new LogFailedError('a sync failed');
  await expect(stream.append([entry('a')])).rejects.toThrow('a sync failed');
  expect(stream.failure?.message).toBe('a sync failed');
});

describe('entries', () => {
  const newEntry = object({
    kind: constantFrom('record' as const, 'ingested' as const, 'imported' as const, 'change' as const),
    payload: uint8Array({ maxLength: 3000 }),
  });

  it('come back as they went in, with time and hash', () => {
    assert(
      property(newEntry, nat(2 ** 47), (given, time) => {
        const decoded = decodeEntry(sequence(7), encodeEntries([given], time)[0] as Buffer);
        expect(Buffer.from(decoded.payload).equals(given.payload)).toBe(true);
        expect([decoded.kind, decoded.time, decoded.sequence]).toEqual([given.kind, time, 7]);
        const hash = createHash('sha256').update(given.payload).digest('hex');
        expect(decoded.hash && Buffer.from(decoded.hash).toString('hex')).toBe(
          given.kind === 'change' ? undefined : hash,
        );
      }),
    );
  });

  it.each([
    ['an unknown kind', [9, 1, 0, 0, 0, 0, 0, 0]],
    ['a later format', [4, 2, 0, 0, 0, 0, 0, 0]],
    ['nothing', []],
    ['a record without its hash', [1, 1, 0, 0, 0, 0, 0, 0, 1, 2]],
  ])('of %s are refused', (_, bytes) => {
    expect(() => decodeEntry(sequence(0), Buffer.from(bytes))).toThrow(EntryFormatError);
  });

  it('are the same in place as copied, whatever stands around them', () => {
    const payloads = array(uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 6 });
    assert(
      property(payloads, nat(), array(nat(200), { maxLength: 6 }), (texts, time, gaps) => {
        const memory = Buffer.alloc(2000, 0xee);
        let at = 0;
        const inPlace = texts.map((text, index): NewEntry => {
          const start = at + (gaps[index] ?? 0) + entryRoomBytes;
          at = start + text.length;
          memory.set(text, start);
          hashInPlace(memory, start, at);
          return { kind: 'imported', payload: memory.subarray(start, at), inPlace: true };
        });
        const copied = texts.map((payload): NewEntry => ({ kind: 'imported', payload }));
        const mixed = inPlace.map((one, index) => (index % 2 === 0 ? one : (copied[index] ?? one)));
        const expected = encodeEntries(copied, time);
        expect(encodeEntries(mixed, time)).toEqual(expected);
        expect(encodeEntries(inPlace, time)).toEqual(expected);
      }),
    );
  });

  it('that cannot be read are damage in their place', async () => {
    const { journal, stream, log } = await openOn();
    await using _ = journal;
    await stream.append([entry('a')]);
    await log.append([Buffer.from([9, 9])]);
    await stream.append([entry('b')]);
    const damage: LogDamage[] = [];
    const seen: string[] = [];
    const reader = await stream.follow({
      name: 'reader',
      apply: async (entries) => void seen.push(...entries.map(textOf)),
      onDamage: (said) => damage.push(said),
    });
    await reader.reached(stream.end);
    expect(seen).toEqual(['a', 'b']);
    expect(damage).toHaveLength(1);
    expect(damage[0]?.reason).toContain('entry 1 is of kind 9');
  });
});

describe('readers', () => {
  it('get what is there, then what comes, each entry once and in order', async () => {
    await assert(
      asyncProperty(array(nat(3), { maxLength: 30 }), nat(30), async (sizes, startAt) => {
        const { journal, stream } = await openOn();
        await using _ = journal;
        const all: string[] = [];
        let following: Awaited<ReturnType<typeof collect>> | undefined;
        for (const [index, size] of sizes.entries()) {
          if (index === startAt) following = await collect(stream);
          const texts = Array.from({ length: size + 1 }, (__, at) => `${index}.${at}`);
          all.push(...texts);
          const appended = stream.append(texts.map(entry));
          if (size > 0) await appended;
        }
        following ??= await collect(stream);
        await settle();
        await following.reader.reached(stream.end);
        expect(following.seen).toEqual(all);
        expect([following.reader.applied, following.reader.lag]).toEqual([stream.end, 0]);
      }),
      { numRuns: 40 },
    );
  });

  it('have one apply in flight at most, and get together what came meanwhile', async () => {
    const { journal, stream } = await openOn();
    await using _ = journal;
    const gate = openGate();
    const batches: string[][] = [];
    const reader = await stream.follow({
      name: 'slow',
      async apply(entries) {
        batches.push(entries.map(textOf));
        await gate.pass();
      },
    });
    await stream.append([entry('a')]);
    await settle();
    for (const text of ['b', 'c', 'd']) await stream.append([entry(text)]);
    await settle();
    expect(batches).toEqual([['a']]);
    expect([reader.applied, reader.lag]).toEqual([0, 4]);
    gate.let(2);
    await reader.reached(stream.end);
    expect(batches).toEqual([['a'], ['b', 'c', 'd']]);
  });

  it('that are slow neither hold up writers nor fill memory, and go back to the files', async () => {
    const inner = await openMemoryLog();
    let reads = 0;
    const log: Log = Object.assign(Object.create(inner) as Log, {
      read(from: Sequence) {
        reads += 1;
        return inner.read(from);
      },
    });
    const { journal, stream } = await openOn({ log });
    await using _ = journal;
    const gate = openGate();
    const seen: Sequence[] = [];
    const reader = await stream.follow({
      name: 'slow',
      async apply(entries) {
        await gate.pass();
        seen.push(...entries.map(({ sequence }) => sequence));
      },
    });
    const payload = Buffer.alloc(limits.journalReaderBytes / 16);
    await stream.append([{ kind: 'imported', payload }]);
    await settle();
    expect(reads).toBe(0);
    for (let index = 0; index < 40; index += 1) await stream.append([{ kind: 'imported', payload }]);
    expect(reader.applied).toBe(0);
    gate.let(1_000);
    await reader.reached(stream.end);
    expect(reads).toBeGreaterThan(0);
    expect(seen).toEqual(Array.from({ length: 41 }, (__, index) => index));
    const before = reads;
    await stream.append([entry('live again')]);
    await reader.reached(stream.end);
    expect(reads).toBe(before);
  });

  it('are tried again, later and later, with what they rejected', async () => {
    const { journal, stream } = await openOn();
    await using _ = journal;
    const tried: string[][] = [];
    let failures = 3;
    const reader = await stream.follow({
      name: 'failing',
      async apply(entries) {
        tried.push(entries.map(textOf));
        failures -= 1;
        if (failures >= 0) throw new Error('not now');
      },
    });
    await stream.append([entry('a')]);
    await settle();
    expect(tried).toEqual([['a']]);
    await clock.advance(50);
    await settle();
    await clock.advance(50);
    await settle();
    expect(tried).toHaveLength(2);
    await clock.advance(50);
    await settle();
    await clock.advance(200);
    await reader.reached(stream.end);
    expect(tried).toEqual([['a'], ['a'], ['a'], ['a']]);
  });

  it('read on when the log could not be read for a while', async () => {
    const inner = await openMemoryLog();
    let failing = true;
    const log: Log = Object.assign(Object.create(inner) as Log, {
      read(from: Sequence) {
        if (failing) throw new Error('EIO');
        return inner.read(from);
      },
    });
    const { journal, stream } = await openOn({ log });
    await using _ = journal;
    await stream.append([entry('a')]);
    const { seen, reader } = await collect(stream);
    await settle();
    await stream.append([entry('b')]);
    failing = false;
    await clock.advance(60_000);
    await reader.reached(stream.end);
    await stream.append([entry('c')]);
    await reader.reached(stream.end);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('begin at their cursor after a restart, and at the start without one', async () => {
    const cursors = await openMemoryCursors();
    const log = await openMemoryLog();
    {
      const { stream } = await openOn({ log, cursors });
      await stream.append(['a', 'b', 'c'].map(entry));
      const { reader } = await collect(stream);
      await reader.reached(stream.end);
      await reader.checkpoint(sequence(2));
      await expect(reader.checkpoint(sequence(4))).rejects.toThrow('ahead of what it applied');
      await reader[Symbol.asyncDispose]();
    }
    const { journal, stream } = await openOn({ log, cursors });
    await using _ = journal;
    const [known, other, told] = await Promise.all([
      collect(stream),
      collect(stream, { name: 'other' }),
      collect(stream, { name: 'told', from: sequence(1) }),
    ]);
    await Promise.all([known, other, told].map(({ reader }) => reader.reached(stream.end)));
    expect([known.seen, other.seen, told.seen]).toEqual([['c'], ['a', 'b', 'c'], ['b', 'c']]);
    await expect(collect(stream)).rejects.toThrow('runs already');
  });

  it('hear of it when the journal lost what they had read or needed', async () => {
    const cursors = await openMemoryCursors();
    await cursors.save('ahead', sequence(9));
    await cursors.save('behind', sequence(1));
    const { journal, stream, log } = await openOn({ cursors });
    await using _ = journal;
    await stream.append(['a', 'b', 'c'].map(entry));
    await log.trim(sequence(2));
    for (const [name, said] of [
      ['ahead', 'the journal ends at 3, although reader ahead had read up to 9'],
      ['behind', 'entries 1 to 1 are gone, although reader behind still needed them'],
    ] as const) {
      const damage: LogDamage[] = [];
      await stream.follow({ name, apply: async () => {}, onDamage: (one) => damage.push(one) });
      expect(damage.map(({ reason }) => reason)).toEqual([said]);
    }
  });

  it('that are closed wait for their apply, take nothing more, and tell who waits for them', async () => {
    const { journal, stream } = await openOn();
    await using _ = journal;
    const gate = openGate();
    const seen: string[] = [];
    const reader: Reader = await stream.follow({
      name: 'closing',
      async apply(entries) {
        await gate.pass();
        seen.push(...entries.map(textOf));
      },
    });
    await stream.append([entry('a')]);
    await settle();
    await stream.append([entry('b')]);
    const waiting = expect(reader.reached(sequence(2))).rejects.toThrow('closed');
    const closing = reader[Symbol.asyncDispose]();
    gate.let(10);
    await closing;
    await waiting;
    expect(seen).toEqual(['a']);
    await expect(reader.reached(sequence(2))).rejects.toThrow('closed');
    expect(stream.readers).toEqual([]);
  });
});

describe('trimming', () => {
  it('keeps what any reader, running or not, has not checkpointed', async () => {
    const cursors = await openMemoryCursors();
    const { journal, stream } = await openOn({ cursors });
    await using _ = journal;
    await stream.append(['a', 'b', 'c', 'd'].map(entry));
    await stream.trim();
    expect(stream.start).toBe(0);
    await cursors.save('not running', sequence(3));
    const { reader } = await collect(stream);
    await reader.reached(stream.end);
    await stream.trim();
    expect(stream.start).toBe(0);
    await reader.checkpoint(sequence(2));
    await stream.trim();
    expect(stream.start).toBe(2);
    await reader.checkpoint(sequence(4));
    await stream.trim();
    expect(stream.start).toBe(3);
  });
});

describe('verification', () => {
  it('finds payloads that are not what their hash says', async () => {
    const { journal, stream, log } = await openOn();
    await using _ = journal;
    await stream.append([entry('abc'), { kind: 'change', payload: Buffer.from('{}') }, entry('def')]);
    expect(await verifyStream(stream)).toEqual({ entries: 3, bytes: 8, damage: [] });
    const forged = Buffer.from(encodeEntries([entry('xyz')], 0)[0] as Buffer);
    forged[forged.length - 1] = 0x30;
    await log.append([forged]);
    expect(await verifyStream(stream)).toEqual({
      entries: 3,
      bytes: 8,
      damage: [
        { file: 'audit', offset: 0, length: 3, reason: 'the payload of entry 3 is not what its hash says' },
      ],
    });
  });
});

describe('notes', () => {
  it('reach live readers with their entry, and are not kept', async () => {
    const journal = await openJournal({
      openLog: () => openMemoryLog(),
      openCursors: openMemoryCursors,
      clock: manualClock(0),
      log: silentLog,
    });
    const stream = journal.stream('audit');
    const seen: unknown[] = [];
    const take = (entries: readonly { readonly note?: unknown }[]) => {
      seen.push(...entries.map(({ note }) => note));
      return Promise.resolve();
    };
    const live = await stream.follow({ name: 'live', apply: take });
    await stream.append([{ kind: 'imported', payload: Buffer.from('a'), note: { one: 1 } }]);
    await live.reached(stream.end);
    const late = await stream.follow({ name: 'late', apply: take });
    await late.reached(stream.end);
    expect(seen).toEqual([{ one: 1 }, undefined]);
    await journal[Symbol.asyncDispose]();
  });
});
