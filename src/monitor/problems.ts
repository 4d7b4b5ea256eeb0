import type { Measurements } from './metrics.ts';

/** Below this much room a full disk is near. */
const lowDiskBytes = 512 * 1024 * 1024;
/** A reader that is this far behind answers with old news. */
const highLagEntries = 100_000;

/** What is wrong right now, one plain sentence each; empty when all is well. */
export function findProblems(now: Measurements): readonly string[] {
  const problems: string[] = [];
  if (now.journalFailure !== undefined) {
    problems.push(
      `calls that write fail because the disk failed: ${now.journalFailure}; check the disk, and restart Cairn`,
    );
  }
  if (now.disk.freeBytes < lowDiskBytes) {
    const left = Math.round(now.disk.freeBytes / 1024 / 1024);
    problems.push(
      `only ${left} MiB are left on the disk of the data directory: make room, or calls that write will be refused`,
    );
  }
  for (const reader of now.readers.filter(({ lag }) => lag > highLagEntries)) {
    problems.push(`the reader ${reader.name} is ${reader.lag} entries behind the ${reader.stream} journal`);
  }
  if (now.damage > 0) {
    const stretches = now.damage === 1 ? '1 damaged stretch was' : `${now.damage} damaged stretches were`;
    problems.push(`${stretches} met in files: \`cairn doctor\` names them`);
  }
  if (now.unindexed > 0)
    problems.push(`${now.unindexed} journal records could not be indexed: the log names them`);
  return [...problems, ...(now.partProblems ?? [])];
}
