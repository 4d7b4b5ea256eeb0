import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../../kernel/index.ts';

/** Keeps files that somebody reads until they are read. */
export interface FilePins {
  /** Holds the files; the function lets go of them again. */
  hold(names: readonly string[]): () => void;
  /** Removes files, each as soon as nobody holds it. */
  remove(names: readonly string[]): void;
  /** Resolves when what could be removed is gone. */
  settled(): Promise<void>;
}

export function openFilePins(directory: string, log: Logger): FilePins {
  const held = new Map<string, number>();
  const doomed = new Set<string>();
  const removing = new Set<Promise<void>>();

  const sweep = (name: string): void => {
    if (!doomed.has(name) || (held.get(name) ?? 0) > 0) return;
    doomed.delete(name);
    const done = rm(join(directory, name), { force: true })
      // A file that stays is not named by the manifest and goes at the next start.
      .catch((error: unknown) => log.warn({ err: error, name }, 'a file of the lake could not be removed'))
      .finally(() => removing.delete(done));
    removing.add(done);
  };

  return {
    hold(names) {
      for (const name of names) held.set(name, (held.get(name) ?? 0) + 1);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        for (const name of names) {
          const left = (held.get(name) ?? 1) - 1;
          if (left === 0) held.delete(name);
          else held.set(name, left);
          sweep(name);
        }
      };
    },
    remove(names) {
      for (const name of names) {
        doomed.add(name);
        sweep(name);
      }
    },
    async settled() {
      await Promise.all(removing);
    },
  };
}
