/** The ports held in memory: for tests, and for what need not outlive the process. */
export { openMemoryLog } from './memory-log.ts';
export { openMemoryBlob } from './memory-blob.ts';
export { openMemoryCursors } from './memory-cursors.ts';
