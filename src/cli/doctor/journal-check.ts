import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openJournal, verifyStream } from '../../journal/index.ts';
import { openLog, type Clock, type Logger, type Random } from '../../kernel/index.ts';
import { openSegmentLog } from '../../store/embedded/index.ts';
import type { Log, LogDamage } from '../../store/index.ts';
import { openMemoryCursors } from '../../store/memory/index.ts';
import { formatBytes, formatCount, formatNumberOf } from '../terminal/figures.ts';
import type { Check } from './check.ts';
import { readOnlyFiles } from './read-only-files.ts';

const restoreAdvice =
  'copy the data directory away, check the disk, and restore the file from a backup; what is before and after stays readable';

interface LogLine {
  readonly msg: string;
  readonly file?: string;
  readonly offset?: number;
  readonly bytes?: number;
}

/** What a repair at the next start would do, as the log words it. */
function describeRepair({ msg, file, offset, bytes }: LogLine): Check {
  const where = file === undefined ? '' : `${file} at byte ${offset ?? 0}, ${bytes ?? 0} bytes: `;
  return {
    level: 'warn',
    name: 'journal',
    finding: `${where}${msg}`,
    advice: 'the next start does this; nothing else is to be done',
  };
}

/** What a log holds, and what of it cannot be read. */
interface Contents {
  readonly entries: number;
  readonly damage: readonly LogDamage[];
}

/** The journal's own stream is read as such, so that the hash of every record is checked besides the sums. */
async function readWhole(name: string, log: Log, { clock, logger }: Parts): Promise<Contents> {
  if (name === 'audit') {
    await using journal = await openJournal({
      openLog: () => Promise.resolve(log),
      openCursors: () => Promise.resolve(openMemoryCursors()),
      clock,
      log: logger,
    });
    return await verifyStream(journal.stream('audit'));
  }
  const damage: LogDamage[] = [];
  let entries = 0;
  for await (const batch of log.read(log.start)) {
    entries += batch.entries.length;
    damage.push(...batch.damage);
  }
  return { entries, damage };
}

interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Reads one log of the journal from its start to its end. */
async function checkLog(
  name: string,
  directory: string,
  parts: Omit<Parts, 'logger'>,
): Promise<readonly Check[]> {
  const lines: LogLine[] = [];
  const logger = openLog('warn', { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) });
  await using log = await openSegmentLog({
    directory,
    random: parts.random,
    log: logger,
    files: readOnlyFiles,
  });
  const repairs = lines.splice(0).map(describeRepair);
  const size = formatBytes(await log.sizeBytes());
  const start = formatCount(log.start);
  const { entries, damage } = await readWhole(name, log, { ...parts, logger });
  const told: readonly Check[] = [
    ...damage.map(({ file, offset, length, reason }): Check => {
      const finding = `${file} at byte ${offset}, ${length} bytes: ${reason}`;
      return { level: 'fail', name: 'journal', finding, advice: restoreAdvice };
    }),
    ...repairs,
  ];
  const read = `${formatNumberOf(entries, 'entry', 'entries')} from ${start} on, ${size}`;
  const finding = `${directory}: ${read}${told.length === 0 ? ', all whole' : ' readable'}`;
  return [{ level: 'ok', name: 'journal', finding }, ...told];
}

/**
 * Reads the whole journal of a data directory that no server holds, and names every stretch that cannot be read. Changes
 * nothing, so that it can be run on evidence.
 */
export async function checkJournal(
  data: string,
  parts: { readonly clock: Clock; readonly random: Random },
): Promise<readonly Check[]> {
  const folder = resolve(join(data, 'journal'));
  const names: readonly string[] = await readdir(folder).catch(() => []);
  const checks: Check[] = [];
  for (const name of names.toSorted()) {
    const directory = join(folder, name);
    if (!(await stat(directory)).isDirectory()) continue;
    try {
      checks.push(...(await checkLog(name, directory, parts)));
    } catch (error) {
      const finding = `${directory} cannot be read: ${(error as Error).message}`;
      checks.push({ level: 'fail', name: 'journal', finding, advice: restoreAdvice });
    }
  }
  return checks;
}
