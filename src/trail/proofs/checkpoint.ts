import {
  ed25519Verifies,
  NoteError,
  parseNote,
  readBase64,
  signaturesOf,
  verifierKey,
  type Note,
  type NoteSignature,
  type VerifierKey,
} from './signed-note.ts';
import { hashBytes, type TreeHead } from './merkle-tree.ts';

/** A checkpoint's text (C2SP "Transparency Log Checkpoints"): origin, tree size, root, and extension lines. */
export interface Checkpoint extends TreeHead {
  readonly origin: string;
}

export interface OpenedCheckpoint extends Checkpoint {
  readonly note: Note;
}

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

function parseText(text: string): Checkpoint {
  const [origin = '', sizeText = '', rootText = '', ...extensions] = text.slice(0, -1).split('\n');
  const root = readBase64(rootText);
  const size = Number(sizeText);
  if (origin === '' || extensions.includes(''))
    throw new NoteError('it is not a checkpoint: it has an empty line');
  if (!/^(0|[1-9]\d*)$/.test(sizeText) || !Number.isSafeInteger(size)) {
    throw new NoteError(`it is not a checkpoint: its second line is no tree size: ${sizeText}`);
  }
  if (root?.length !== hashBytes)
    throw new NoteError('it is not a checkpoint: its third line is no root hash');
  return { origin, size, root };
}

/** Parses a checkpoint without looking at its signatures. Throws NoteError. */
export function parseCheckpoint(text: string): OpenedCheckpoint {
  const note = parseNote(text);
  return { ...parseText(note.text), note };
}

/** Parses a checkpoint and verifies that the log with this key signed it. Throws NoteError, which says what is wrong. */
export function openCheckpoint(text: string, key: VerifierKey): OpenedCheckpoint {
  const checkpoint = parseCheckpoint(text);
  const signatures = signaturesOf(checkpoint.note, key);
  if (signatures.length === 0) {
    const signers = checkpoint.note.signatures.map(
      ({ name, keyId }) => `${name}+${Buffer.from(keyId).toString('hex')}`,
    );
    const id = Buffer.from(key.id).toString('hex');
    throw new NoteError(`the checkpoint is not signed by ${key.name}+${id}, but by ${signers.join(' and ')}`);
  }
  const message = Buffer.from(checkpoint.note.text);
  if (!signatures.every(({ bytes }) => ed25519Verifies(key.publicKey, message, bytes))) {
    throw new NoteError(
      `the signature of ${key.name} is not over this checkpoint: one of the two was changed`,
    );
  }
  if (checkpoint.origin !== key.name) {
    throw new NoteError(
      `the checkpoint is of the log ${checkpoint.origin}, and the key is that of ${key.name}`,
    );
  }
  return checkpoint;
}

/** The message that a witness signs (C2SP "Transparency Log Cosignatures", Ed25519). `time` is in epoch seconds. */
function cosignedMessage(text: string, time: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
}

/** A witness's key as its cosignatures name it, also when it was given as an ordinary Ed25519 key. */
export function cosignatureKey({ name, publicKey }: VerifierKey): VerifierKey {
  return verifierKey(name, 'cosignature/v1', publicKey);
}

/**
 * The time (epoch seconds) at which the witness cosigned, undefined when the signature is not its cosignature of this
 * text. `key` is a key of type `cosignature/v1`.
 */
export function cosignatureTime(
  text: string,
  signature: NoteSignature,
  key: VerifierKey,
): bigint | undefined {
  if (signature.bytes.length !== 8 + 64) return undefined;
  const bytes = Buffer.from(signature.bytes);
  const time = bytes.readBigUInt64BE();
  const verifies = ed25519Verifies(key.publicKey, cosignedMessage(text, time), bytes.subarray(8));
  return verifies && time < 1n << 63n ? time : undefined;
}
