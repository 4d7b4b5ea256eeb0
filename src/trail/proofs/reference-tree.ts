import { hash } from 'node:crypto';

/**
 * RFC 6962, section 2.1, word for word and as slow as it stands there, on hex strings: what the proofs are tested
 * against.
 */
const sha256 = (hex: string) => hash('sha256', Buffer.from(hex, 'hex'));

export const referenceLeaf = (entryHex: string) => sha256(`00${entryHex}`);

function split(count: number): number {
  let k = 1;
  while (k * 2 < count) k *= 2;
  return k;
}

/** MTH over leaf hashes. */
export function referenceRoot(leaves: readonly string[]): string {
  const [only = ''] = leaves;
  if (leaves.length === 0) return sha256('');
  if (leaves.length === 1) return only;
  const k = split(leaves.length);
  return sha256(`01${referenceRoot(leaves.slice(0, k))}${referenceRoot(leaves.slice(k))}`);
}

/** PATH(m, D[n]). */
export function referenceInclusion(index: number, leaves: readonly string[]): string[] {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return index < k
    ? [...referenceInclusion(index, left), referenceRoot(right)]
    : [...referenceInclusion(index - k, right), referenceRoot(left)];
}

function subproof(older: number, leaves: readonly string[], whole: boolean): string[] {
  if (older === leaves.length) return whole ? [] : [referenceRoot(leaves)];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return older <= k
    ? [...subproof(older, left, whole), referenceRoot(right)]
    : [...subproof(older - k, right, false), referenceRoot(left)];
}

/** PROOF(m, D[n]). */
export function referenceConsistency(older: number, leaves: readonly string[]): string[] {
  return older === 0 ? [] : subproof(older, leaves, true);
}
