import type { Clock, Logger } from '../../kernel/index.ts';
import type { State } from '../../state/index.ts';

/** Something that waits for a commit, of which whoever prepared it does not hear. */
export interface Expectation {
  /** Asked after every commit that touches the key, and at the end. */
  happened(): Promise<boolean>;
  /** Done once, when it has happened. */
  done?(): void | Promise<void>;
  /** Done once, when it has not happened within the time: the call failed, or its change came to nothing. */
  otherwise?(): void | Promise<void>;
}

export interface AfterCommit extends Disposable {
  /** `id` tells expectations on one key apart; the same again replaces the one before. */
  expect(key: string, id: string, expectation: Expectation): void;
}

/** By when a call has committed, or never will: longer than any call waits for its turn. */
const giveUpMs = 15 * 60_000;

/** Opens a watch over the keys of control state. */
export function openAfterCommit(parts: {
  readonly state: State;
  readonly clock: Clock;
  readonly log: Logger;
}): AfterCommit {
  const { state, clock, log } = parts;
  type Waiting = { readonly expectation: Expectation; readonly timer: { cancel(): void } };
  const waiting = new Map<string, Map<string, Waiting>>();

  const forget = (key: string, id: string): boolean => {
    const onKey = waiting.get(key);
    const found = onKey?.get(id);
    if (!onKey || !found) return false;
    found.timer.cancel();
    onKey.delete(id);
    if (onKey.size === 0) waiting.delete(key);
    return true;
  };

  const settle = async (key: string, id: string, expectation: Expectation, last: boolean): Promise<void> => {
    try {
      const happened = await expectation.happened();
      if ((!happened && !last) || waiting.get(key)?.get(id)?.expectation !== expectation) return;
      forget(key, id);
      await (happened ? expectation.done?.() : expectation.otherwise?.());
    } catch (error) {
      log.error({ err: error, key }, 'what follows a commit could not be done; the next sweep does it');
    }
  };

  const stop = state.onChange((keys) => {
    if (waiting.size === 0) return;
    for (const key of keys) {
      for (const [id, { expectation }] of waiting.get(key) ?? []) void settle(key, id, expectation, false);
    }
  });

  return {
    expect(key, id, expectation) {
      forget(key, id);
      const onKey = waiting.get(key) ?? new Map<string, Waiting>();
      waiting.set(key, onKey);
      const timer = clock.after(giveUpMs, () => void settle(key, id, expectation, true));
      onKey.set(id, { expectation, timer });
    },
    [Symbol.dispose]() {
      stop();
      for (const [key, onKey] of waiting) for (const id of onKey.keys()) forget(key, id);
    },
  };
}
