import { write, writeSync } from 'node:fs';

/** Where the lines of the log go. */
export interface LogDestination {
  write(line: string): void;
  /** Writes what waits, as far as it can be written now. */
  flush(): void;
}

/** So much waits at most; then the newest lines are left out. */
const mostWaiting = 1024 * 1024;

/**
 * Writes lines to a file descriptor without making anybody wait. What cannot be written, as when the log's own disk is full,
 * waits for the next line: the log never ends or stops the process that it speaks of.
 */
export function openLogDestination(descriptor: number): LogDestination {
  let waiting: string[] = [];
  let length = 0;
  let rest: Buffer = Buffer.alloc(0);
  let isWriting = false;

  function take(): void {
    if (rest.length > 0 || waiting.length === 0) return;
    rest = Buffer.from(waiting.join(''));
    waiting = [];
    length = 0;
  }

  function writeOn(): void {
    if (isWriting) return;
    take();
    if (rest.length === 0) return;
    isWriting = true;
    write(descriptor, rest, (error, written) => {
      isWriting = false;
      if (error) return;
      rest = rest.subarray(written);
      writeOn();
    });
  }

  return {
    write(line) {
      if (length + line.length > mostWaiting) return;
      waiting.push(line);
      length += line.length;
      writeOn();
    },
    flush() {
      // What is being written is on its way; the system has it.
      if (isWriting) rest = Buffer.alloc(0);
      try {
        for (take(); rest.length > 0; take()) rest = rest.subarray(writeSync(descriptor, rest));
      } catch {
        // There is nobody left to tell.
      }
    },
  };
}
