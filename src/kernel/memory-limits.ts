import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 count buffers together with objects when it decides to collect memory. By default it collects whenever buffers have
 * grown by 64 MiB, however little that is of what may be in use: each megabyte of events that comes in would cost a few
 * milliseconds of marking. Call it before there is much.
 */
export function countBuffersWithObjects(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}
