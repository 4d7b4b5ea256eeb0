import { hash } from 'node:crypto';
import { assert, SettingError, type Random } from '../../kernel/index.ts';
import type { Cipher } from '../../identity/index.ts';
import type { State } from '../../state/index.ts';
import {
  formatVerifierKey,
  openNoteSigner,
  privateKeyOf,
  publicKeyOf,
  type NoteSigner,
} from './signed-note.ts';

/** The log's name and its key in control state. */
interface LogKeyDocument {
  readonly origin: string;
  /** The note verifier key, so that whoever lost the log's address can still tell whose the key is. */
  readonly verifierKey: string;
  /** The seed of the private key, sealed for this document: base 64. */
  readonly sealedSeed: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** The document of control state that holds it. */
export const documentKey = 'tlog/key';
const seedBytes = 32;

export interface LogKeyOptions {
  readonly state: State;
  /** `tlog/v1` of the master key. */
  readonly cipher: Cipher;
  readonly random: Random;
  readonly accountId: string;
  /** From the settings. */
  readonly origin: string | undefined;
  readonly now: number;
}

/** A name that no other log has: that of the account, and the beginning of the key's own hash. */
function ownName(accountId: string, publicKey: Uint8Array): string {
  return `cairn/${accountId}/${hash('sha256', publicKey, 'hex').slice(0, 8)}`;
}

/**
 * Opens the key that checkpoints are signed with, made at the first start. A log keeps its origin for good: throws
 * SettingError when the settings name another one.
 */
export async function openLogKey(options: LogKeyOptions): Promise<NoteSigner> {
  const { state, cipher, random, accountId, origin, now } = options;
  const change = state.begin();
  const known = (await change.get<LogKeyDocument>(documentKey))?.value;
  if (known) {
    if (origin !== undefined && origin !== known.origin) {
      throw new SettingError(
        `CAIRN_LOG_ORIGIN is ${origin}, and the log of this data directory is ${known.origin}: what was proved under that name would not hold any more; leave the setting away`,
      );
    }
    const seed = cipher.open(Buffer.from(known.sealedSeed, 'base64'), documentKey);
    const signer = seed && openNoteSigner(known.origin, seed);
    if (!signer || formatVerifierKey(signer.key) !== known.verifierKey) {
      throw new Error(`the key of the log ${known.origin} cannot be decrypted with this master key`);
    }
    return signer;
  }
  const seed = random.bytes(seedBytes);
  const name = origin ?? ownName(accountId, publicKeyOf(privateKeyOf(seed)));
  const signer = openNoteSigner(name, seed);
  const document: LogKeyDocument = {
    origin: name,
    verifierKey: formatVerifierKey(signer.key),
    sealedSeed: cipher.seal(seed, documentKey).toString('base64'),
    createdAt: now,
  };
  change.put(documentKey, document);
  const result = await state.commit(change, []);
  assert(result.kind === 'committed', 'nobody else makes the key of the log');
  return signer;
}
