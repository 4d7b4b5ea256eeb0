import { openState, type StateOptions } from '../open-state.ts';
import type { State } from '../state-types.ts';
import { openMemoryDocuments } from './memory-documents.ts';

/** Opens control state held in memory; it applies the journal from its start, which therefore is never trimmed. */
export function openMemoryState(options: StateOptions): Promise<State> {
  return openState(openMemoryDocuments(), options);
}
