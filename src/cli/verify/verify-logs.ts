import { tailOf, type StoredFile } from './bucket-source.ts';
import { placeOf } from './digest-chains.ts';
import { alteredPadding, type DigestFacts, type ListedLog } from './digest-file.ts';
import { parseLogTime } from './digest-names.ts';
import type { Finding } from './findings.ts';
import { readGzip } from './gzip-member.ts';
import type { VerifyRun } from './verify-run.ts';
import type { WrappingCensus } from './wrapping-census.ts';

export interface LogVerdict {
  /** The tag that the file had when it was found valid. */
  readonly tag?: string;
  readonly finding?: Finding;
}

/** Verifies one log file against the digest that lists it. */
export async function verifyLog(
  run: VerifyRun,
  digest: DigestFacts,
  log: ListedLog,
  census: WrappingCensus,
): Promise<LogVerdict> {
  const { source, totals } = run;
  const place = placeOf(source, digest.key, log);
  const file = place === undefined ? `s3://${log.bucket}/${log.key}` : source.show(place);
  const about = { file, digest: source.show(digest.key) };
  try {
    const opened = await source.read(place ?? log.key, place === undefined ? { bucket: log.bucket } : {});
    if (!opened) {
      const message = 'the log file is not there: it was deleted, moved, or expired';
      return { finding: { ...about, kind: 'log-missing', message, expected: `SHA-256 ${log.sha256}` } };
    }
    const member = await readGzip(opened);
    totals.bytesDone += opened.sizeBytes;
    if (member.kind !== 'member') {
      return { finding: { ...about, kind: `log-${member.kind}`, message: member.detail } };
    }
    if (member.sha256 !== log.sha256) {
      const message = 'the log file was changed after it was delivered';
      const expected = `SHA-256 ${log.sha256}`;
      return { finding: { ...about, kind: 'log-changed', message, expected, found: member.sha256 } };
    }
    census.note({ what: 'log', file, wrapping: member.wrapping, digestKey: digest.key });
    if (member.paddingIsSet) return { finding: alteredPadding('log', file) };
    return { tag: opened.tag };
  } catch (error) {
    run.pool.throwIfAborted();
    const message = `it cannot be read: ${(error as Error).message}`;
    return { finding: { ...about, kind: 'log-unreadable', message } };
  }
}

/** A stretch that valid digests cover, epoch milliseconds. */
export interface Covered {
  readonly from: number;
  readonly to: number;
}

/** How long before the end of the last digest a file's name may say that it was made, and the file yet come later. */
const lateMs = 15 * 60_000;

function coversTime(covered: readonly Covered[], time: number): boolean {
  return covered.some(({ from, to }) => from <= time && time < to);
}

/**
 * Judges the files among the log files that no digest lists: added ones in a time that digests cover, those that are newer
 * than every digest, which a later digest will list, and those of other times, which nothing is known of. A file whose
 * content is that of a missing one was moved.
 */
export async function verifyUnlisted(
  run: VerifyRun,
  files: readonly StoredFile[],
  options: {
    readonly covered: readonly Covered[];
    /** Of log files that were not found, by the SHA-256 that was expected. */
    readonly missing: ReadonlyMap<string, Finding>;
  },
): Promise<readonly Finding[]> {
  const { source, totals, startTime, endTime } = run;
  const { covered, missing } = options;
  const last = covered.reduce<Covered | undefined>(
    (latest, one) => (latest && latest.to >= one.to ? latest : one),
    undefined,
  );
  const doubtfulFrom = last ? last.to - Math.min(lateMs, last.to - last.from) : -Infinity;
  const findings: Finding[] = [];
  await run.pool.each(files, async (file) => {
    const shown = source.show(file.key);
    const time = parseLogTime(file.key);
    if (time === undefined) {
      if (file.key.endsWith('/') && file.sizeBytes === 0) return;
      const message = 'it is among the log files, and no digest lists it';
      findings.push(
        (await findingOfMoved(run, file, missing)) ?? { kind: 'log-unlisted', file: shown, message },
      );
      return;
    }
    if (time < startTime || time > endTime) return;
    if (last && time >= doubtfulFrom) {
      totals.newer++;
      return;
    }
    if (!coversTime(covered, time)) {
      totals.uncovered++;
      return;
    }
    const message = 'it was added: digests cover its time, and none lists it';
    findings.push(
      (await findingOfMoved(run, file, missing)) ?? { kind: 'log-unlisted', file: shown, message },
    );
  });
  return findings;
}

/** The finding of a file whose content is that of one that is missing; undefined when it is of none. */
async function findingOfMoved(
  run: VerifyRun,
  file: StoredFile,
  missing: ReadonlyMap<string, Finding>,
): Promise<Finding | undefined> {
  if (missing.size === 0) return undefined;
  const opened = await run.source.read(file.key);
  const member = opened && (await readGzip(opened));
  const from = member?.kind === 'member' ? missing.get(member.sha256) : undefined;
  const found = run.source.show(file.key);
  return (
    from && {
      kind: 'log-moved',
      file: found,
      message: 'a log file was moved here',
      expected: from.file,
      found,
      ...(from.digest !== undefined && { digest: from.digest }),
    }
  );
}

/** Keys of log files without what comes before `AWSLogs/` where the source is a copy. */
export function listedKey(run: VerifyRun, digest: DigestFacts, log: ListedLog): string {
  return placeOf(run.source, digest.key, log) ?? `\0${log.bucket}/${tailOf(log.key)}`;
}
