import type { Clock, Logger } from '../kernel/index.ts';
import type { Reader } from '../journal/index.ts';
import type { Documents } from './documents.ts';

const everyMs = 60_000;

/** Checkpoints the documents every minute in which something was applied, so that the journal can be trimmed. */
export function keepCheckpoints(
  documents: Documents,
  reader: Reader,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): AsyncDisposable {
  let last = -1;
  async function checkpoint(): Promise<void> {
    const applied = reader.applied;
    if (applied === last) return;
    try {
      await reader.checkpoint(await documents.checkpoint(applied));
      last = applied;
    } catch (error) {
      log.error(
        { err: error, applied },
        'the checkpoint of the control state failed; it will be tried again',
      );
    }
  }
  let running = Promise.resolve();
  let timer = schedule();
  function schedule() {
    return clock.after(everyMs, () => {
      running = checkpointAndGoOn();
    });
  }
  async function checkpointAndGoOn(): Promise<void> {
    await checkpoint();
    timer = schedule();
  }
  return {
    async [Symbol.asyncDispose]() {
      timer.cancel();
      await running;
      timer.cancel();
    },
  };
}
