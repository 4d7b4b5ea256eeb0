import type { Logger } from '../../kernel/index.ts';
import type { CollectedFile } from './collect-pass.ts';
import type { DeliveryPlan, PlannedFile } from './delivery-documents.ts';

/** The files of a plan with the bytes to put; no bytes for what is in its bucket. */
export interface RestoredFiles {
  readonly files: readonly PlannedFile[];
  readonly bodies: readonly (Uint8Array | undefined)[];
}

/**
 * Matches what was collected again with what was planned. They differ only when the journal was damaged in between: then
 * what is left is delivered under a key of its own, because the planned file may be in the bucket and be whole.
 */
export function restoreFiles(
  log: Logger,
  plan: DeliveryPlan,
  collected: readonly CollectedFile[],
  newKey: (file: PlannedFile) => string,
): RestoredFiles {
  const files: PlannedFile[] = [];
  const bodies: (Uint8Array | undefined)[] = [];
  for (const planned of plan.files) {
    const { region, eventClass, sha256, key } = planned;
    const again = collected.find((one) => one.region === region && one.eventClass === eventClass);
    if (planned.done || again?.sha256 === sha256) {
      files.push(planned);
      bodies.push(planned.done ? undefined : again?.body);
      continue;
    }
    log.error(
      { bucket: plan.bucket, key, records: planned.records, left: again?.records ?? 0 },
      'the journal no longer holds what this log file was planned of; what is left is delivered under a new key',
    );
    if (!again) continue;
    const { first, records, oldestEventTime, newestEventTime, body } = again;
    const left = {
      region,
      eventClass,
      first,
      records,
      sha256: again.sha256,
      oldestEventTime,
      newestEventTime,
    };
    files.push({ key: newKey(planned), ...left });
    bodies.push(body);
  }
  return { files, bodies };
}
