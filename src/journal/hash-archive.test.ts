import { describe, expect, it } from 'vitest';
import { hash } from 'node:crypto';
import { manualClock, sequence, silentLog } from '../kernel/index.ts';
import { openMemoryCursors, openMemoryLog } from '../store/memory/index.ts';
import { openHashArchive, openJournal, type EntryKind } from './index.ts';

const clock = manualClock(Date.UTC(2026, 0, 1));
const entry = (kind: EntryKind, text: string) => ({ kind, payload: Buffer.from(text) });
const hex = (text: string) => hash('sha256', text);

/** What outlives whoever closes it, as files do. */
function lasting<T extends AsyncDisposable>(part: T): T {
  return new Proxy(part, {
    get: (target, name) =>
      name === Symbol.asyncDispose ? () => Promise.resolve() : Reflect.get(target, name),
  });
}

async function fixture() {
  const entries = lasting(await openMemoryLog());
  const pages = lasting(await openMemoryLog());
  const cursors = lasting(await openMemoryCursors());
  const open = async () => {
    const journal = await openJournal({
      openLog: () => Promise.resolve(entries),
      openCursors: () => Promise.resolve(cursors),
      clock,
      log: silentLog,
    });
    const stream = journal.stream('audit');
    return { journal, stream, archive: await openHashArchive({ stream, pages, clock, log: silentLog }) };
  };
  return { open, pages };
}

async function all(archive: { read(): AsyncIterable<{ sequence: number; hash: Uint8Array }> }) {
  const found: [number, string][] = [];
  for await (const { sequence, hash: bytes } of archive.read())
    found.push([sequence, Buffer.from(bytes).toString('hex')]);
  return found;
}

describe('the hash archive', () => {
  it('keeps the hash of every record, and none for a change', async () => {
    const { open } = await fixture();
    const { journal, stream, archive } = await open();
    await stream.append([entry('change', '{}'), entry('record', 'one')]);
    await stream.append([entry('imported', 'two'), entry('ingested', 'three')]);
    await archive.reader.reached(stream.end);
    expect(await all(archive)).toEqual([
      [1, hex('one')],
      [2, hex('two')],
      [3, hex('three')],
    ]);
    await archive[Symbol.asyncDispose]();
    await journal[Symbol.asyncDispose]();
  });

  it('goes on where it was after it was closed, and outlives the entries', async () => {
    const { open } = await fixture();
    const first = await open();
    await first.stream.append([entry('record', 'one')]);
    await first.archive.reader.reached(first.stream.end);
    await first.archive[Symbol.asyncDispose]();
    await first.stream.append([entry('record', 'two')]);
    await first.journal[Symbol.asyncDispose]();

    const second = await open();
    await second.archive.reader.reached(second.stream.end);
    await all(second.archive);
    await second.stream.trim();
    expect(second.stream.start).toBe(2);
    expect(await all(second.archive)).toEqual([
      [0, hex('one')],
      [1, hex('two')],
    ]);
    await second.archive[Symbol.asyncDispose]();
    await second.journal[Symbol.asyncDispose]();
  });

  it('gives its hashes in bulk, from any entry on', async () => {
    const { open } = await fixture();
    const { journal, stream, archive } = await open();
    await stream.append([entry('record', 'one'), entry('change', '{}')]);
    await archive.reader.reached(stream.end);
    await all(archive);
    await stream.append([entry('record', 'two')]);
    await archive.reader.reached(stream.end);
    const pagesFrom = async (from: number) => {
      const found: [number, string][] = [];
      for await (const { first, hashes } of archive.pages(sequence(from)))
        found.push([first, Buffer.from(hashes).toString('hex')]);
      return found;
    };
    const [first, second] = [[0, hex('one') + '00'.repeat(32)] as const, [2, hex('two')] as const];
    expect(await pagesFrom(0)).toEqual([first, second]);
    expect(await pagesFrom(1)).toEqual([first, second]);
    expect(await pagesFrom(2)).toEqual([second]);
    expect(await pagesFrom(3)).toEqual([]);
    await archive[Symbol.asyncDispose]();
    await journal[Symbol.asyncDispose]();
  });

  it('lets nothing be trimmed before its hash is durable', async () => {
    const { open } = await fixture();
    const { journal, stream, archive } = await open();
    await stream.append([entry('record', 'one')]);
    await archive.reader.reached(stream.end);
    await stream.trim();
    expect(stream.start).toBe(0);
    await clock.advance(2000);
    await stream.trim();
    expect(stream.start).toBe(1);
    await archive[Symbol.asyncDispose]();
    await journal[Symbol.asyncDispose]();
  });
});
