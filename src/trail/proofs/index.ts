/**
 * Proofs: a Merkle tree over the records of the journal, in the forms of C2SP (tlog-tiles, signed-note, tlog-checkpoint,
 * tlog-cosignature, tlog-witness, tlog-proof). In flow the hashes of records, as a reader of the audit stream; out flow
 * signed checkpoints and tiles under `/_cairn/tlog/`. What verifies (`checkProof`, `isConsistent`) works offline.
 */
export { openProofs, type Proofs, type ProofsOptions } from './open-proofs.ts';
export { documentKey as logKeyDocument } from './log-key.ts';
export { checkedTiles } from './checked-tiles.ts';
export { openCheckpoint, type OpenedCheckpoint } from './checkpoint.ts';
export { checkProof, formatProof, type ProvenRecord } from './proof-file.ts';
export { isConsistent } from './merkle-tree.ts';
export { NoteError, parseVerifierKey, readText, type VerifierKey } from './signed-note.ts';
export { openTileProofs, type ReadTile } from './tile-proofs.ts';
export { tilePath } from './tile-path.ts';
export { verifyTree, type TreeFindings } from './verify-tree.ts';
