import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SettingError } from '../../kernel/index.ts';
import { openMemoryCursors, openMemoryLog } from '../../store/memory/index.ts';
import { isConsistent } from './merkle-tree.ts';
import { checkProof, formatProof } from './proof-file.ts';
import { parseVerifierKey } from './signed-note.ts';
import {
  keptLog,
  lasting,
  openHome,
  openTestLog,
  record,
  serve,
  sha256,
  type Home,
  type TestLog,
} from '../../../test/tlog-fixture.ts';
import { tilePath } from './tile-path.ts';
import { openTileProofs } from './tile-proofs.ts';
import { readWitnesses } from './witness-settings.ts';

/** A witness as the specification tlog-witness has it, with nothing of the log's own code but the check of the proof. */
function openWitness(logKey: string) {
  const seed = Buffer.alloc(32, 11);
  const key = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(12);
  const name = 'witness.example/w1';
  const id = hash('sha256', Buffer.concat([Buffer.from(`${name}\n\u0004`), publicKey]), 'buffer').subarray(
    0,
    4,
  );
  const [origin = '', logId = '', encoded = ''] = /^([^+]+)\+([^+]+)\+(.+)$/.exec(logKey)?.slice(1) ?? [];
  const logPublic = createPublicKey({
    key: Buffer.concat([
      Buffer.from('302a300506032b6570032100', 'hex'),
      Buffer.from(encoded, 'base64').subarray(1),
    ]),
    format: 'der',
    type: 'spki',
  });
  let latest = { size: 0, root: Buffer.alloc(0) };
  let time = 1_679_315_147n;
  const asked: string[] = [];
  let broken: { status: number; text: string } | undefined;

  function addCheckpoint(body: string): { status: number; type?: string; text: string } {
    const [, oldText = '', proofText = '', note = ''] =
      /^old (\d+)\n((?:[A-Za-z0-9+/=]{44}\n)*)\n(.*)$/s.exec(body) ?? [];
    const [text = '', signature = ''] = note.split(/\n\n/).map((part) => `${part}\n`);
    if (note === '') return { status: 400, text: 'malformed' };
    const [named = '', sizeText = '', rootText = ''] = text.split('\n');
    if (named !== origin) return { status: 404, text: '' };
    const bytes = Buffer.from(/^— \S+ (\S+)\n/u.exec(signature)?.[1] ?? '', 'base64');
    if (
      bytes.subarray(0, 4).toString('hex') !== logId ||
      !verify(null, Buffer.from(text), logPublic, bytes.subarray(4))
    ) {
      return { status: 403, text: '' };
    }
    const [old, size, root] = [Number(oldText), Number(sizeText), Buffer.from(rootText, 'base64')];
    if (old > size) return { status: 400, text: '' };
    if (old !== latest.size) return { status: 409, type: 'text/x.tlog.size', text: `${latest.size}\n` };
    if (old === size && size > 0 && !root.equals(latest.root)) {
      return { status: 409, type: 'text/x.tlog.size', text: `${latest.size}\n` };
    }
    const proof = proofText
      .split('\n')
      .slice(0, -1)
      .map((line) => Buffer.from(line, 'base64'));
    const holds = old === 0 ? proof.length === 0 : isConsistent(latest, { size, root }, proof);
    if (!holds) return { status: 422, text: '' };
    latest = { size, root };
    const stamp = Buffer.alloc(8);
    stamp.writeBigUInt64BE(time);
    const cosignature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), key);
    time += 1n;
    return { status: 200, text: `— ${name} ${Buffer.concat([id, stamp, cosignature]).toString('base64')}\n` };
  }
  return {
    verifierKey: `${name}+${id.toString('hex')}+${Buffer.concat([Buffer.of(4), publicKey]).toString('base64')}`,
    asked,
    get size() {
      return latest.size;
    },
    forget: () => (latest = { size: 0, root: Buffer.alloc(0) }),
    breakWith: (answer: typeof broken) => (broken = answer),
    answer(url: string, body: string) {
      asked.push(body.split('\n')[0] ?? '');
      if (url !== '/add-checkpoint') return { status: 404, text: 'no such path' };
      return broken ?? addCheckpoint(body);
    },
  };
}

async function keyOf(home: Home): Promise<string> {
  await using log = await openTestLog(home);
  return log.proofs.key;
}

/** A home whose log has a witness, and the witness. */
async function openWitnessed() {
  const home = await openHome();
  const witness = openWitness(await keyOf(home));
  const server = await serve((url, body) => witness.answer(url, body));
  return {
    home,
    witness,
    witnesses: `${witness.verifierKey} ${server.url}/`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

async function append(log: TestLog, ...names: string[]): Promise<void> {
  await log.append(...names.map((name) => ['record', record(name)] as const));
  await log.proofs.settled();
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => void setImmediate(resolve));
}

/** The files and the journal of a home as they are now, as a copy or a backup has them. */
async function copyOf(home: Home): Promise<Home> {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-tlog-'));
  cpSync(home.directory, directory, { recursive: true });
  const [entries, pages, cursors] = [await openMemoryLog(), await openMemoryLog(), await openMemoryCursors()];
  for (const [from, to] of [[home.entries, entries] as const, [home.pages, pages] as const]) {
    for await (const batch of from.read(from.start)) await to.append(batch.entries.map(({ bytes }) => bytes));
  }
  for (const [name, at] of home.cursors.all()) await cursors.save(name, at);
  return {
    ...home,
    directory,
    entries: lasting(entries),
    pages: lasting(pages),
    cursors: lasting(cursors),
    [Symbol.asyncDispose]: () => Promise.resolve(rmSync(directory, { recursive: true })),
  };
}

describe('a witness', () => {
  it('cosigns each checkpoint, and a proof shows it', async () => {
    await using given = await openWitnessed();
    const { home, witness, witnesses } = given;
    await using log = await openTestLog(home, { witnesses });
    await append(log, 'a', 'b', 'c');
    await append(log, 'd');
    await until(async () => (await log.text('checkpoint')).includes('— witness.example/w1 '));
    expect(witness.size).toBe(4);
    expect(log.proofs.problems).toEqual([]);

    const checkpoint = await log.text('checkpoint');
    const readTile = (level: number, index: number, width: number) =>
      log.bytes(tilePath({ level, index, width }));
    const hashes = await openTileProofs(readTile, 4).inclusion(2);
    const proof = formatProof({ entry: sha256(record('c')), index: 2, hashes, checkpoint });
    const key = parseVerifierKey(log.proofs.key);
    const asked = [parseVerifierKey(witness.verifierKey)];
    const { cosigned } = checkProof(proof, { key, witnesses: asked });
    expect(cosigned.map(({ name }) => name)).toEqual(['witness.example/w1']);
    expect(cosigned[0]?.time).toBeGreaterThanOrEqual(1_679_315_147);

    // Any flipped bit of the cosignature is found by whoever asks for it.
    const line = checkpoint.slice(checkpoint.indexOf('— witness'));
    const at = proof.length - line.length + '— witness.example/w1 '.length;
    for (let place = at; place < proof.length - 2; place += 1) {
      const changed = proof.slice(0, place) + (proof[place] === 'A' ? 'B' : 'A') + proof.slice(place + 1);
      expect(() => checkProof(changed, { key, witnesses: asked })).toThrow();
    }
  });

  it('is asked from where it is after a start, and cosigns on', async () => {
    await using given = await openWitnessed();
    const { home, witness, witnesses } = given;
    {
      await using log = await openTestLog(home, { witnesses });
      await append(log, 'a', 'b', 'c');
      await until(() => witness.size === 3);
    }
    witness.asked.length = 0;
    await using log = await openTestLog(home, { witnesses });
    await append(log, 'd', 'e');
    await until(() => witness.size === 5);
    // Nothing is remembered over a start: the first question teaches the size.
    expect(witness.asked.slice(0, 2)).toEqual(['old 0', 'old 3']);
    witness.forget();
    await append(log, 'f');
    await until(() => witness.size === 6);
    expect(log.proofs.problems).toEqual([]);
  });

  it('that is away holds nothing up, is told of once, and is shown', async () => {
    await using home = await openHome();
    const witness = openWitness(await keyOf(home));
    const { log: kept, lines } = keptLog();
    const gone = await serve((url, body) => witness.answer(url, body));
    await gone[Symbol.asyncDispose]();
    const witnesses = `${witness.verifierKey} ${gone.url}`;
    await using log = await openTestLog(home, { witnesses, log: kept });
    await append(log, 'a');
    await append(log, 'b');
    expect(log.proofs.size).toBe(2);
    await until(() => log.proofs.problems.length > 0);
    expect(log.proofs.problems.join()).toMatch(/witness.example\/w1 does not cosign: .*ECONNREFUSED/);
    expect(lines.filter((line) => line.includes('does not cosign'))).toHaveLength(1);
  });

  it.each([
    [404, 'does not know this log'],
    [403, 'another key of this log'],
    [500, 'answered 500'],
    [200, 'without a cosignature'],
    [409, '409 without the size'],
  ])('that answers %i is shown with its reason', async (status, words) => {
    await using given = await openWitnessed();
    const { home, witness, witnesses } = given;
    witness.breakWith({ status, text: 'nonsense' });
    await using log = await openTestLog(home, { witnesses });
    await append(log, 'a');
    await until(() => log.proofs.problems.length > 0);
    expect(log.proofs.problems.join()).toContain(words);
    expect(await log.text('checkpoint')).not.toContain('witness');
  });

  it('notices that the newest records were deleted', async () => {
    await using given = await openWitnessed();
    const { home, witness, witnesses } = given;
    {
      await using log = await openTestLog(home, { witnesses });
      await append(log, 'a', 'b', 'c');
    }
    await using older = await copyOf(home);
    {
      await using log = await openTestLog(home, { witnesses });
      await append(log, 'd', 'e');
      await until(() => witness.size === 5);
    }
    const { log: kept, lines } = keptLog();
    await using log = await openTestLog(older, { witnesses, log: kept });
    await until(() => log.proofs.problems.length > 0);
    expect(log.proofs.problems.join()).toContain('it has seen 5 records of this log, and only 3 are here');
    expect(
      lines.filter((line) => line.includes('ALERT: THE RECORD OF EVENTS WAS TAMPERED WITH')),
    ).toHaveLength(1);
    expect(witness.size).toBe(5);
  });

  it('notices that other records were put in the place of deleted ones', async () => {
    await using given = await openWitnessed();
    const { home, witness, witnesses } = given;
    {
      await using log = await openTestLog(home, { witnesses });
      await append(log, 'a', 'b', 'c');
    }
    await using older = await copyOf(home);
    {
      await using log = await openTestLog(home, { witnesses });
      await append(log, 'd', 'e');
      await until(() => witness.size === 5);
    }
    {
      await using log = await openTestLog(older);
      await append(log, 'x', 'y', 'z');
    }
    await using log = await openTestLog(older, { witnesses });
    await until(() => log.proofs.problems.length > 0);
    expect(log.proofs.problems.join()).toContain(
      'the 5 records that it has seen are not the first 5 that are here',
    );
  });
});

describe('the setting of witnesses', () => {
  const one = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  it('is a list', async () => {
    const [witness, ...more] = await readWitnesses(`${one} https://witness.example/sub/`);
    expect([witness?.key.name, witness?.url, more.length]).toEqual([
      'PeterNeumann',
      'https://witness.example/sub',
      0,
    ]);
  });

  it.each([
    `${one} ftp://witness.example`,
    `${one} https://witness.example more`,
    `${one.slice(0, -4)} https://witness.example`,
    `${one} https://a.example, ${one} https://b.example`,
    '/nonexistent/witnesses',
  ])('%j is refused', async (setting) => {
    await expect(readWitnesses(setting)).rejects.toThrow(SettingError);
  });
});
