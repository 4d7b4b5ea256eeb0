import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CommandError, exitCodes, usageError } from '../exit-codes.ts';

/** The public keys of digests, by region and fingerprint. */
export interface PublicKeys {
  find(region: string, fingerprint: string): Promise<KeyObject | undefined>;
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

/** Keys that are asked for by `ask`, once for each region. */
export function askForKeys(ask: (region: string) => Promise<readonly ListedKey[]>): PublicKeys {
  const regions = new Map<string, Promise<ReadonlyMap<string, KeyObject>>>();
  return {
    async find(region, fingerprint) {
      let table = regions.get(region);
      if (!table) {
        table = ask(region).then(tableOf);
        regions.set(region, table);
      }
      return (await table).get(fingerprint);
    },
  };
}
