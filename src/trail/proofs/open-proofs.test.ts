import {
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SettingError } from '../../kernel/index.ts';
import { openMemoryLog } from '../../store/memory/index.ts';
import { openCheckpoint } from './checkpoint.ts';
import { isConsistent } from './merkle-tree.ts';
import { checkProof, formatProof } from './proof-file.ts';
import { referenceLeaf, referenceRoot } from './reference-tree.ts';
import { parseVerifierKey } from './signed-note.ts';
import {
  keptLog,
  lasting,
  openHome,
  openTestLog,
  record,
  sha256,
  type Home,
  type TestLog,
} from '../../../test/tlog-fixture.ts';
import { tilePath } from './tile-path.ts';
import { openTileProofs } from './tile-proofs.ts';

const rootOf = (records: readonly Uint8Array[]) =>
  referenceRoot(records.map((one) => referenceLeaf(sha256(one).toString('hex'))));

async function checkpointOf(log: TestLog) {
  return openCheckpoint(await log.text('checkpoint'), parseVerifierKey((await log.text('key')).trim()));
}

const records = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => record(`${from + at}`));

async function appendAll(log: TestLog, given: readonly Uint8Array[]): Promise<void> {
  for (let at = 0; at < given.length; at += 500) {
    await log.append(...given.slice(at, at + 500).map((one) => ['record', one] as const));
  }
  await log.proofs.settled();
}

/** Proofs from the tiles that the log serves. */
const proofsOf = (log: TestLog, size: number) =>
  openTileProofs((level, index, width) => log.bytes(tilePath({ level, index, width })), size);

function flip(file: string, offset: number): void {
  const bytes = readFileSync(file);
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.of((bytes[offset] ?? 0) ^ 1), 0, 1, offset);
  closeSync(handle);
}

async function filled(home: Home, count: number): Promise<string> {
  await using log = await openTestLog(home);
  const change = ['change', Buffer.from('{}')] as const;
  await log.append(change, change);
  await appendAll(log, records(0, count - 1));
  await log.append(change, ['imported', record(String(count - 1))], change);
  await log.proofs.settled();
  return log.text('checkpoint');
}

describe('the log', () => {
  it('has every record as a leaf, in the order of the journal, and no change', async () => {
    await using home = await openHome();
    await using log = await openTestLog(home);
    await log.append(['change', Buffer.from('{}')], ['record', record('a')]);
    await log.append(['imported', record('b')], ['change', Buffer.from('{}')], ['ingested', record('c')]);
    await log.proofs.settled();
    const { size, root, origin } = await checkpointOf(log);
    const leaves = [record('a'), record('b'), record('c')];
    expect([origin, size, Buffer.from(root).toString('hex')]).toEqual(['example.com/log', 3, rootOf(leaves)]);
    const bundle = await log.bytes('tile/entries/000.p/3');
    expect(bundle).toEqual(Buffer.concat(leaves.flatMap((leaf) => [Buffer.of(0, 32), sha256(leaf)])));
    expect((await log.bytes('tile/0/000.p/2')).toString('hex')).toBe(
      [record('a'), record('b')].map((leaf) => referenceLeaf(sha256(leaf).toString('hex'))).join(''),
    );
  });

  it('is empty at first, and signed all the same', async () => {
    await using home = await openHome();
    await using log = await openTestLog(home);
    await log.proofs.settled();
    expect((await checkpointOf(log)).size).toBe(0);
  });

  it('proves each record, through a leaf that is found by its hash', async () => {
    await using home = await openHome();
    await using log = await openTestLog(home);
    const given = records(0, 700);
    await appendAll(log, given);
    const checkpoint = await log.text('checkpoint');
    const key = parseVerifierKey(log.proofs.key);
    const { size } = openCheckpoint(checkpoint, key);
    for (const at of [0, 255, 256, 511, 699]) {
      const one = given[at] ?? Buffer.alloc(0);
      const found = await log.get('/_cairn/tlog-leaf', `sha256=${sha256(one).toString('hex')}`);
      const { index } = JSON.parse(found.body as string) as { index: number };
      expect(index).toBe(at);
      const hashes = await proofsOf(log, size).inclusion(index);
      const proof = formatProof({ entry: sha256(one), index, hashes, checkpoint });
      expect(checkProof(proof, { key, record: one }).index).toBe(at);
    }
    const unknown = log.get('/_cairn/tlog-leaf', `sha256=${'0'.repeat(64)}`);
    await expect(unknown).rejects.toThrow(/No record with the SHA-256/);
    await expect(log.get('/_cairn/tlog-leaf', 'sha256=12')).rejects.toThrow(/64 hexadecimal digits/);
  });

  it('serves what is under the checkpoint and nothing else', async () => {
    await using home = await openHome();
    await using log = await openTestLog(home);
    await appendAll(log, records(0, 300));
    const answer = await log.get('/_cairn/tlog/tile/0/000');
    expect(answer.headers).toEqual({
      'content-type': 'application/octet-stream',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect((await log.get('/_cairn/tlog/checkpoint')).headers?.['content-type']).toBe(
      'text/plain; charset=utf-8',
    );
    expect((await log.bytes('tile/1/000.p/1')).length).toBe(32);
    expect((await log.bytes('tile/0/001.p/44')).length).toBe(44 * 32);
    for (const path of [
      'tile/0/001',
      'tile/0/001.p/45',
      'tile/1/000',
      'tile/2/000.p/1',
      'tile/0/..',
      'entries',
      '',
    ]) {
      await expect(log.get(`/_cairn/tlog/${path}`), path).rejects.toThrow(/nothing at this path/);
    }
  });

  it('goes on with the same tree after a start, whatever lies behind the last signature', async () => {
    await using home = await openHome();
    const before = await filled(home, 300);
    // What a crash leaves: entries that were written and never signed over.
    writeFileSync(join(home.directory, 'entries'), Buffer.alloc(64, 5), { flag: 'a' });
    writeFileSync(join(home.directory, 'level-1'), Buffer.alloc(64, 5), { flag: 'a' });
    await using log = await openTestLog(home);
    expect(await log.text('checkpoint')).toBe(before);
    await appendAll(log, records(300, 400));
    const [older, newer] = [
      openCheckpoint(before, parseVerifierKey(log.proofs.key)),
      await checkpointOf(log),
    ];
    expect(newer.size).toBe(700);
    expect(Buffer.from(newer.root).toString('hex')).toBe(rootOf(records(0, 700)));
    expect(isConsistent(older, newer, await proofsOf(log, 700).consistency(300))).toBe(true);
  });

  it('signs nothing anew when nothing was added', async () => {
    await using home = await openHome();
    const before = await filled(home, 10);
    for (let round = 0; round < 3; round += 1) {
      await using log = await openTestLog(home);
      await log.proofs.settled();
      expect(await log.text('checkpoint')).toBe(before);
    }
  });

  it('goes on after failures of any step, and takes no record twice', async () => {
    await using home = await openHome();
    const { log: kept, lines } = keptLog();
    await using log = await openTestLog(home, { log: kept });
    await appendAll(log, records(0, 100));
    // A level cannot be made while a directory has its name, and the head cannot be written while one has its.
    for (const [round, name] of ['level-1', 'head.json.new'].entries()) {
      const inTheWay = join(home.directory, name);
      mkdirSync(inTheWay);
      const from = 100 + round * 300;
      for (const part of [records(from, 200), records(from + 200, 100)]) {
        await log.append(...part.map((one) => ['record', one] as const));
        await expect(log.proofs.settled()).rejects.toThrow(/EISDIR/);
      }
      expect(log.proofs.size).toBe(from);
      rmSync(inTheWay, { recursive: true });
      await log.proofs.settled();
      expect(log.proofs.size).toBe(from + 300);
    }
    const { size, root } = await checkpointOf(log);
    expect([size, Buffer.from(root).toString('hex')]).toEqual([700, rootOf(records(0, 700))]);
    expect(lines.join('')).not.toContain('ALERT');
  });

  it('lets the journal go only of what is signed', async () => {
    await using home = await openHome();
    await using log = await openTestLog(home);
    await appendAll(log, records(0, 50));
    expect(home.cursors.all().get('tlog')).toBe(50);
  });

  it('grows from the archive of hashes where the journal has let go of entries', async () => {
    await using home = await openHome();
    const given = records(0, 3_000);
    {
      await using log = await openTestLog(home);
      await appendAll(log, given.slice(0, 2_000));
    }
    // A data directory of an earlier version: no tree, and a journal whose oldest entries are gone.
    await using other = await openHome();
    await home.entries.trim(home.entries.end);
    expect(home.entries.start).toBe(2_000);
    const moved: Home = { ...home, directory: other.directory };
    await using log = await openTestLog(moved);
    while (!log.proofs.reader) await new Promise((resolve) => void setImmediate(resolve));
    await appendAll(log, given.slice(2_000));
    const { size, root } = await checkpointOf(log);
    expect([size, Buffer.from(root).toString('hex')]).toEqual([3_000, rootOf(given)]);
  });
});

describe('a tree whose files are damaged', () => {
  it.each([
    ['entries cut off', (directory: string) => truncateSync(join(directory, 'entries'), 100)],
    ['a level cut off', (directory: string) => truncateSync(join(directory, 'level-1'), 0)],
    ['an entry at the edge', (directory: string) => flip(join(directory, 'entries'), 32 * 299)],
    ['a hash of a full tile', (directory: string) => flip(join(directory, 'level-1'), 3)],
  ])('%s: is made anew from the archive, and is the one that was signed', async (_what, damage) => {
    await using home = await openHome();
    const before = await filled(home, 300);
    damage(home.directory);
    const { log: kept, lines } = keptLog();
    await using log = await openTestLog(home, { log: kept });
    await appendAll(log, records(300, 1));
    expect(lines.join('')).toContain('made anew');
    expect(log.proofs.problems).toEqual([]);
    const newer = await checkpointOf(log);
    expect(Buffer.from(newer.root).toString('hex')).toBe(rootOf(records(0, 301)));
    const older = openCheckpoint(before, parseVerifierKey(log.proofs.key));
    expect(isConsistent(older, newer, await proofsOf(log, 301).consistency(300))).toBe(true);
  });

  it('any flipped bit of a full tile is found when it is asked for, and mended', async () => {
    await using home = await openHome();
    await filled(home, 600);
    await using log = await openTestLog(home);
    await log.proofs.settled();
    for (const offset of [0, 4_000, 8_191]) {
      flip(join(home.directory, 'entries'), offset);
      await expect(log.bytes('tile/0/000')).rejects.toThrow(/made anew/);
      await log.proofs.settled();
      expect((await log.bytes('tile/0/000')).length).toBe(8_192);
    }
    expect(statSync(join(home.directory, 'entries')).size).toBe(600 * 32);
  });

  it('whose records are not those that were signed signs nothing any more, and says so', async () => {
    await using home = await openHome();
    const before = await filled(home, 300);
    flip(join(home.directory, 'entries'), 32 * 299);
    const pages = lasting(await openMemoryLog());
    for await (const { entries } of home.pages.read(home.pages.start)) {
      for (const { bytes } of entries) {
        const changed = Buffer.from(bytes);
        changed[40] = (changed[40] ?? 0) ^ 1;
        await pages.append([changed]);
      }
    }
    const { log: kept, lines } = keptLog();
    await using log = await openTestLog({ ...home, pages }, { log: kept });
    await expect(log.proofs.settled()).rejects.toThrow(/not those that are kept/);
    await log.append(['record', record('new')]);
    await log.proofs.reader?.reached(log.stream.end);
    expect(await log.text('checkpoint')).toBe(before);
    expect(log.proofs.problems.join()).toContain('TAMPERING');
    expect(lines.filter((line) => line.includes('ALERT'))).toHaveLength(1);
  });

  it('whose journal lost its newest entries says so', async () => {
    await using home = await openHome();
    await filled(home, 300);
    const entries = lasting(await openMemoryLog());
    await using log = await openTestLog({ ...home, entries });
    expect(log.proofs.problems.join()).toContain('the newest were deleted');
  });

  it('whose head cannot be read is built anew, and is the same tree', async () => {
    await using home = await openHome();
    const before = await filled(home, 300);
    flip(join(home.directory, 'head.json'), 60);
    const { log: kept, lines } = keptLog();
    await using log = await openTestLog(home, { log: kept });
    await log.proofs.settled();
    expect(await log.text('checkpoint')).toBe(before);
    expect(lines.join('')).toContain('head.json');
  });
});

describe('the name of the log', () => {
  it('is kept for good', async () => {
    await using home = await openHome();
    await filled(home, 1);
    await expect(openTestLog(home, { logOrigin: 'example.com/other' })).rejects.toThrow(SettingError);
    await using log = await openTestLog(home, { logOrigin: undefined });
    expect(log.proofs.key.startsWith('example.com/log+')).toBe(true);
  });

  it('is made of the account and the key where none is set', async () => {
    await using home = await openHome();
    await using log = await openTestLog(home, { logOrigin: undefined });
    expect(log.proofs.key).toMatch(/^cairn\/000000000000\/[0-9a-f]{8}\+[0-9a-f]{8}\+/);
  });
});
