import { join, resolve } from 'node:path';
import { openKeptState, type KeptState } from '../../state/index.ts';
import { formatNumberOf } from '../terminal/figures.ts';
import type { Check } from './check.ts';

const name = 'state';

/** Says what was found in the databases of control state. */
export function checkState({ files, documents: kept }: KeptState): readonly Check[] {
  const checks = files.map(({ file, documents, hasSums, damage }): Check => {
    const holds = `${file}: ${formatNumberOf(documents, 'document')}`;
    if (damage === undefined) {
      const finding = hasSums
        ? `${holds}, all whole`
        : `${holds} without checksums, of an earlier version: its structure alone was checked`;
      return { level: 'ok', name, finding };
    }
    return {
      level: 'fail',
      name,
      finding: `${file}: ${damage}`,
      advice: adviceFor(file, kept !== undefined),
    };
  });
  if (files.length > 0) return checks;
  return [{ level: 'ok', name, finding: 'there is none yet' }];
}

function adviceFor(file: string, isLiveWhole: boolean): string {
  if (file.endsWith('-copy.sqlite') && isLiveWhole)
    return 'start Cairn: it makes a new copy within a minute of the next change';
  return 'copy the data directory away, check the disk, then start Cairn: it sets a damaged database aside and rebuilds it from the copy and the journal, or says that it cannot; then restore a backup';
}

/** Opens the control state of a data directory that no server holds; what keeps it from being read is a finding. */
export async function openStateOf(data: string): Promise<KeptState | Check> {
  const directory = resolve(join(data, 'state'));
  try {
    return await openKeptState(directory);
  } catch (error) {
    const finding = `${directory} cannot be read: ${(error as Error).message}`;
    const advice = 'make room for a copy of it in the directory for temporary files (TMPDIR), and ask again';
    return { level: 'fail', name, finding, advice };
  }
}
