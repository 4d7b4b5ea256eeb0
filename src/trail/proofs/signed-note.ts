import { createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';

/**
 * Notes as the C2SP specification "Note" (signed-note) has them: a text, an empty line, and signature lines; and the keys
 * that verify them, written `<name>+<key id>+<type and key>`.
 */
/** Bounds on what is read: the specification asks for at least 16 signatures. */
const mostNoteBytes = 1024 * 1024;
const mostSignatures = 100;

/** Signature types: Ed25519 over the text, and the witnesses' timestamped cosignatures. */
export type KeyType = 'ed25519' | 'cosignature/v1';
const typeBytes: Readonly<Record<KeyType, number>> = { ed25519: 0x01, 'cosignature/v1': 0x04 };

/** What is no note, no key or no checkpoint; the message says why. */
export class NoteError extends Error {
  override name = 'NoteError';
}

export interface VerifierKey {
  readonly name: string;
  readonly type: KeyType;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 4 bytes. */
  readonly id: Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  /** Everything behind the key id. */
  readonly bytes: Uint8Array;
  /** As it stands in the note, with the newline at its end. */
  readonly line: string;
}

export interface Note {
  /** With the newline at its end, without the empty line behind it. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** Base 64 in its one standard form; undefined for anything else. */
export function readBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Whether a text can name a key: something without spaces and plus signs. */
function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+\p{Z}\p{Cc}]/u.test(name);
}

function keyId(name: string, type: KeyType, publicKey: Uint8Array): Buffer {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(typeBytes[type]), publicKey]);
  return hash('sha256', input, 'buffer').subarray(0, 4);
}

export function verifierKey(name: string, type: KeyType, publicKey: Uint8Array): VerifierKey {
  return { name, type, publicKey, id: keyId(name, type, publicKey) };
}

export function formatVerifierKey({ name, type, publicKey, id }: VerifierKey): string {
  const material = Buffer.concat([Buffer.of(typeBytes[type]), publicKey]);
  return `${name}+${Buffer.from(id).toString('hex')}+${material.toString('base64')}`;
}

/** Parses a verifier key. Throws NoteError. */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/su.exec(text) ?? [];
  const material = readBase64(encoded);
  if (!isKeyName(name) || !material) {
    throw new NoteError(`not a verifier key (NAME+KEYID+BASE64): ${text}`);
  }
  const type = (Object.keys(typeBytes) as KeyType[]).find((known) => typeBytes[known] === material[0]);
  if (!type)
    throw new NoteError(`the verifier key ${name} is of type ${material[0]}; types 1 and 4 are known`);
  if (material.length !== 33)
    throw new NoteError(`the verifier key ${name} has not the length of an Ed25519 key`);
  const key = verifierKey(name, type, material.subarray(1));
  if (Buffer.from(key.id).toString('hex') !== id) {
    throw new NoteError(`the verifier key ${name} is damaged: its id ${id} does not belong to it`);
  }
  return key;
}

/** Decodes bytes that must be UTF-8. Throws NoteError. */
export function readText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new NoteError('it is not text in UTF-8');
  }
}

function readSignature(line: string): NoteSignature {
  const [, name = '', encoded = ''] = /^\u2014 ([^ ]+) ([^ ]+)$/u.exec(line) ?? [];
  const bytes = readBase64(encoded);
  if (!isKeyName(name) || !bytes || bytes.length < 5) {
    throw new NoteError(`a line behind the text is no signature: ${line}`);
  }
  return { name, keyId: bytes.subarray(0, 4), bytes: bytes.subarray(4), line: `${line}\n` };
}

/** Reads signature lines, each of which ends in a newline. Throws NoteError. */
export function parseSignatures(text: string): readonly NoteSignature[] {
  if (!text.endsWith('\n')) throw new NoteError('the last signature is cut off');
  const lines = text.slice(0, -1).split('\n');
  if (lines.length > mostSignatures) throw new NoteError(`it has more than ${mostSignatures} signatures`);
  return lines.map(readSignature);
}

/** Takes a note apart; nothing is verified. Throws NoteError. */
export function parseNote(note: string): Note {
  if (note.length > mostNoteBytes) throw new NoteError('it is too long for a note');
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note))
    throw new NoteError('it has control characters, which no note has');
  const end = note.lastIndexOf('\n\n');
  if (end < 0)
    throw new NoteError('it is not a signed note: the empty line before the signatures is missing');
  return { text: note.slice(0, end + 1), signatures: parseSignatures(note.slice(end + 2)) };
}

const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Whether `signature` is that of `publicKey` (32 bytes) over `message`. */
export function ed25519Verifies(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}

/** Signs notes under one name. */
export interface NoteSigner {
  readonly key: VerifierKey;
  /** The signed note over a text, which ends in a newline. */
  sign(text: string): string;
}

/** Writes a signature line. */
function signatureLine(key: VerifierKey, bytes: Uint8Array): string {
  return `\u2014 ${key.name} ${Buffer.concat([key.id, bytes]).toString('base64')}\n`;
}

/** The private key of 32 bytes of seed (RFC 8032). */
export function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
}

/** The public key of a private one, 32 bytes. */
export function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(spkiPrefix.length);
}

/** Opens a signer with the seed of its private key (32 bytes). */
export function openNoteSigner(name: string, seed: Uint8Array): NoteSigner {
  const privateKey = privateKeyOf(seed);
  const key = verifierKey(name, 'ed25519', publicKeyOf(privateKey));
  return {
    key,
    sign: (text) => `${text}\n${signatureLine(key, sign(null, Buffer.from(text), privateKey))}`,
  };
}

/** The signatures of a note that claim to be of this key. */
export function signaturesOf(note: Note, key: VerifierKey): readonly NoteSignature[] {
  return note.signatures.filter(
    ({ name, keyId }) => name === key.name && Buffer.compare(keyId, key.id) === 0,
  );
}
