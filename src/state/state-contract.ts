import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OverloadError, manualClock, sequence, silentLog } from '../kernel/index.ts';
import { openJournal, type Journal, type NewEntry, type Stream } from '../journal/index.ts';
import { openMemoryCursors, openMemoryLog } from '../store/memory/index.ts';
import { ChangeFormatError } from './change-codec.ts';
import { StateLostError } from './documents.ts';
import type { StateOptions } from './open-state.ts';
import type { State } from './state-types.ts';

/** One adapter of control state, as its tests open it. */
export interface StateAdapter {
  readonly name: string;
  /** Opens a state that keeps nothing from before. */
  open(options: StateOptions): Promise<State>;
  /** Opens what the last `open` or `reopen` left, over the same stream. */
  reopen(options: StateOptions): Promise<State>;
}

export const clock = manualClock(1_700_000_000_000);
export const record = (text: string): NewEntry => ({ kind: 'record', payload: Buffer.from(text) });

export async function openTestJournal(): Promise<Journal> {
  return openJournal({
    openLog: () => openMemoryLog(),
    openCursors: openMemoryCursors,
    clock,
    log: silentLog,
  });
}

/** Puts and deletes (undefined) in one commit without reading. */
export async function write(state: State, values: Readonly<Record<string, unknown>>): Promise<void> {
  const change = state.begin();
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) change.delete(key);
    else change.put(key, value);
  }
  expect(await state.commit(change, [])).toMatchObject({ kind: 'committed' });
}

export const keysOf = (documents: readonly { readonly key: string }[]) => documents.map(({ key }) => key);

/** What every adapter of control state promises. */
export function describeState(adapter: StateAdapter): void {
  describe(`state contract: ${adapter.name}`, () => {
    let journal: Journal;
    let stream: Stream;
    let state: State;
    const options = () => ({ stream, clock, log: silentLog });
    beforeEach(async () => {
      journal = await openTestJournal();
      stream = journal.stream('audit');
      state = await adapter.open(options());
    });
    afterEach(async () => {
      await state[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
    });

    it('counts what stands under a prefix, in a change with what that puts and deletes', async () => {
      await write(state, { 'a/1': 1, 'a/2': 2, 'a/\u{10ffff}': 3, b: 4 });
      expect(await state.count('a/')).toBe(3);
      expect(await state.count('a/\u{10ffff}')).toBe(1);
      expect(await state.count('c')).toBe(0);
      const change = state.begin();
      for (const key of ['a/1', 'a/9']) change.put(key, 5);
      for (const key of ['a/2', 'a/3']) change.delete(key);
      expect(await change.count('a/')).toBe(3);
    });

    it('counts the same as it lists, whatever comes and goes', async () => {
      const keys = ['a/1', 'a/2', 'a/b/1', 'b/1', 'b/2'];
      const prefixes = ['a/', 'a/b', 'b/', ''];
      const step = fc.record({ put: fc.subarray(keys), delete: fc.subarray(keys) });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
          for (const { put, delete: gone } of steps) {
            const change = state.begin();
            for (const key of put) change.put(key, 1);
            for (const key of gone) change.delete(key);
            await state.commit(change, [record('r')]);
            for (const prefix of prefixes)
              expect(await state.count(prefix)).toBe((await state.list(prefix)).length);
          }
        }),
        { numRuns: 30 },
      );
    });

    it('shows a change once it is committed, with the place of its entry as its version', async () => {
      await stream.append([record('before')]);
      const change = state.begin();
      change.put('a/1', { name: 'x', list: [1, null, 'é\0'] });
      expect(await state.get('a/1')).toBeUndefined();
      expect(await state.commit(change, [record('r')])).toEqual({ kind: 'committed', sequence: 1 });
      expect(await state.get('a/1')).toEqual({
        key: 'a/1',
        version: 1,
        value: { name: 'x', list: [1, null, 'é\0'] },
      });
      expect(stream.end).toBe(3);
    });

    it('appends the change and its records as one group, and the records alone without a change', async () => {
      await write(state, { k: 1 });
      const change = state.begin();
      expect(await change.get('k')).toMatchObject({ value: 1 });
      expect(await state.commit(change, [record('one'), record('two')])).toEqual({
        kind: 'committed',
        sequence: 1,
      });
      expect(await state.commit(state.begin(), [])).toEqual({ kind: 'committed', sequence: 3 });
      const kinds: string[] = [];
      for await (const { entries } of stream.read(sequence(0)))
        kinds.push(...entries.map(({ kind }) => kind));
      expect(kinds).toEqual(['change', 'record', 'record']);
    });

    it('gives everybody their own copy', async () => {
      const value = { tags: ['a'] };
      const change = state.begin();
      change.put('k', value);
      value.tags.push('later');
      const own = await change.get<typeof value>('k');
      expect(own?.value).toEqual({ tags: ['a'] });
      own?.value.tags.push('mine');
      await state.commit(change, []);
      const first = await state.get<typeof value>('k');
      first?.value.tags.push('mine');
      expect((await state.get<typeof value>('k'))?.value).toEqual({ tags: ['a'] });
      const [listed] = await state.list<typeof value>('');
      listed?.value.tags.push('mine');
      expect((await state.list<typeof value>(''))[0]?.value).toEqual({ tags: ['a'] });
    });

    it('lists keys by prefix in the order of their UTF-8 bytes', async () => {
      const keys = [
        'a',
        'a/',
        'a/b',
        'a/b/c',
        'a/\uffff',
        'a/😀',
        'a0',
        'b',
        'A',
        '\u{10ffff}',
        '\u{10ffff}x',
        '\ud7ff',
        '\ue000',
      ];
      await write(state, Object.fromEntries(keys.map((key) => [key, key])));
      const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(keysOf(await state.list(''))).toEqual(sorted);
      for (const prefix of ['a', 'a/', 'a/b', 'z', '\u{10ffff}', '\ud7ff', 'a/😀']) {
        const under = sorted.filter((key) => key.startsWith(prefix));
        expect(keysOf(await state.list(prefix)), prefix).toEqual(under);
        expect(keysOf(await state.list(prefix, { limit: 2 }))).toEqual(under.slice(0, 2));
        for (const after of [...keys, '', 'a/c']) {
          const behind = under.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
          expect(keysOf(await state.list(prefix, { after }))).toEqual(behind);
          expect(keysOf(await state.list(prefix, { after, limit: 1 }))).toEqual(behind.slice(0, 1));
        }
      }
      expect(await state.list('', { limit: 0 })).toEqual([]);
    });

    it('shows a change its own puts and deletes', async () => {
      await write(state, { 'k/1': 1, 'k/2': 2, 'k/3': 3, 'k/5': 5 });
      const change = state.begin();
      change.delete('k/1');
      change.put('k/2', 'new');
      change.put('k/4', 4);
      change.put('other', 0);
      expect(await change.get('k/1')).toBeUndefined();
      expect((await change.get('k/2'))?.value).toBe('new');
      expect((await change.list('k/')).map(({ value }) => value)).toEqual(['new', 3, 4, 5]);
      expect(keysOf(await change.list('k/', { limit: 2 }))).toEqual(['k/2', 'k/3']);
      expect(keysOf(await change.list('k/', { after: 'k/2', limit: 2 }))).toEqual(['k/3', 'k/4']);
      change.put('k/1', 'again');
      change.delete('k/4');
      expect(keysOf(await change.list('k/'))).toEqual(['k/1', 'k/2', 'k/3', 'k/5']);
      expect(keysOf(await state.list('k/'))).toEqual(['k/1', 'k/2', 'k/3', 'k/5']);
      await state.commit(change, []);
      expect((await state.list('k/')).map(({ value }) => value)).toEqual(['again', 'new', 3, 5]);
    });

    it.each<
      [string, (change: ReturnType<State['begin']>) => Promise<unknown>, Record<string, unknown>, boolean]
    >([
      ['a document that changed', (change) => change.get('k/2'), { 'k/2': 'x' }, true],
      ['a document that went', (change) => change.get('k/2'), { 'k/2': undefined }, true],
      ['a missing document that came', (change) => change.get('k/9'), { 'k/9': 'x' }, true],
      ['the same value written again', (change) => change.get('k/2'), { 'k/2': 2 }, true],
      ['another document', (change) => change.get('k/2'), { 'k/3': 'x' }, false],
      ['a list that has more', (change) => change.list('k/'), { 'k/9': 'x' }, true],
      ['a list that has fewer', (change) => change.list('k/'), { 'k/1': undefined }, true],
      ['a list with a changed document', (change) => change.list('k/'), { 'k/3': 'x' }, true],
      ['an empty list that has one now', (change) => change.list('z/'), { 'z/1': 1 }, true],
      ['a list elsewhere', (change) => change.list('k/'), { k: 'x', l: 'x' }, false],
      [
        'a page before the change',
        (change) => change.list('k/', { limit: 2 }),
        { 'k/3': 'x', 'k/9': 1 },
        false,
      ],
      ['a page that shifts', (change) => change.list('k/', { limit: 2 }), { 'k/0': 'x' }, true],
      ['a page after the change', (change) => change.list('k/', { after: 'k/2' }), { 'k/2': 'x' }, false],
      ['nothing', async () => {}, { 'k/1': 'x', 'k/2': 'x' }, false],
    ])('checks what was read: %s', async (_, read, values, conflict) => {
      await write(state, { 'k/1': 1, 'k/2': 2, 'k/3': 3 });
      // Once with the other change committed before, once with it on its way.
      for (const before of [true, false]) {
        const change = state.begin();
        await read(change);
        change.put('mine', before);
        const other = write(state, values);
        if (before) await other;
        const result = await state.commit(change, [record('r')]);
        await other;
        expect(result.kind, before ? 'committed before' : 'on its way').toBe(
          conflict ? 'conflict' : 'committed',
        );
        expect((await state.get('mine'))?.value).toBe(conflict ? undefined : before);
        await write(state, {
          'k/0': undefined,
          'k/1': 1,
          'k/2': 2,
          'k/3': 3,
          'k/9': undefined,
          'z/1': undefined,
        });
      }
    });

    it('answers a conflict only when a retry sees what it conflicted with', async () => {
      await write(state, { n: 0 });
      let conflicts = 0;
      async function increment(): Promise<void> {
        for (;;) {
          const change = state.begin();
          const { value = 0, version } = (await change.get<number>('n')) ?? {};
          change.put('n', value + 1);
          const result = await state.commit(change, [record('increment')]);
          if (result.kind === 'committed') return;
          conflicts += 1;
          expect((await state.get('n'))?.version).not.toBe(version);
        }
      }
      await Promise.all(Array.from({ length: 20 }, increment));
      expect((await state.get('n'))?.value).toBe(20);
      expect(conflicts).toBeGreaterThan(0);
    });

    it('changes nothing when the journal refuses', async () => {
      const bounds = { bytes: 200, entries: 10, entryBytes: 200 };
      await using small = await openJournal({
        openLog: () => openMemoryLog(bounds),
        openCursors: openMemoryCursors,
        clock,
        log: silentLog,
      });
      await using refused = await adapter.open({ ...options(), stream: small.stream('audit') });
      const change = refused.begin();
      expect(await change.get('k')).toBeUndefined();
      change.put('k', 1);
      const waiting = refused.commit(refused.begin(), [record('x'.repeat(150))]);
      const committing = refused.commit(change, [record('y'.repeat(100))]);
      const behind = refused.begin();
      expect(await behind.get('k')).toBeUndefined();
      behind.put('k', 2);
      const reading = refused.commit(behind, []);
      await expect(committing).rejects.toThrow(OverloadError);
      expect((await waiting).kind).toBe('committed');
      expect((await reading).kind).toBe('committed');
      expect((await refused.get('k'))?.value).toBe(2);
    });

    it('calls back with the keys of every change', async () => {
      const heard: (readonly string[])[] = [];
      const stop = state.onChange((keys) => heard.push(keys));
      await write(state, { a: 1, b: 2 });
      await write(state, { a: undefined });
      stop();
      await write(state, { c: 1 });
      expect(heard).toEqual([['a', 'b'], ['a']]);
    });

    it('has everything again when it is opened again', async () => {
      await write(state, { a: 1, b: { deep: [1, 2] } });
      await write(state, { a: undefined, c: 'x' });
      const before = await state.list('');
      await state[Symbol.asyncDispose]();
      const change = Buffer.from('{"version":1,"puts":[["d",4]],"deletes":["c"]}');
      await stream.append([record('r'), { kind: 'change', payload: change }, record('r')]);
      state = await adapter.reopen(options());
      const now = await state.list('');
      expect(now[0]).toEqual(before[0]);
      expect(keysOf(now)).toEqual(['b', 'd']);
      expect(now[1]).toEqual({ key: 'd', value: 4, version: 3 });
      await write(state, { e: 1 });
      expect(keysOf(await state.list(''))).toEqual(['b', 'd', 'e']);
    });

    it('stays shut when a change is of a later version or may be lost', async () => {
      await state[Symbol.asyncDispose]();
      const log = await openMemoryLog();
      const parts = { openLog: async () => log, openCursors: openMemoryCursors, clock, log: silentLog };
      await using other = await openJournal(parts);
      const elsewhere = { ...options(), stream: other.stream('audit') };
      await log.append([Buffer.from('no entry')]);
      await expect(adapter.open(elsewhere)).rejects.toThrow(StateLostError);
      const later = Buffer.from('{"version":2,"puts":[],"deletes":[]}');
      await stream.append([{ kind: 'change', payload: later }]);
      await expect(adapter.open(options())).rejects.toThrow(ChangeFormatError);
      expect([stream.readers, other.stream('audit').readers]).toEqual([[], []]);
    });

    it('refuses keys that adapters would not tell apart, and values that are not JSON', async () => {
      for (const key of ['', 'a\0b', '\ud800', 'x'.repeat(2049)]) {
        expect(() => state.begin().put(key, 1)).toThrow(TypeError);
        expect(() => state.begin().delete(key)).toThrow(TypeError);
        await expect(state.get(key)).rejects.toThrow(TypeError);
      }
      expect(() => state.begin().put('k', undefined)).toThrow('not JSON');
      const change = state.begin();
      await state.commit(change, []);
      await expect(state.commit(change, [])).rejects.toThrow('committed once');
    });
  });
}
