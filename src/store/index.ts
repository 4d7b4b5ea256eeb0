/**
 * The ports behind which everything durable stands (`log`, `blob`), each with its adapters in `memory/` and
 * `embedded/`. Only `server.ts` and tests name an adapter.
 */
export type { Log, LogBatch, LogDamage, LogEntry } from './log-port.ts';
export type { Blob, BlobInfo, ByteRange } from './blob-port.ts';
