import { join, resolve } from 'node:path';
import { verifyHistory } from '../../trail/history/index.ts';
import { formatNumberOf } from '../terminal/figures.ts';
import type { Check } from './check.ts';

/**
 * Reads the whole event history of a data directory that no server holds, and names every file of it that is damaged or
 * missing. Changes nothing, so that it can be run on evidence.
 */
export async function checkHistory(data: string): Promise<readonly Check[]> {
  const directory = resolve(join(data, 'history'));
  const name = 'history';
  try {
    const { events, segments, damage, quarantine } = await verifyHistory(directory);
    const read = `${formatNumberOf(events, 'event')} in ${formatNumberOf(segments, 'segment')}`;
    const checks: Check[] = [
      {
        level: 'ok',
        name,
        finding: `${directory}: ${read}${damage.length === 0 ? ', all whole' : ' readable'}`,
      },
    ];
    for (const finding of damage) {
      checks.push({
        level: 'fail',
        name,
        finding,
        advice:
          'copy the data directory away, check the disk, and restore the file from a backup; else the next start saves what can be read, and importing its log files again (`cairn import --again`) brings back the rest',
      });
    }
    if (quarantine.length > 0) {
      checks.push({
        level: 'warn',
        name,
        finding: `${formatNumberOf(quarantine.length, 'file')} set aside as damaged, such as ${quarantine[0] ?? ''}`,
        advice: 'what could be read of them is in the history; remove them when the rest was imported again',
      });
    }
    return checks;
  } catch (error) {
    const finding = `${directory} cannot be read: ${(error as Error).message}`;
    return [{ level: 'fail', name, finding, advice: 'restore the directory from a backup' }];
  }
}
