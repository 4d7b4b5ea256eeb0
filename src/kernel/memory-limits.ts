import { totalmem } from 'node:os';
import { setFlagsFromString } from 'node:v8';

/**
 * The memory that a process may take, bytes: the machine's (`totalBytes`), or what its control group leaves of it, a container's or
 * that of a unit of systemd. `constrainedBytes` is 0 or more than there is where nothing is said.
 */
export function usableMemory(totalBytes: number, constrainedBytes: number): number {
  return constrainedBytes === 0 ? totalBytes : Math.min(totalBytes, constrainedBytes);
}

/** From this much memory on the bounds of `limits` are what they say; a smaller machine has its part of them. */
const roomyBytes = 4 * 1024 ** 3;

/** Which part of a roomy machine's memory this process may take: 1 at most. */
export const memoryShare = Math.min(1, usableMemory(totalmem(), process.constrainedMemory()) / roomyBytes);

/**
 * Lets V8 count buffers together with objects when it decides to collect memory. By default it collects whenever buffers have
 * grown by 64 MiB, however little that is of what may be in use: each megabyte of events that comes in would cost a few
 * milliseconds of marking. Threads that have few objects collect by themselves instead (`openCollector`). A machine that is not
 * roomy keeps V8's rule, which takes time and saves memory. Call it before there is much, and before there are other threads.
 */
export function countBuffersWithObjects(): void {
  if (memoryShare === 1) setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString('--expose-gc');
}

/**
 * For a thread that has few objects and passes many buffers on: V8 would let hundreds of megabytes of them gather, as they are
 * counted. Call what this returns with the bytes of each piece of work; it collects whenever `everyBytes` have been passed,
 * in the few milliseconds that few objects take.
 */
export function openCollector(everyBytes: number): (bytes: number) => void {
  let passed = 0;
  return (bytes) => {
    passed += bytes;
    if (passed < everyBytes) return;
    passed = 0;
    globalThis.gc?.();
  };
}
