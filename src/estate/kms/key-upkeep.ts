import type { Clock, Logger, Random, Timer } from '../../kernel/index.ts';
import type { Change, State } from '../../state/index.ts';
import { deleteSomeGrants } from './grant-documents.ts';
import {
  currentMaterial,
  deleteKey,
  documentKeys,
  duePrefix,
  keyArn,
  readKey,
  writeKey,
  type DueDocument,
  type KeyDocument,
} from './key-documents.ts';
import type { Materials } from './key-material.ts';
import { keyEventRecord } from './service-record.ts';
import type { NewEntry } from '../../journal/index.ts';

/** It looks at the wall clock at least so often, since that may jump; and again so soon after a failure. */
const lookMs = 3_600_000;
const retryMs = 60_000;

/** Keys done at a time. */
const batch = 100;

export interface KeyUpkeep extends AsyncDisposable {
  /** Resolves once everything that is due at this moment is done. */
  settle(): Promise<void>;
}

export interface KeyUpkeepOptions {
  readonly state: State;
  readonly materials: Materials;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

function rotated(key: KeyDocument, now: number, materials: Materials): KeyDocument {
  const material = materials.rotate(key, now, 'AUTOMATIC');
  const rotation = key.rotation && { ...key.rotation, sinceMs: now };
  return { ...key, materials: [...key.materials, material], ...(rotation && { rotation }) };
}

/** Does what is due for a key: its deletion or its rotation. The record that goes with it. */
async function doWhatIsDue(
  change: Change,
  key: KeyDocument,
  now: number,
  { materials, random }: KeyUpkeepOptions,
): Promise<NewEntry> {
  const keyId = keyArn(key);
  if (key.state === 'PendingDeletion') {
    await deleteKey(change, key);
    return keyEventRecord(key, { eventName: 'DeleteKey', time: now, random, details: { keyId } });
  }
  const next = rotated(key, now, materials);
  writeKey(change, key, next);
  const details = {
    keyId,
    rotationType: 'AUTOMATIC',
    previousKeyMaterialId: currentMaterial(key).id,
    currentKeyMaterialId: currentMaterial(next).id,
  };
  return keyEventRecord(key, { eventName: 'RotateKey', time: now, random, details });
}

/**
 * Deletes keys whose waiting period is over and rotates keys whose time has come. What is due stands in control state, so
 * a start goes on where the last one ended; a change and its record are one commit.
 */
export function openKeyUpkeep(options: KeyUpkeepOptions): KeyUpkeep {
  const { state, clock } = options;
  const log = options.log.child({ part: 'kms' });
  let timer: Timer | undefined;
  let closed = false;
  let running: Promise<void> | undefined;
  let again = false;

  const doOne = async (due: DueDocument): Promise<void> => {
    const now = clock.now();
    const change = state.begin();
    const key = await readKey(change, due);
    if (!(await change.get(documentKeys.due(due)))) return;
    if (!key) {
      // Nothing that is due may outlive its key; should it ever, it must not keep the others waiting.
      change.delete(documentKeys.due(due));
      await state.commit(change, []);
      return;
    }
    if (key.state === 'PendingDeletion' && (await deleteSomeGrants(change, key))) {
      // A key may have more grants than one change takes; it goes when they are gone.
      await state.commit(change, []);
      return;
    }
    const record = await doWhatIsDue(change, key, now, options);
    // After a conflict the key is looked at anew with the next batch.
    if ((await state.commit(change, [record])).kind !== 'committed') return;
    log.info(
      { key: keyArn(key) },
      key.state === 'PendingDeletion' ? 'a key was deleted' : 'a key was rotated',
    );
  };

  /** Milliseconds until the next look. */
  const work = async (): Promise<number> => {
    for (;;) {
      const found = await state.list<DueDocument>(duePrefix, { limit: batch });
      const due = found.filter(({ value }) => value.at <= clock.now());
      for (const { value } of due) {
        if (closed) return lookMs;
        await doOne(value);
      }
      const [next] = found;
      if (due.length === 0) return next ? Math.min(lookMs, next.value.at - clock.now()) : lookMs;
    }
  };

  const run = async (): Promise<void> => {
    timer?.cancel();
    let delayMs = retryMs;
    try {
      delayMs = await work();
    } catch (error) {
      log.error(
        { err: error },
        'keys that are due could not be deleted or rotated; it is tried again in a minute',
      );
    }
    running = undefined;
    if (closed) return;
    timer = clock.after(delayMs, look);
    if (again) look();
  };

  function look(): void {
    again = running !== undefined;
    running ??= run();
  }

  const stopListening = state.onChange((keys) => {
    if (!closed && keys.some((key) => key.startsWith(duePrefix))) look();
  });
  look();

  return {
    async settle() {
      look();
      await running;
      // A look that was asked for while another was going on comes right behind it.
      await running;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      stopListening();
      timer?.cancel();
      await running;
    },
  };
}
