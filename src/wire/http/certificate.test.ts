import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { manualClock, silentLog } from '../../kernel/index.ts';
import { readCertificate, watchCertificate } from './certificate.ts';
import { selfSigned } from './self-signed.ts';

let directory: string;
const files = () => ({ certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') });
const { cert, key } = selfSigned(1);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-certificate-'));
  await writeFile(files().certFile, cert);
  await writeFile(files().keyFile, key);
});
afterEach(() => rm(directory, { recursive: true }));

it('is refused with a key of another algorithm, which OpenSSL takes without a word', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(files().keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await expect(readCertificate(files())).rejects.toThrow(
    /belong together .* the key is not that of the certificate/,
  );
});

it.each([
  ['2049-12-01T00:00:00Z', []],
  ['2049-12-30T00:00:00Z', ['expires at 2049-12-31T23:59:59.000Z: renew it']],
  ['2050-01-01T00:00:00Z', ['expired at 2049-12-31T23:59:59.000Z, and clients refuse it: renew it']],
])('says at %s what its end means', async (now, said) => {
  const clock = manualClock(Date.parse(now));
  const watched = watchCertificate(
    files(),
    await readCertificate(files()),
    { clock, log: silentLog },
    () => {},
  );
  expect(watched.problems).toEqual(
    said.map((text) => expect.stringContaining(`${files().certFile} ${text}`)),
  );
  watched.stop();
});

it.each([
  ['half written', cert.slice(0, 300)],
  ['empty', ''],
  ['of another key', selfSigned(2).cert],
])('stays while the file on disk is %s, says so, and is replaced once that is whole', async (_, text) => {
  const clock = manualClock(Date.parse('2026-01-01'));
  const used: string[] = [];
  const watched = watchCertificate(
    files(),
    await readCertificate(files()),
    { clock, log: silentLog },
    (found) => used.push(found.cert.toString()),
  );
  const turn = async () => {
    await clock.advance(5_000);
    return watched.problems;
  };
  await writeFile(files().certFile, text);
  await expect.poll(turn).toEqual([expect.stringContaining('cannot be used, the one in use stays')]);
  expect(used).toEqual([]);
  await writeFile(files().certFile, `${cert}\n`);
  await expect.poll(turn).toEqual([]);
  expect(used).toEqual([`${cert}\n`]);
  watched.stop();
});
