import { usageError } from '../exit-codes.ts';
import type { BucketSource } from './bucket-source.ts';

/** The digests and log files of one account in one region, below one `AWSLogs/`. */
export interface Group {
  readonly accountId: string;
  readonly region: string;
  /** Such as `prefix/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/`. */
  readonly digestsPrefix: string;
  /** Such as `prefix/AWSLogs/111122223333/CloudTrail/us-east-1/`. */
  readonly logsPrefix: string;
}

/** Folders are looked into so deep for `AWSLogs`; a bucket's own folders are not walked through to their end. */
const searchDepth = 6;

const accountForm = /^\d{12}$/;
const organisationForm = /^o-[a-z0-9]{10,32}$/;

async function findRoots(source: BucketSource, prefix: string, depth = 0): Promise<readonly string[]> {
  const names = await source.folders(prefix);
  if (names.includes('AWSLogs')) return [`${prefix}AWSLogs/`];
  if (depth >= searchDepth) return [];
  const found: string[] = [];
  for (const name of names) found.push(...(await findRoots(source, `${prefix}${name}/`, depth + 1)));
  return found;
}

/** The folders of accounts below `AWSLogs/`, also those of an organisation. */
async function findAccounts(source: BucketSource, root: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await source.folders(root)) {
    if (accountForm.test(name)) found.push(`${root}${name}/`);
    else if (organisationForm.test(name)) found.push(...(await findAccounts(source, `${root}${name}/`)));
  }
  return found;
}

/** What of a prefix comes after `AWSLogs/`: how far it narrows the search down. */
function narrow(
  prefix: string,
): { readonly root: string; readonly account?: string; readonly region?: string } | undefined {
  const match =
    /^(.*?AWSLogs\/)(?:((?:o-[a-z0-9]+\/)?\d{12}\/)(?:CloudTrail(?:-Digest)?\/(?:([a-z0-9-]+)\/)?)?|(o-[a-z0-9]+\/))?$/.exec(
      prefix,
    );
  if (!match) return undefined;
  const [, root = '', account, region, organisation] = match;
  return {
    root: root + (organisation ?? ''),
    ...(account !== undefined && { account: root + account }),
    ...(region !== undefined && { region }),
  };
}

/**
 * Finds the accounts and regions that have digests or log files below `prefix`, which is empty, above an `AWSLogs/` folder,
 * or inside one down to a region. Throws a usage error for a prefix that goes deeper.
 */
export async function findGroups(source: BucketSource, prefix: string): Promise<readonly Group[]> {
  const isInside = prefix.includes('AWSLogs/');
  const narrowed = isInside ? narrow(prefix) : undefined;
  if (isInside && !narrowed) {
    throw usageError(
      `${source.show(prefix)} goes deeper than a region; name the bucket or its prefix, and narrow it down with --trail-arn, --start-time and --end-time`,
    );
  }
  const roots = narrowed ? [narrowed.root] : await findRoots(source, prefix);
  const groups: Group[] = [];
  for (const root of roots) {
    const accounts = narrowed?.account === undefined ? await findAccounts(source, root) : [narrowed.account];
    for (const account of accounts) {
      const regions = narrowed?.region === undefined ? await findRegions(source, account) : [narrowed.region];
      for (const region of regions) {
        groups.push({
          accountId: account.slice(-13, -1),
          region,
          digestsPrefix: `${account}CloudTrail-Digest/${region}/`,
          logsPrefix: `${account}CloudTrail/${region}/`,
        });
      }
    }
  }
  return groups;
}

/** Regions with log files alone are no groups: no digest says anything of them. */
async function findRegions(source: BucketSource, account: string): Promise<readonly string[]> {
  return source.folders(`${account}CloudTrail-Digest/`);
}
