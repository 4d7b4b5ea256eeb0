import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { DiskFullError, limits, saysNoRoom } from '../../kernel/index.ts';

/**
 * Room on the disk that is kept for what is durable in the journal already: a change that could not be applied for want of
 * it would leave its caller, and whoever reads the same documents, without an answer until somebody makes room.
 */
export interface Reserve {
  /** Takes the room, if it is not held. Throws DiskFullError when there is none. */
  take(): void;
  /** Gives the room up, for a change to be applied; false when it was not held. */
  give(): boolean;
}

const chunkBytes = 256 * 1024;

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Writes zeros: a file that is only long takes no room. */
function fill(path: string): void {
  const handle = openSync(path, 'w', 0o600);
  try {
    const chunk = Buffer.alloc(chunkBytes);
    for (let at = 0; at < limits.stateReserveBytes;) at += writeSync(handle, chunk, 0, chunk.length, at);
  } finally {
    closeSync(handle);
  }
}

export function openReserve(path: string): Reserve {
  let held = sizeOf(path) >= limits.stateReserveBytes;
  return {
    take() {
      if (held) return;
      try {
        fill(path);
        held = true;
      } catch (error) {
        rmSync(path, { force: true });
        if (!saysNoRoom(error)) throw error;
        throw new DiskFullError(`no room on the disk of ${path}; nothing was recorded, reading goes on`, {
          cause: error,
        });
      }
    },
    give() {
      if (!held) return false;
      rmSync(path, { force: true });
      held = false;
      return true;
    },
  };
}
