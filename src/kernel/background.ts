import { setPriority } from 'node:os';

/** How nice work behind the answers is to what answers: it gets about a tenth of a core that both want. */
const niceness = 10;

/**
 * Lets a process that was just started, or by default the thread that calls this, work in the background: what nobody waits
 * for takes the time that answering leaves. Only Linux tells threads apart; where that cannot be, all work alike.
 */
export function workInBackground(pid = 0): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(pid, niceness);
  } catch {
    // A sandbox may refuse it, or the process may be gone. The work is done all the same.
  }
}
