import { rootOf, tailOf, type BucketSource } from './bucket-source.ts';
import type { DigestFacts, Link } from './digest-file.ts';
import { parseDigestName } from './digest-names.ts';
import type { Finding } from './findings.ts';

/** A digest of a group, whether it is valid in itself, and the signature that it has. */
export interface JudgedDigest {
  readonly facts: DigestFacts;
  readonly isValid: boolean;
  readonly signature: string | undefined;
}

/** Where in the source a file is that a digest names; undefined when that is another bucket. */
export function placeOf(
  source: BucketSource,
  digestKey: string,
  named: { bucket: string; key: string },
): string | undefined {
  if (source.bucket === undefined) return rootOf(digestKey) + tailOf(named.key);
  return source.bucket === named.bucket ? named.key : undefined;
}

/** The name of a chain: the digests of one trail in one region, or the backfill digests of it. */
function chainOf({ name }: DigestFacts): string {
  const { accountId, region, trailName, homeRegion, isBackfill } = name;
  return [accountId, region, trailName, homeRegion, isBackfill ? 'backfill' : ''].join(' ');
}

function linkFinding(
  source: BucketSource,
  { facts }: JudgedDigest,
  before: JudgedDigest,
): Finding | undefined {
  const { previous } = facts;
  if (!previous || !before.isValid) return undefined;
  const message = 'it is not the digest that the next one was chained to';
  const about = {
    kind: 'chain-broken',
    file: source.show(before.facts.key),
    digest: source.show(facts.key),
  } as const;
  if (before.facts.sha256 !== previous.sha256) {
    return { ...about, message, expected: `SHA-256 ${previous.sha256}`, found: before.facts.sha256 };
  }
  if (before.signature !== undefined && before.signature !== previous.signature) {
    return { ...about, message, expected: `signature ${previous.signature}`, found: before.signature };
  }
  return undefined;
}

function missingFinding(
  source: BucketSource,
  facts: DigestFacts,
  previous: Link,
  movedTo: string | undefined,
): Finding {
  const place = placeOf(source, facts.key, previous);
  return {
    kind: 'digest-missing',
    file: place === undefined ? `s3://${previous.bucket}/${previous.key}` : source.show(place),
    message:
      movedTo === undefined
        ? 'the previous digest of the chain is not there: it was deleted, or expired, and the log files of its time cannot be verified'
        : 'the previous digest of the chain is not there: it was moved',
    expected: `SHA-256 ${previous.sha256}`,
    ...(movedTo !== undefined && { found: movedTo }),
    digest: source.show(facts.key),
  };
}

/** The time between two chains of a trail, in which logging or validation was off. Epoch milliseconds. */
export interface ChainGap {
  readonly from: number;
  readonly to: number;
  readonly digest: string;
}

/**
 * Checks that the digests of a group are chained to one another. `present` has the keys of all digest files of the group,
 * also of those outside the time range or broken in themselves, so that only what is really gone is missing. Links to
 * another bucket are handed to `elsewhere`.
 */
export function checkChains(
  source: BucketSource,
  digests: readonly JudgedDigest[],
  options: {
    readonly present: ReadonlySet<string>;
    /** Epoch milliseconds; digests that end before it are not asked for. */
    readonly startTime: number;
    readonly elsewhere: (digest: DigestFacts, previous: Link) => void;
  },
): { readonly findings: readonly Finding[]; readonly gaps: readonly ChainGap[] } {
  const findings: Finding[] = [];
  const gaps: ChainGap[] = [];
  const byKey = new Map(digests.map((digest) => [digest.facts.key, digest]));
  const byHash = new Map(digests.map((digest) => [digest.facts.sha256, digest]));
  const followed = new Map<string, JudgedDigest>();
  const newest = new Map<string, JudgedDigest>();
  for (const digest of digests.toSorted((a, b) => a.facts.endTime - b.facts.endTime)) {
    if (!digest.isValid) continue;
    const { facts } = digest;
    const chain = chainOf(facts);
    const earlier = newest.get(chain);
    newest.set(chain, digest);
    const { previous } = facts;
    if (!previous) {
      if (earlier && !facts.name.isBackfill) {
        gaps.push({ from: earlier.facts.endTime, to: facts.startTime, digest: source.show(facts.key) });
      }
      continue;
    }
    const place = placeOf(source, facts.key, previous);
    if (place === undefined) {
      options.elsewhere(facts, previous);
      continue;
    }
    const before = byKey.get(place);
    if (before) {
      const broken = linkFinding(source, digest, before);
      if (broken) findings.push(broken);
      const other = followed.get(place);
      if (other) findings.push(forkFinding(source, before, other, digest));
      followed.set(place, digest);
    } else if (!options.present.has(place)) {
      const endTime = parseDigestName(previous.key)?.endTime ?? Infinity;
      if (endTime < options.startTime) continue;
      const moved = byHash.get(previous.sha256);
      findings.push(missingFinding(source, facts, previous, moved && source.show(moved.facts.key)));
    }
    if (earlier && earlier.facts.key !== place && before)
      findings.push(outsideFinding(source, earlier, digest));
  }
  return { findings, gaps };
}

function forkFinding(
  source: BucketSource,
  before: JudgedDigest,
  one: JudgedDigest,
  other: JudgedDigest,
): Finding {
  return {
    kind: 'chain-broken',
    file: source.show(other.facts.key),
    message: 'two digests are chained to the same one',
    expected: `only ${source.show(one.facts.key)}`,
    digest: source.show(before.facts.key),
  };
}

function outsideFinding(source: BucketSource, outside: JudgedDigest, next: JudgedDigest): Finding {
  return {
    kind: 'chain-broken',
    file: source.show(outside.facts.key),
    message: 'it stands between two digests that are chained to one another without it',
    digest: source.show(next.facts.key),
  };
}
