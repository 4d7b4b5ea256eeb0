import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 count buffers together with objects when it decides to collect memory. By default it collects whenever buffers have
 * grown by 64 MiB, however little that is of what may be in use: each megabyte of events that comes in would cost a few
 * milliseconds of marking. Threads that have few objects collect by themselves instead (`openCollector`). Call it before there is
 * much, and before there are other threads.
 */
export function countBuffersWithObjects(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
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
