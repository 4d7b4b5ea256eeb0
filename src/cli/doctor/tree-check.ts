import { join, resolve } from 'node:path';
import type { KeptDocuments } from '../../state/index.ts';
import { logKeyDocument, verifyTree } from '../../trail/proofs/index.ts';
import { formatNumberOf } from '../terminal/figures.ts';
import type { Check } from './check.ts';

const name = 'proofs';

const headAdvice =
  'copy the data directory away and check the disk, then start Cairn: it builds the tree anew from the journal and its hashes; compare its checkpoint with one that you kept (cairn verify --checkpoints)';
const filesAdvice =
  'copy the data directory away and check the disk, then move entries and level-* of tlog away (not head.json) and start Cairn: it makes them anew from journal/audit-hashes, which must give the root that was signed';

/** Reads the whole Merkle tree of a data directory that no server holds. */
export async function checkTree(data: string, documents: KeptDocuments): Promise<Check> {
  const directory = resolve(join(data, 'tlog'));
  const kept = documents.get(logKeyDocument) as { readonly verifierKey: string } | undefined;
  if (!kept) return { level: 'ok', name, finding: 'there is no tree yet' };
  try {
    const { size, damage } = await verifyTree(directory, kept.verifierKey);
    if (damage === undefined) {
      const holds = size === undefined ? 'nothing is signed yet' : `${formatNumberOf(size, 'record')} under`;
      const finding =
        size === undefined ? holds : `${holds} the newest checkpoint, its signature and every hash are right`;
      return { level: 'ok', name, finding: `${directory}: ${finding}` };
    }
    const advice = damage.startsWith(join(directory, 'head.json')) ? headAdvice : filesAdvice;
    return { level: 'fail', name, finding: damage, advice };
  } catch (error) {
    const finding = `${directory} cannot be read: ${(error as Error).message}`;
    return { level: 'fail', name, finding, advice: 'restore the directory from a backup' };
  }
}
