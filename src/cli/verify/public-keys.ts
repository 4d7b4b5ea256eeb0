import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CommandError, exitCodes, usageError } from '../exit-codes.ts';

/** The public keys of digests, by region and fingerprint. */
export interface PublicKeys {
  /** `time`: the end of the digest that names the key, epoch milliseconds. */
  find(region: string, fingerprint: string, time: number): Promise<KeyObject | undefined>;
}

/** A key as ListPublicKeys answers it. */
export interface ListedKey {
  readonly Fingerprint?: string | undefined;
  readonly Value?: Uint8Array | string | undefined;
}

/** CloudTrail's keys are PKCS#1; the documentation also prints one as SubjectPublicKeyInfo. */
function parsePublicKey(der: Uint8Array): KeyObject | undefined {
  for (const type of ['pkcs1', 'spki'] as const) {
    try {
      return createPublicKey({ key: Buffer.from(der), format: 'der', type });
    } catch {
      // It is of the other form, or of none.
    }
  }
  return undefined;
}

function tableOf(keys: readonly ListedKey[]): ReadonlyMap<string, KeyObject> {
  const table = new Map<string, KeyObject>();
  for (const { Fingerprint, Value } of keys) {
    if (Fingerprint === undefined || Value === undefined) continue;
    const key = parsePublicKey(typeof Value === 'string' ? Buffer.from(Value, 'base64') : Value);
    if (key) table.set(Fingerprint, key);
  }
  return table;
}

/** Reads keys from a file as `aws cloudtrail list-public-keys` prints it, or several of them in a list. Throws CommandError. */
export async function readKeyFile(file: string): Promise<PublicKeys> {
  let bytes: string;
  try {
    bytes = await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandError(
      `cannot read the public keys in ${file}: ${(error as Error).message}`,
      exitCodes.usage,
    );
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes);
  } catch (error) {
    throw usageError(
      `--public-keys takes what "aws cloudtrail list-public-keys" prints; ${file} is no JSON: ${(error as Error).message}`,
    );
  }
  const answers = Array.isArray(parsed) ? (parsed as unknown[]) : [parsed];
  const keys = answers.flatMap((answer) => {
    const list = (answer as { readonly PublicKeyList?: unknown } | null)?.PublicKeyList;
    return Array.isArray(list) ? (list as ListedKey[]) : [answer as ListedKey];
  });
  const table = tableOf(keys.filter((key) => typeof key === 'object' && key !== null));
  if (table.size === 0) throw usageError(`there is no public key in ${file}`);
  return { find: (_region, fingerprint) => Promise.resolve(table.get(fingerprint)) };
}

const dayMs = 86_400_000;

/**
 * Keys that are asked for by `ask`, once for each region: those that were valid until a day from now. A digest that ends
 * later is one of a clock that was ahead, and signed with a key of its time: then they are asked for up to a year behind it.
 */
export function askForKeys(
  ask: (region: string, untilMs: number) => Promise<readonly ListedKey[]>,
  nowMs: number,
): PublicKeys {
  interface Asked {
    readonly until: number;
    readonly table: Promise<ReadonlyMap<string, KeyObject>>;
  }
  const regions = new Map<string, Asked>();
  return {
    async find(region, fingerprint, time) {
      let asked = regions.get(region);
      if (!asked || asked.until < time) {
        const until = time <= nowMs + dayMs ? nowMs + dayMs : time + 365 * dayMs;
        asked = { until, table: ask(region, until).then(tableOf) };
        regions.set(region, asked);
      }
      return (await asked.table).get(fingerprint);
    },
  };
}
