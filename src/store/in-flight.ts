import { limits, OverloadError } from '../kernel/index.ts';

/** What may be handed in and not yet durable. */
export interface InFlightBounds {
  readonly bytes: number;
  readonly entries: number;
  /** One entry. */
  readonly entryBytes: number;
}

export const defaultInFlightBounds: InFlightBounds = {
  bytes: limits.journalInFlightBytes,
  entries: limits.journalInFlightEntries,
  entryBytes: limits.journalEntryBytes,
};

/** Counts what is in flight, so that memory stays bounded however fast the producers are. */
export interface InFlight {
  /**
   * Takes a group in and returns its size in bytes. Throws OverloadError when it does not fit now, and RangeError
   * when it never could (an empty group, an entry or a group beyond the bounds).
   */
  admit(group: readonly Uint8Array[]): number;
  release(entries: number, bytes: number): void;
}

export function openInFlight(bounds: InFlightBounds): InFlight {
  let heldBytes = 0;
  let heldEntries = 0;
  const measure = (group: readonly Uint8Array[]): number => {
    if (group.length === 0) throw new RangeError('a group needs at least one entry');
    let bytes = 0;
    for (const entry of group) {
      if (entry.length > bounds.entryBytes) {
        throw new RangeError(`an entry of ${entry.length} bytes is over the bound of ${bounds.entryBytes}`);
      }
      bytes += entry.length;
    }
    if (bytes > bounds.bytes || group.length > bounds.entries) {
      throw new RangeError(
        `a group of ${group.length} entries and ${bytes} bytes is over the bounds of ${bounds.entries} entries and ${bounds.bytes} bytes`,
      );
    }
    return bytes;
  };
  return {
    admit(group) {
      const bytes = measure(group);
      if (heldBytes + bytes > bounds.bytes || heldEntries + group.length > bounds.entries) {
        throw new OverloadError(
          `${heldEntries} entries (${heldBytes} bytes) wait to become durable, which is the bound; try again shortly`,
        );
      }
      heldBytes += bytes;
      heldEntries += group.length;
      return bytes;
    },
    release(entries, bytes) {
      heldEntries -= entries;
      heldBytes -= bytes;
    },
  };
}
