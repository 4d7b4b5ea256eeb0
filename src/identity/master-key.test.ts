import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../kernel/index.ts';
import { deriveCipher } from './cipher.ts';
import { masterKeyFrom, openMasterKey } from './master-key.ts';

const random = seededRandom(7);
let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-master-key-'));
  file = join(directory, 'master.key');
});
afterEach(() => rm(directory, { recursive: true }));

const open = (encryptedDataExists = false) => openMasterKey({ file, encryptedDataExists, random });

describe('the master key file', () => {
  it('is created for its owner alone, and opens again to the same key', async () => {
    const envelope = (await open()).sealSecret('hush', 'iam/access-key/A');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['master.key']);
    expect((await open(true)).openSecret(envelope, 'iam/access-key/A')).toBe('hush');
  });

  it('is not used when others can read it', async () => {
    await open();
    await chmod(file, 0o640);
    await expect(open(true)).rejects.toThrow(/mode 640.*chmod 600/);
  });

  it('is not made anew while there are secrets under the old one', async () => {
    await expect(open(true)).rejects.toThrow(/missing.*backup/);
    expect(await readdir(directory)).toEqual([]);
  });

  it.each(['', 'cairn-master-key:v1:', 'cairn-master-key:v2:AAAA', 'something else'])(
    'is not used when it holds %j',
    async (text) => {
      await writeFile(file, text, { mode: 0o600 });
      await expect(open()).rejects.toThrow(/not a master key/);
      expect(await readFile(file, 'utf8')).toBe(text);
    },
  );
});

describe('encryption under the master key', () => {
  const key = masterKeyFrom(random.bytes(32), random);

  it('opens a secret only in its own document, under its own master key', () => {
    const envelope = key.sealSecret('hush', 'iam/access-key/A');
    expect(envelope).toMatch(/^v1:/);
    expect(envelope).not.toContain(Buffer.from('hush').toString('base64').slice(0, 4));
    expect(key.openSecret(envelope, 'iam/access-key/A')).toBe('hush');
    expect(() => key.openSecret(envelope, 'iam/access-key/B')).toThrow(/cannot be decrypted/);
    const other = masterKeyFrom(random.bytes(32), random);
    expect(() => other.openSecret(envelope, 'iam/access-key/A')).toThrow(/cannot be decrypted/);
    expect(() => key.openSecret(envelope.slice(3), 'iam/access-key/A')).toThrow(/cannot be decrypted/);
  });

  it('gives back what was sealed, and nothing once a bit has changed', () => {
    const cipher = deriveCipher(random.bytes(32), 'test', random);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), fc.nat(), (plain, context, place) => {
        const sealed = cipher.seal(plain, context);
        expect(cipher.open(sealed, context)).toEqual(Buffer.from(plain));
        const bit = place % (sealed.length * 8);
        sealed[bit >> 3] = (sealed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(cipher.open(sealed, context)).toBeUndefined();
        expect(cipher.open(sealed.subarray(0, place % sealed.length), context)).toBeUndefined();
      }),
    );
  });

  it('keeps what is sealed for one purpose from opening for another', () => {
    const master = random.bytes(32);
    const sealed = deriveCipher(master, 'one', random).seal(Buffer.from('x'), 'c');
    expect(deriveCipher(master, 'two', random).open(sealed, 'c')).toBeUndefined();
  });
});
