import type { Finding } from './findings.ts';

/**
 * What gzip headers say beside the content. The hashes of digests are of the content alone, so that a change of a header is
 * seen by nothing else. CloudTrail writes no time, no name, and one of few systems; whatever else most files of a group
 * share is taken for what their writer does.
 */
const usual = new Set(['00000000000000', '00000000000003', '000000000000ff']);

/** So many files must share an unusual header before it is taken for its writer's own. */
const fewest = 3;

interface Wrapped {
  readonly what: 'digest' | 'log';
  /** For people. */
  readonly file: string;
  readonly wrapping: string;
  /** The key of the digest file, or of the one that lists the log file. */
  readonly digestKey: string;
}

export interface WrappingCensus {
  note(file: Wrapped): void;
  /** Files whose header is not as that of the others, with the key of their digest. */
  findings(): readonly { readonly finding: Finding; readonly digestKey: string }[];
}

export function openWrappingCensus(): WrappingCensus {
  const counts = new Map<string, number>();
  const unusual: Wrapped[] = [];
  const totals = { digest: 0, log: 0 };
  return {
    note(wrapped) {
      const { what, wrapping } = wrapped;
      totals[what]++;
      if (usual.has(wrapping)) return;
      unusual.push(wrapped);
      counts.set(`${what} ${wrapping}`, (counts.get(`${what} ${wrapping}`) ?? 0) + 1);
    },
    findings: () =>
      unusual.flatMap(({ what, file, wrapping, digestKey }) => {
        const count = counts.get(`${what} ${wrapping}`) ?? 0;
        if (count >= fewest && count * 2 > totals[what]) return [];
        const message = 'its content is intact, but its gzip header is not as CloudTrail writes it';
        const kind = `${what}-altered-wrapping` as const;
        return [{ digestKey, finding: { kind, file, message, found: `1f8b08${wrapping}` } }];
      }),
  };
}
