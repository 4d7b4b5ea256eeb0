/** Segments that are merged into one: their place in the list of segments, and how many. */
export interface MergePlan {
  readonly first: number;
  readonly count: number;
}

/** How many segments of about one size make the next size. */
const fanIn = 8;

/** Sizes in events: what a sealed tail has, and eight times more at each step. A merged segment of the last size rests. */
const sizes = [2048, 16_384, 131_072];

/**
 * The next merge, if one is due: eight neighbours, in the order of arrival, of one size or smaller. Every event is so
 * rewritten once at each size and no more, and events that came together stay together.
 */
export function planMerge(documents: readonly number[]): MergePlan | undefined {
  for (const size of sizes) {
    let first = 0;
    for (const [index, count] of documents.entries()) {
      if (count > size) first = index + 1;
      else if (index - first + 1 === fanIn) return { first, count: fanIn };
    }
  }
  return undefined;
}
