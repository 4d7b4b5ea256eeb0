import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { manualClock, silentLog } from '../../kernel/index.ts';
import { dayMs, entries, expectedIds, idsOf, start } from './numbered-events.ts';
import { openHistory } from './open-history.ts';
import { openBlockPacker, unpackBlock } from './raw-blocks.ts';

const records = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 32 });

describe('blocks of raw records', () => {
  test('give every record back byte for byte, with and without bytes of zero', async () => {
    await using packer = openBlockPacker(undefined, 3);
    await fc.assert(
      fc.asyncProperty(records, fc.boolean(), async (given, isJson) => {
        const written = isJson ? given.map((record) => record.map((byte) => byte || 1)) : given;
        const block = unpackBlock(await packer.pack(written), undefined);
        expect(block.records).toBe(written.length);
        for (const [slot, record] of written.entries())
          expect(block.record(slot)).toEqual(Buffer.from(record));
        const holdsAll = (record: Uint8Array) => block.body.includes(Buffer.from(record));
        expect(written.every(holdsAll)).toBe(true);
      }),
    );
  });

  test('are read where they say the lengths, as those of segment version 1 do', () => {
    const long = 'x'.repeat(200);
    const bytes = Buffer.concat([Buffer.from([2, 1, 200, 1]), Buffer.from(`y${long}`)]);
    const block = unpackBlock(zstdCompressSync(bytes), undefined);
    expect([block.record(0).toString(), block.record(1).toString()]).toEqual(['y', long]);
    expect(block.body.toString()).toBe(`y${long}`);
  });
});

describe('the version of a history', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'cairn-history-'))));
  afterEach(() => rmSync(directory, { recursive: true }));
  const open = () => openHistory({ directory, clock: manualClock(start + dayMs), log: silentLog });
  const manifest = () => join(directory, 'manifest.json');
  const setVersion = (version: number) => {
    const [, body = ''] = readFileSync(manifest(), 'utf8').split('\n');
    const changed = JSON.stringify({ ...(JSON.parse(body) as object), version });
    writeFileSync(manifest(), `${crc32(changed).toString(16).padStart(8, '0')}\n${changed}\n`);
  };
  test('1 opens, and is 2 from the next change on', async () => {
    {
      await using history = await open();
      await history.apply(entries(0, 60));
      await history.flush();
    }
    setVersion(1);
    await using history = await open();
    await history.apply(entries(60, 90));
    await history.flush();
    expect(await idsOf(history)).toEqual(expectedIds(0, 90));
    expect(readFileSync(manifest(), 'utf8')).toContain('"version":2');
  });

  test('that is newer than the program is refused, and nothing is touched', async () => {
    {
      await using history = await open();
      await history.apply(entries(0, 60));
      await history.flush();
    }
    setVersion(3);
    const before = readFileSync(manifest());
    await expect(open()).rejects.toThrow('start the newer program again');
    expect(readFileSync(manifest())).toEqual(before);
  });
});
