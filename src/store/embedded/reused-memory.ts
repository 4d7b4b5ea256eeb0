/** Gives memory of a size. */
export type Memory = (sizeBytes: number) => Buffer;

/**
 * Memory for one use after the other, where fresh memory for each would cost more: what it gave before may be given again,
 * so no view of that may be in use any more. What is larger than `mostKeptBytes` is not kept for the next use.
 */
export function openReusedMemory(mostKeptBytes = Infinity): Memory {
  let kept = Buffer.alloc(0);
  return (sizeBytes) => {
    if (sizeBytes > mostKeptBytes) return Buffer.allocUnsafeSlow(sizeBytes);
    if (sizeBytes > kept.length) kept = Buffer.allocUnsafeSlow(Math.max(sizeBytes, 2 * kept.length));
    return kept.subarray(0, sizeBytes);
  };
}
