/** Segments that are merged into one: their place in the list of segments, and how many. */
export interface MergePlan {
  readonly first: number;
  readonly count: number;
}

/** How many segments of one size make the next size. */
const fanIn = 8;

/**
 * Sizes in events, each eight times the one before. A full sealed tail (16,384) and what is merged of it lie well inside
 * their size, because smaller segments may join them. A segment above the last size rests.
 */
const sizes = [3072, 24_576, 196_608];

/**
 * The next merge, if one is due: neighbours in the order of arrival, eight of one size and what smaller ones lie
 * between them. So every event is rewritten about once at each size, and events that came together stay together.
 */
export function planMerge(documents: readonly number[]): MergePlan | undefined {
  let below = 0;
  for (const size of sizes) {
    let first = 0;
    let ofSize = 0;
    for (const [index, count] of documents.entries()) {
      if (count > size) {
        first = index + 1;
        ofSize = 0;
      } else if (count > below) ofSize += 1;
      if (ofSize === fanIn) return { first, count: index - first + 1 };
    }
    below = size;
  }
  return undefined;
}
