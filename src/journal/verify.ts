import type { LogDamage } from '../store/index.ts';
import { hashHolds } from './entry-codec.ts';
import type { Stream } from './journal-types.ts';

/** What a verification found. */
export interface Verification {
  /** Entries that were read and hold. */
  readonly entries: number;
  readonly bytes: number;
  /** Everything that does not: places in files, and entries whose hash is not that of their payload. */
  readonly damage: readonly LogDamage[];
}

/** So much damage is listed; what is beyond tells nothing new. */
const listedDamage = 1_000;

/** Reads a whole stream once, checking every sum and every hash. Runs beside readers and writers. */
export async function verifyStream(stream: Stream, signal?: AbortSignal): Promise<Verification> {
  let entries = 0;
  let bytes = 0;
  const damage: LogDamage[] = [];
  const report = (said: LogDamage) => {
    if (damage.length < listedDamage) damage.push(said);
  };
  for await (const batch of stream.read(stream.start)) {
    signal?.throwIfAborted();
    for (const said of batch.damage) report(said);
    for (const entry of batch.entries) {
      const length = entry.payload.length;
      if (hashHolds(entry)) {
        entries += 1;
        bytes += length;
      } else {
        const reason = `the payload of entry ${entry.sequence} is not what its hash says`;
        report({ file: stream.name, offset: 0, length, reason });
      }
    }
  }
  return { entries, bytes, damage };
}
