import type { Logger } from '../../kernel/index.ts';
import type { ActingFor, Buckets } from '../buckets.ts';
import type { CollectedFile } from './collect-files.ts';
import type { DeliveryPlan, PlannedFile } from './delivery-documents.ts';

/** The files of a plan with the bytes to put; no bytes where the bucket has what cannot be made any more. */
export interface RestoredFiles {
  readonly files: readonly PlannedFile[];
  readonly bodies: readonly (Uint8Array | undefined)[];
}

async function exists(
  buckets: Pick<Buckets, 'get'>,
  bucket: string,
  key: string,
  as: ActingFor,
): Promise<boolean> {
  const found = await buckets.get(bucket, key, as);
  await found?.[Symbol.asyncIterator]().return?.();
  return found !== undefined;
}

/**
 * Matches what was collected again with what was planned. They differ only when the journal was damaged in between: then a
 * file that is in its bucket stays as it is, and one that is not is delivered with what is left, which the log says.
 */
export async function restoreFiles(
  { buckets, log }: { readonly buckets: Pick<Buckets, 'get'>; readonly log: Logger },
  plan: DeliveryPlan,
  collected: readonly CollectedFile[],
  as: ActingFor,
): Promise<RestoredFiles> {
  const files: PlannedFile[] = [];
  const bodies: (Uint8Array | undefined)[] = [];
  for (const planned of plan.files) {
    const { region, eventClass, sha256, key } = planned;
    const again = collected.find((one) => one.region === region && one.eventClass === eventClass);
    if (planned.done || again?.sha256 === sha256) {
      files.push(planned);
      bodies.push(again?.body);
      continue;
    }
    const isThere = await exists(buckets, plan.bucket, key, as);
    log.error(
      {
        trail: as.arn,
        bucket: plan.bucket,
        key,
        records: planned.records,
        left: again?.records ?? 0,
        isThere,
      },
      'the journal no longer holds what this log file was planned of',
    );
    if (!isThere && !again) continue;
    const { body, ...fresh } = again ?? { body: undefined };
    files.push(isThere ? planned : { ...planned, ...fresh });
    bodies.push(isThere ? undefined : body);
  }
  return { files, bodies };
}
