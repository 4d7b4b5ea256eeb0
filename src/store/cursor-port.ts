import type { Sequence } from '../kernel/index.ts';

/**
 * The `cursors` port: how far each named reader of one log is safe. A small thing kept apart from the log, because
 * the log is trimmed by it.
 */
export interface Cursors extends AsyncDisposable {
  /** Every cursor that was ever saved, by reader name, also of readers that do not run now. */
  all(): ReadonlyMap<string, Sequence>;
  /** Durable once it resolves. Saves of one name become durable in the order of the calls. */
  save(name: string, sequence: Sequence): Promise<void>;
}
