import type { Clock, Logger } from '../../../kernel/index.ts';
import type { State } from '../../../state/index.ts';
import type { ConnectionDocument } from '../../bus-documents.ts';

/** Notes in control state what was found out of a connection. */
export interface ConnectionStates {
  /** Of the connection as it was read; one that was changed since is left alone. Never rejects. */
  note(
    key: string,
    connection: ConnectionDocument,
    state: ConnectionDocument['state'],
    reason?: string,
  ): Promise<void>;
}

export function openConnectionStates(options: {
  readonly state: State;
  readonly clock: Clock;
  readonly log: Logger;
}): ConnectionStates {
  const { state, clock, log } = options;
  return {
    async note(key, { id, updatedAt, state: before }, found, reason) {
      if (before === found) return;
      try {
        const change = state.begin();
        const now = (await change.get<ConnectionDocument>(key))?.value;
        if (!now || now.id !== id || now.updatedAt !== updatedAt || now.sealed === undefined) return;
        const { stateReason: _, ...others } = now;
        const noted: ConnectionDocument = {
          ...others,
          state: found,
          ...(reason !== undefined && { stateReason: reason.slice(0, 512) }),
          ...(found === 'AUTHORIZED' && { authorizedAt: clock.now() }),
        };
        change.put(key, noted);
        // A conflict means that somebody changes it just now.
        await state.commit(change, []);
      } catch (error) {
        log.warn({ err: error, connection: key }, 'the state of a connection was not written');
      }
    },
  };
}
