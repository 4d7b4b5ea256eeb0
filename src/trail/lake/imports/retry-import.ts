import { limits } from '../../../kernel/index.ts';
import type { Change } from '../../../state/index.ts';
import {
  failuresPrefix,
  numberedOf,
  type ImportDocument,
  type ImportFailureDocument,
} from './import-documents.ts';

/** Files that were imported but for some of their records; to read them again would bring nothing. */
export const partlyTaken = 'InvalidRecords';

/** CloudTrail's log files among what a bucket holds; digests, insights and the files of others are passed over. */
const logFileName = /(?:^|\/)[^/]+\.json(?:\.gz)?$/i;
const otherFiles = /\/CloudTrail-(?:Digest|Insight)\/|\/Config\/|_CloudTrail-(?:Digest|Insight)_/;

export function isLogFile({ key }: { readonly key: string }): boolean {
  return logFileName.test(key) && !otherFiles.test(key);
}

export const locationOfKey = ({ bucket }: ImportDocument, key: string): string => `s3://${bucket}/${key}`;

/** The object that a failure is about; the listing's own failure is about none. */
export function keyOfFailure(document: ImportDocument, { location }: ImportFailureDocument): string {
  return location.slice(locationOfKey(document, '').length);
}

/**
 * An import that goes on: what it could not read is read again, and then what it had not come to. Where more failed than is
 * listed it begins anew, which brings no event twice.
 */
export async function retried(change: Change, old: ImportDocument, now: number): Promise<ImportDocument> {
  const failures = await change.list<ImportFailureDocument>(failuresPrefix(old.accountId, old.importId));
  const next: ImportDocument = { ...old, status: 'IN_PROGRESS', updatedAt: now };
  if (old.failed > limits.lakeImportFailures) {
    for (const { key } of failures) change.delete(key);
    const { after: _after, ...fresh } = next;
    return { ...fresh, files: 0, events: 0, failed: 0, numbered: 0 };
  }
  let gone = 0;
  for (const { key, value } of failures) {
    if (value.status !== undefined || value.errorType === partlyTaken) continue;
    if (isLogFile({ key: keyOfFailure(old, value) })) change.put(key, { ...value, status: 'RETRY' });
    else {
      change.delete(key);
      gone++;
    }
  }
  return { ...next, failed: old.failed - gone, numbered: numberedOf(old) };
}
