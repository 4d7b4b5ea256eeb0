import { join, resolve } from 'node:path';
import { verifyColumns } from '../../store/embedded/index.ts';
import { formatNumberOf } from '../terminal/figures.ts';
import type { Check } from './check.ts';

const name = 'lake';

/** Reads the files of the lake of a data directory that no server holds. */
export async function checkLake(data: string): Promise<readonly Check[]> {
  const directory = resolve(join(data, 'lake'));
  try {
    const { files, rows, withoutSums, damage, aside } = await verifyColumns(directory);
    const holds = `${formatNumberOf(rows, 'row')} in ${formatNumberOf(files, 'file')}`;
    const whole = damage.length === 0 ? ', all whole' : '';
    const sizes =
      withoutSums === 0 ? '' : `; of ${withoutSums}, of an earlier version, the sizes alone were compared`;
    return [
      { level: 'ok', name, finding: `${directory}: ${holds}${whole}${sizes}` },
      ...damage.map((finding): Check => ({
        level: 'fail',
        name,
        finding,
        advice:
          'copy the data directory away, check the disk, and restore the file from a backup; else move the directory lake away and start Cairn: what the history has comes back into it',
      })),
      ...aside.map((folder): Check => ({
        level: 'warn',
        name,
        finding: `${folder} holds files that were set aside when the manifest could not be read`,
        advice:
          'what the journal and the history had is in the lake; remove the folder when nothing is missing',
      })),
    ];
  } catch (error) {
    const finding = `${directory} cannot be read: ${(error as Error).message}`;
    return [{ level: 'fail', name, finding, advice: 'restore the directory from a backup' }];
  }
}
