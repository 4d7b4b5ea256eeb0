import { constants } from 'node:fs';
import { link, open, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Random } from '../kernel/index.ts';
import { deriveCipher, type Cipher } from './cipher.ts';

/** The key under which secrets at rest and session tokens are encrypted. */
export interface MasterKey {
  /** Encrypts a secret for the document with this key: `v1:` and base 64. */
  sealSecret(secret: string, documentKey: string): string;
  /** Throws MasterKeyError when the envelope was not sealed for this document under this master key. */
  openSecret(envelope: string, documentKey: string): string;
  /** For session tokens. */
  readonly sessions: Cipher;
  /** Encrypts what another part keeps, such as `kms/v1`; what was sealed for one purpose opens for no other. */
  cipher(purpose: string): Cipher;
}

/** The master key cannot be used. The message says what to do, and is meant for the person who starts Cairn. */
class MasterKeyError extends Error {
  override name = 'MasterKeyError';
}

const header = 'cairn-master-key:v1:';
const keyBytes = 32;
const version = 'v1:';

/** A master key of these 32 bytes. */
export function masterKeyFrom(bytes: Uint8Array, random: Random): MasterKey {
  const secrets = deriveCipher(bytes, 'secrets/v1', random);
  return {
    sealSecret: (secret, documentKey) =>
      version + secrets.seal(Buffer.from(secret), documentKey).toString('base64'),
    openSecret(envelope, documentKey) {
      const sealed = envelope.startsWith(version)
        ? Buffer.from(envelope.slice(version.length), 'base64')
        : undefined;
      const plain = sealed && secrets.open(sealed, documentKey);
      if (!plain) {
        throw new MasterKeyError(
          `the secret in ${documentKey} cannot be decrypted with this master key: put back the master key file that belongs to this data directory`,
        );
      }
      return plain.toString();
    },
    sessions: deriveCipher(bytes, 'sessions/v1', random),
    cipher: (purpose) => deriveCipher(bytes, purpose, random),
  };
}

async function refuseOthers(file: FileHandle, path: string): Promise<void> {
  const { mode } = await file.stat();
  if ((mode & 0o077) !== 0) {
    throw new MasterKeyError(
      `the master key ${path} can be read by others (mode ${(mode & 0o777).toString(8)}): run "chmod 600 ${path}", and if others may have read it, replace every access key`,
    );
  }
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new MasterKeyError(`the master key ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    await refuseOthers(file, path);
    const text = (await file.readFile('utf8')).trim();
    const bytes = Buffer.from(text.slice(header.length), 'base64');
    if (!text.startsWith(header) || bytes.length !== keyBytes) {
      throw new MasterKeyError(`${path} is not a master key of Cairn: put back the file from your backup`);
    }
    return bytes;
  } finally {
    await file.close();
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Writes a new key under a name of its own first and links it into place, so that the file appears whole or not at
 * all, and never over another one.
 */
async function createKey(path: string, random: Random): Promise<Uint8Array> {
  const bytes = random.bytes(keyBytes);
  const fresh = `${path}.${Buffer.from(random.bytes(6)).toString('hex')}`;
  await writeDurably(fresh, `${header}${Buffer.from(bytes).toString('base64')}\n`);
  try {
    await link(fresh, path);
  } finally {
    await unlink(fresh);
  }
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return bytes;
}

/**
 * Reads the master key file, or creates it (mode 0600) where there is none. Throws MasterKeyError when others can
 * read the file, when it is damaged, and when it is missing although `encryptedDataExists`.
 */
export async function openMasterKey(options: {
  readonly file: string;
  /** Whether the state holds secrets already; see `hasEncryptedData`. */
  readonly encryptedDataExists: boolean;
  readonly random: Random;
}): Promise<MasterKey> {
  const { file, encryptedDataExists, random } = options;
  const bytes = await readKey(file);
  if (bytes) return masterKeyFrom(bytes, random);
  if (encryptedDataExists) {
    throw new MasterKeyError(
      `the master key ${file} is missing, and the access keys in this data directory are encrypted under it: put the file back from your backup, with mode 0600`,
    );
  }
  return masterKeyFrom(await createKey(file, random), random);
}
