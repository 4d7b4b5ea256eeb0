/**
 * A log file that is in its bucket and in no digest yet: written under `deliveredKey` in the commit that ends its delivery,
 * and deleted in the commit that ends the delivery of the digest which lists it. Kept for trails with log file validation.
 */
export interface DeliveredFile {
  readonly trailArn: string;
  readonly region: string;
  readonly bucket: string;
  readonly key: string;
  /** SHA-256 of the inflated bytes, in hexadecimal. */
  readonly sha256: string;
  /** eventTime of its oldest and newest record, epoch milliseconds. */
  readonly oldestEventTime: number;
  readonly newestEventTime: number;
  /** Epoch milliseconds, never less than that of the file delivered before. */
  readonly deliveredAt: number;
}

/** Under this prefix, in the order of delivery. `id` is the trail's. */
export const deliveredPrefix = (id: string, region: string): string => `trail/delivered/${id}/${region}/`;

/** `sequence` is the journal's, of the file's first record; `part` tells files of one delivery apart. */
export const deliveredKey = (id: string, file: DeliveredFile, sequence: number, part: number): string =>
  `${deliveredPrefix(id, file.region)}${[file.deliveredAt, sequence, part].map((n) => String(n).padStart(16, '0')).join('-')}`;
