/**
 * Control state: small documents with transactions, a projection of the journal. A change and its audit record are
 * one append, so there is never one without the other. Changes flow in through `commit`; what is committed flows out
 * through `get`, `list` and `onChange`. FORMAT.md describes the bytes.
 */
export { openMemoryState } from './memory/index.ts';
export { openSqliteState, openKeptState, type KeptDocuments, type KeptState } from './sqlite/index.ts';
export { decodeChange } from './change-codec.ts';
export { StateDamagedError, StateLostError } from './documents.ts';
export type { StateOptions } from './open-state.ts';
export type { Change, CommitResult, ListOptions, State, StateDocument, StateView } from './state-types.ts';
