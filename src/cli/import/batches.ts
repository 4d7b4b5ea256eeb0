import type { LogFile } from './walk.ts';

const mostFiles = 64;
const mostBytes = 8 * 1024 * 1024;

/**
 * Cuts the files into batches, each of which is asked for in one `/_cairn/import/check` and then sent by one worker: at
 * most 64 files and 8 MiB (or one larger file), and small enough that every worker has several to do.
 */
export function cutIntoBatches(files: readonly LogFile[], workers: number): readonly (readonly LogFile[])[] {
  const fairShare = Math.max(1, Math.ceil(files.length / (workers * 4)));
  const most = Math.min(mostFiles, fairShare);
  const batches: LogFile[][] = [];
  let batch: LogFile[] = [];
  let bytes = 0;
  for (const file of files) {
    if (batch.length > 0 && (batch.length >= most || bytes + file.sizeBytes > mostBytes)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.sizeBytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
