import type { SealedFile } from './manifest.ts';

/** Files that are to become one; they stand next to each other among the owner's files. */
export interface MergePlan {
  readonly inputs: readonly SealedFile[];
  /** Whether their times overlap so much that their rows must be sorted, for a query of some time to read few of them. */
  readonly sort: boolean;
}

/** Files of about one size that are merged together. */
const fanIn = 8;
/** A file of so many rows is left as it is. */
const mostRows = 2_000_000;

/** Sizes that count as one: a level holds files of up to eight times as many rows as the level below. */
function levelOf({ rows }: SealedFile): number {
  return Math.floor(Math.log(Math.max(1, rows / 4096)) / Math.log(fanIn));
}

function overlap(files: readonly SealedFile[]): boolean {
  const from = Math.min(...files.map((file) => file.from));
  const to = Math.max(...files.map((file) => file.to));
  return files.reduce((sum, file) => sum + (file.to - file.from), 0) > 1.5 * (to - from);
}

/**
 * The next merge for the files of one owner, in their order; undefined when none is due. Eight neighbours of one level, or
 * of lower ones, become a file of the next level, so each row is written a handful of times in all.
 */
export function planMerge(files: readonly SealedFile[]): MergePlan | undefined {
  for (let end = files.length; end >= fanIn; end--) {
    const last = files[end - 1];
    if (!last) continue;
    let start = end;
    let rows = 0;
    const level = levelOf(last);
    for (; start > 0; start--) {
      const file = files[start - 1];
      if (!file || levelOf(file) > level || rows + file.rows > mostRows) break;
      rows += file.rows;
    }
    if (end - start < fanIn) continue;
    const inputs = files.slice(start, end);
    return { inputs, sort: overlap(inputs) };
  }
  return undefined;
}
