/**
 * Control state: small documents with transactions, a projection of the journal. A change and its audit record are
 * one append, so there is never one without the other.
 */
export type { Change, CommitResult, ListOptions, State, StateDocument, StateView } from './state-types.ts';
