import { hash } from 'node:crypto';
import { cosignatureKey, cosignatureTime, openCheckpoint, type OpenedCheckpoint } from './checkpoint.ts';
import { hashBytes, isSameHash, leafHash, rootOfInclusion } from './merkle-tree.ts';
import { NoteError, readBase64, signaturesOf, type VerifierKey } from './signed-note.ts';

/** The most hashes of a path up a tree: one a level of 2^63 leaves. */
const mostHashes = 63;
const firstLine = 'c2sp.org/tlog-proof@v1';

/**
 * A proof that a record is in the log (C2SP "Transparency Log Proofs"). Its extra data is the entry: the 32 bytes of the
 * record's SHA-256. So the proof file says which record it is of and shows nothing of its content.
 */
export interface ProofFile {
  readonly entry: Uint8Array;
  readonly index: number;
  /** From the leaf's sibling up. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note, word for word. */
  readonly checkpoint: string;
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

export function formatProof({ entry, index, hashes, checkpoint }: ProofFile): string {
  const head = [firstLine, `extra ${base64(entry)}`, `index ${index}`, ...hashes.map(base64)];
  return `${head.join('\n')}\n\n${checkpoint}`;
}

function readHash(line: string): Buffer {
  const bytes = readBase64(line);
  if (bytes?.length !== hashBytes) throw new NoteError(`a line of the inclusion proof is no hash: ${line}`);
  return bytes;
}

/** Parses a proof file; nothing is verified. Throws NoteError. */
function parseProof(text: string): ProofFile {
  const end = text.indexOf('\n\n');
  const [first, ...lines] = text.slice(0, Math.max(0, end)).split('\n');
  if (first !== firstLine) throw new NoteError(`it is not a proof: its first line is not ${firstLine}`);
  const [, extra] = /^extra (.+)$/.exec(lines.shift() ?? '') ?? [];
  const entry = extra === undefined ? undefined : readBase64(extra);
  if (entry?.length !== hashBytes) {
    throw new NoteError(
      "its second line is not `extra` with the record's SHA-256: it is not a proof of a Cairn",
    );
  }
  const [, indexText = ''] = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? '') ?? [];
  const index = Number(indexText);
  if (indexText === '' || !Number.isSafeInteger(index))
    throw new NoteError('its third line is not `index` with a number');
  if (lines.length > mostHashes) throw new NoteError(`its path has more than ${mostHashes} hashes`);
  return { entry, index, hashes: lines.map(readHash), checkpoint: text.slice(end + 2) };
}

/** What a proof says when it holds. */
export interface ProvenRecord {
  readonly index: number;
  readonly checkpoint: OpenedCheckpoint;
  /** SHA-256 of the record's bytes. */
  readonly sha256: Uint8Array;
  /** Those of `witnesses` that cosigned the checkpoint, with the time in epoch seconds. */
  readonly cosigned: readonly { readonly name: string; readonly time: number }[];
}

/** Whether a record's bytes hash to the entry; a newline that a shell or an editor put behind them does not count. */
function isRecordOf(entry: Uint8Array, record: Uint8Array): boolean {
  const is = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer').equals(entry);
  return is(record) || (record.at(-1) === 0x0a && is(record.subarray(0, -1)));
}

function witnessTime(checkpoint: OpenedCheckpoint, witness: VerifierKey): number {
  const key = cosignatureKey(witness);
  const [signature, ...more] = signaturesOf(checkpoint.note, key);
  if (!signature || more.length > 0)
    throw new NoteError(`the checkpoint is not cosigned by the witness ${key.name}`);
  const time = cosignatureTime(checkpoint.note.text, signature, key);
  if (time === undefined)
    throw new NoteError(`the cosignature of the witness ${key.name} is not over this checkpoint`);
  return Number(time);
}

/**
 * Checks a proof offline. Throws NoteError, whose message says what does not hold: the signature, the record, the path
 * or a cosignature. `witnesses` are those that must have cosigned.
 */
export function checkProof(
  text: string,
  options: {
    readonly key: VerifierKey;
    readonly record?: Uint8Array | undefined;
    readonly witnesses?: readonly VerifierKey[];
  },
): ProvenRecord {
  const proof = parseProof(text);
  const checkpoint = openCheckpoint(proof.checkpoint, options.key);
  if (options.record && !isRecordOf(proof.entry, options.record)) {
    const found = hash('sha256', options.record, 'hex');
    const wanted = Buffer.from(proof.entry).toString('hex');
    throw new NoteError(
      `the record is not the one that the proof is of: its SHA-256 is ${found}, the proof's is ${wanted}; a record that was changed or written anew in any way is another one`,
    );
  }
  if (proof.index >= checkpoint.size) {
    throw new NoteError(
      `the proof is of entry ${proof.index}, and the checkpoint has ${checkpoint.size} entries only`,
    );
  }
  const root = rootOfInclusion(proof.index, checkpoint.size, leafHash(proof.entry), proof.hashes);
  if (!root) {
    throw new NoteError(
      `the path has ${proof.hashes.length} hashes, which is not the way from entry ${proof.index} up to the root of ${checkpoint.size} entries`,
    );
  }
  if (!isSameHash(root, checkpoint.root)) {
    throw new NoteError(
      "the path from the record does not lead to the checkpoint's root: the record's hash, its index or the path was changed",
    );
  }
  const cosigned = (options.witnesses ?? []).map((witness) => ({
    name: witness.name,
    time: witnessTime(checkpoint, witness),
  }));
  return { index: proof.index, checkpoint, sha256: proof.entry, cosigned };
}
