import { describe, expect, it } from 'vitest';
import { OverloadError, sequence } from '../kernel/index.ts';
import type { InFlightBounds } from './in-flight.ts';
import type { Log } from './log-port.ts';

/** One adapter of the log, as its tests open it. */
export interface LogAdapter {
  readonly name: string;
  /** Opens an empty log. */
  open(bounds?: InFlightBounds): Promise<Log>;
  /** Closes it and opens it again; absent where nothing outlives the process. */
  reopen?(log: Log): Promise<Log>;
}

async function readAll(log: Log, from = 0): Promise<readonly (readonly [number, string])[]> {
  const read: (readonly [number, string])[] = [];
  for await (const { entries, damage } of log.read(sequence(from))) {
    expect(damage).toEqual([]);
    for (const entry of entries) read.push([entry.sequence, Buffer.from(entry.bytes).toString()]);
  }
  return read;
}

const group = (...texts: string[]) => texts.map((text) => Buffer.from(text));

/** What every log promises, whatever it is kept in. */
export function describeLog(adapter: LogAdapter): void {
  describe(`log contract: ${adapter.name}`, () => {
    it('numbers entries from 0 without gaps and gives back exactly the bytes', async () => {
      await using log = await adapter.open();
      expect([log.start, log.end]).toEqual([0, 0]);
      const odd = Buffer.from([0, 255, 10, 0xf5, 0xfa]);
      expect(await log.append(group('a', ''))).toBe(0);
      expect(await log.append([odd])).toBe(2);
      expect(log.end).toBe(3);
      const read = [];
      for await (const batch of log.read(sequence(0))) read.push(...batch.entries);
      expect(read.map((entry) => [entry.sequence, Buffer.from(entry.bytes)])).toEqual([
        [0, Buffer.from('a')],
        [1, Buffer.alloc(0)],
        [2, odd],
      ]);
    });

    it('keeps the order in which concurrent appends were called', async () => {
      await using log = await adapter.open();
      const texts = Array.from({ length: 3000 }, (_, index) => `entry ${index}`);
      const sequences = await Promise.all(texts.map((text) => log.append(group(text, text))));
      expect(sequences).toEqual(texts.map((_, index) => index * 2));
      expect(await readAll(log)).toEqual(
        texts.flatMap((text, index) => [
          [index * 2, text],
          [index * 2 + 1, text],
        ]),
      );
    });

    it('has made an entry readable and told listeners before the append resolves', async () => {
      await using log = await adapter.open();
      const heard: [number, string][] = [];
      const stop = log.onDurable((entries) => {
        expect(log.end).toBe((entries.at(-1)?.sequence ?? 0) + 1);
        for (const { sequence, bytes } of entries) heard.push([sequence, Buffer.from(bytes).toString()]);
      });
      await log.append(group('a', 'b'));
      expect(heard).toEqual([
        [0, 'a'],
        [1, 'b'],
      ]);
      expect(await readAll(log)).toEqual(heard);
      stop();
      await log.append(group('c'));
      expect(heard.length).toBe(2);
    });

    it('reads from any entry up to where the log ended at the call', async () => {
      await using log = await adapter.open();
      for (let index = 0; index < 1000; index += 1) void log.append(group(String(index)));
      await log.append(group('last'));
      for (const from of [0, 1, 256, 999, 1000]) {
        expect((await readAll(log, from)).map(([at]) => at)).toEqual(
          Array.from({ length: 1001 - from }, (_, index) => from + index),
        );
      }
      expect(await readAll(log, 1001)).toEqual([]);
      expect(await readAll(log, 5000)).toEqual([]);
      const reading = log.read(sequence(999));
      await log.append(group('later'));
      const seen = [];
      for await (const batch of reading) seen.push(...batch.entries.map((entry) => entry.sequence));
      expect(seen).toEqual([999, 1000]);
    });

    it('refuses at once, and takes nothing of, what is over the bounds in flight', async () => {
      await using log = await adapter.open({ bytes: 100, entries: 5, entryBytes: 50 });
      const taken = [log.append(group('a', 'b')), log.append(group('c', 'd'))];
      await expect(log.append(group('e', 'f'))).rejects.toThrow(OverloadError);
      await Promise.all(taken);
      expect(await log.append([Buffer.alloc(50), Buffer.alloc(50)])).toBe(4);
      const large = log.append([Buffer.alloc(50), Buffer.alloc(40)]);
      await expect(log.append([Buffer.alloc(20)])).rejects.toThrow(OverloadError);
      expect(await large).toBe(6);
      expect(log.end).toBe(8);
      expect((await readAll(log)).length).toBe(8);
    });

    it('refuses what could never fit as a mistake, not as overload', async () => {
      await using log = await adapter.open({ bytes: 100, entries: 5, entryBytes: 50 });
      await expect(log.append([])).rejects.toThrow(RangeError);
      await expect(log.append([Buffer.alloc(51)])).rejects.toThrow(RangeError);
      await expect(log.append([50, 50, 1].map((size) => Buffer.alloc(size)))).rejects.toThrow(RangeError);
      await expect(log.append(group('1', '2', '3', '4', '5', '6'))).rejects.toThrow(RangeError);
      expect(log.end).toBe(0);
    });

    it('lets go of nothing that is asked to stay', async () => {
      await using log = await adapter.open();
      for (let index = 0; index < 50; index += 1) await log.append([Buffer.alloc(1000, index)]);
      const before = await log.sizeBytes();
      await log.trim(sequence(20));
      expect(log.start).toBeLessThanOrEqual(20);
      expect(log.start).toBeGreaterThan(0);
      expect(await log.sizeBytes()).toBeLessThan(before);
      expect((await readAll(log, 0)).map(([at]) => at)).toEqual(
        Array.from({ length: 50 - log.start }, (_, index) => log.start + index),
      );
      await log.trim(sequence(0));
      expect(await log.append(group('next'))).toBe(50);
    });

    it('takes nothing once it is closed, and has made durable what it took before', async () => {
      const log = await adapter.open();
      const taken = [log.append(group('a')), log.append(group('b'))];
      await log[Symbol.asyncDispose]();
      expect(await Promise.all(taken)).toEqual([0, 1]);
      await expect(log.append(group('c'))).rejects.toThrow('closed');
    });

    it.runIf('reopen' in adapter)('is the same after it was closed and opened again', async () => {
      const first = await adapter.open();
      for (let index = 0; index < 100; index += 1)
        await first.append([Buffer.alloc(500, 'x'), Buffer.from(`${index}`)]);
      const before = await readAll(first);
      await using log = (await adapter.reopen?.(first)) ?? first;
      expect(log.end).toBe(200);
      expect(await readAll(log)).toEqual(before);
      expect(await log.append(group('more'))).toBe(200);
      expect(await readAll(log, 199)).toEqual([
        [199, '99'],
        [200, 'more'],
      ]);
    });
  });
}
