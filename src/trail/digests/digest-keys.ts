import { createPrivateKey, generateKeyPair, sign, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Logger } from '../../kernel/index.ts';
import type { MasterKey } from '../../identity/index.ts';
import type { State } from '../../state/index.ts';
import { digestKeysPrefix, type DigestKeyDocument } from './digest-documents.ts';
import { fingerprintOf } from './digest-format.ts';

/** The key pair that signs the digests of a time. */
export interface SigningKey {
  readonly fingerprint: string;
  /** RSASSA-PKCS1-v1_5 with SHA-256, in hexadecimal; the same text has the same signature. */
  sign(text: string): Promise<string>;
}

export interface DigestKeys {
  /** The key for digests that end at `time` (epoch milliseconds) in a region; made when there is none. */
  keyFor(region: string, time: number): Promise<SigningKey>;
}

export interface DigestKeysOptions {
  readonly state: State;
  readonly masterKey: Pick<MasterKey, 'cipher'>;
  readonly log: Logger;
  /** How long a key signs, milliseconds. */
  readonly rotationMs: number;
}

const makePair = promisify(generateKeyPair);
const signInPool = promisify(sign);
const opened = 64;

/**
 * Opens the signing keys: one for each region and stretch of `rotationMs`, counted from the epoch. Which key signs a
 * digest follows from the time that the digest covers and not from when it is delivered, because verifiers ask
 * ListPublicKeys for the keys of the time that they verify. A private key is destroyed one stretch after its own.
 */
export function openDigestKeys({ state, masterKey, log, rotationMs }: DigestKeysOptions): DigestKeys {
  const cipher = masterKey.cipher('trail-digest/v1');
  const cache = new Map<string, KeyObject>();

  const privateKeyOf = (key: string, document: DigestKeyDocument): KeyObject => {
    const known = cache.get(document.fingerprint);
    if (known) return known;
    const der = cipher.open(Buffer.from(document.privateKey ?? '', 'base64'), key);
    if (!der) throw new Error(`the digest key in ${key} cannot be decrypted with this master key`);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    der.fill(0);
    if (cache.size >= opened) cache.clear();
    cache.set(document.fingerprint, privateKey);
    return privateKey;
  };

  const create = async (region: string, time: number): Promise<void> => {
    const { publicKey, privateKey } = await makePair('rsa', { modulusLength: 2048 });
    const der = publicKey.export({ format: 'der', type: 'pkcs1' });
    const fingerprint = fingerprintOf(der);
    const key = `${digestKeysPrefix(region)}${fingerprint}`;
    const validFrom = Math.floor(time / rotationMs) * rotationMs;
    const document: DigestKeyDocument = {
      region,
      fingerprint,
      publicKey: der.toString('base64'),
      privateKey: cipher.seal(privateKey.export({ format: 'der', type: 'pkcs8' }), key).toString('base64'),
      validFrom,
      validTo: validFrom + rotationMs,
    };
    const change = state.begin();
    for (const old of await change.list<DigestKeyDocument>(digestKeysPrefix(region))) {
      if (old.value.validFrom === validFrom && old.value.privateKey !== undefined) return;
      if (old.value.validTo + rotationMs > validFrom || old.value.privateKey === undefined) continue;
      const { privateKey: _, ...publicPart } = old.value;
      change.put(old.key, publicPart);
      cache.delete(old.value.fingerprint);
    }
    change.put(key, document);
    if ((await state.commit(change, [])).kind === 'committed') {
      log.info({ region, fingerprint }, 'a new key signs digest files');
    }
  };

  return {
    async keyFor(region, time) {
      for (;;) {
        const documents = await state.list<DigestKeyDocument>(digestKeysPrefix(region));
        const found = documents.find(
          ({ value }) => value.privateKey !== undefined && value.validFrom <= time && time < value.validTo,
        );
        if (found) {
          const privateKey = privateKeyOf(found.key, found.value);
          return {
            fingerprint: found.value.fingerprint,
            sign: async (text) => (await signInPool('sha256', Buffer.from(text), privateKey)).toString('hex'),
          };
        }
        await create(region, time);
      }
    },
  };
}
