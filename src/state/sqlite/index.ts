import type { StateDamagedError } from '../documents.ts';
import { openState, type StateOptions } from '../open-state.ts';
import type { State } from '../state-types.ts';
import { openSqliteDocuments } from './sqlite-documents.ts';

export interface SqliteStateOptions extends StateOptions {
  /** The directory that the database is kept in; it must be there. */
  readonly directory: string;
  /** Told of damage that is met while it is open; whoever read it gets the error as well. */
  onDamage(error: StateDamagedError): void;
}

/**
 * Opens control state kept in SQLite. A database that is damaged or does not fit the journal is rebuilt from its last
 * durable copy and the journal. Rejects with StateLostError when that is not possible.
 */
export function openSqliteState(options: SqliteStateOptions): Promise<State> {
  return openState(openSqliteDocuments(options), options);
}

export { openKeptState, type KeptDocuments, type KeptState } from './verify-state.ts';
