/** What can be wrong with a bucket of log files and digests. */
export type FindingKind =
  /** Neither a digest nor a log file was found at all. */
  | 'no-digests'
  /** A digest file that another one links to is not there. */
  | 'digest-missing'
  /** A digest file was verified by an earlier run, and is not there any more. */
  | 'digest-gone'
  | 'digest-moved'
  | 'digest-not-gzip'
  | 'digest-damaged'
  | 'digest-trailing-bytes'
  | 'digest-altered-wrapping'
  | 'digest-bad-json'
  | 'digest-bad-format'
  | 'digest-unknown-key'
  | 'digest-no-signature'
  | 'digest-bad-signature'
  | 'digest-unreadable'
  /** Two valid digests that do not fit together. */
  | 'chain-broken'
  | 'log-missing'
  | 'log-moved'
  | 'log-not-gzip'
  | 'log-damaged'
  | 'log-trailing-bytes'
  | 'log-altered-wrapping'
  | 'log-changed'
  | 'log-unreadable'
  /** A file among the log files, in a time that digests cover, that no digest lists. */
  | 'log-unlisted'
  /** A file among the digests that is none. */
  | 'foreign-file';

/** One thing that is wrong: where, and what was expected there. */
export interface Finding {
  readonly kind: FindingKind;
  /** `s3://BUCKET/KEY` or a path. */
  readonly file: string;
  /** What is wrong, in words. */
  readonly message: string;
  /** The digest file by which it is judged: the link of the chain. */
  readonly digest?: string;
  readonly expected?: string;
  readonly found?: string;
}

/** A finding as one line. */
export function findingLine({ kind, file, message, digest, expected, found }: Finding): string {
  const parts = [`${file}: ${kind}: ${message}`];
  if (expected !== undefined) parts.push(`expected ${expected}`);
  if (found !== undefined) parts.push(`found ${found}`);
  if (digest !== undefined) parts.push(`according to ${digest}`);
  return parts.join('; ');
}
