import type { NewEntry } from '../../journal/index.ts';
import type { Change, State } from '../../state/index.ts';

/**
 * The change that an operation gets: control state, and further journal entries that become durable in the same append
 * as the change and the record of the call.
 */
export interface AuditedChange extends Change {
  append(entry: NewEntry): void;
}

/** A change in the making with what was appended to it. */
export interface OpenChange {
  /** What the state handed out, for its commit. */
  readonly base: Change;
  /** What the operation gets. */
  readonly audited: AuditedChange;
  readonly entries: readonly NewEntry[];
}

/** Begins a change that also takes journal entries. */
export function beginChange(state: State): OpenChange {
  const base = state.begin();
  const entries: NewEntry[] = [];
  return {
    base,
    entries,
    audited: {
      get: (key) => base.get(key),
      count: (prefix) => base.count(prefix),
      list: (prefix, options) => base.list(prefix, options),
      put: (key, value) => base.put(key, value),
      delete: (key) => base.delete(key),
      append: (entry) => void entries.push(entry),
    },
  };
}
