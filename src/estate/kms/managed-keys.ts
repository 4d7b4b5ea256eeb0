import type { Logger, Random } from '../../kernel/index.ts';
import type { State } from '../../state/index.ts';
import { documentKeys, keyArn, readAlias, writeAlias, writeKey } from './key-documents.ts';
import type { Materials } from './key-material.ts';
import { managedKeyPolicy } from './key-policies.ts';
import { keyEventRecord } from './service-record.ts';

/** The alias of the key that an account has without making it. */
const s3Alias = 'alias/aws/s3';

export const isManagedAlias = (alias: string): boolean => alias === s3Alias;

/** A year, as AWS managed keys are rotated ("AWS managed keys"). */
const periodDays = 365;

/** Makes the account's own key of a managed alias, with its record, unless it is there. */
export async function ensureManagedKey(
  parts: {
    readonly state: State;
    readonly materials: Materials;
    readonly random: Random;
    readonly log: Logger;
  },
  place: { readonly accountId: string; readonly region: string },
  time: number,
): Promise<void> {
  const { state, materials, random, log } = parts;
  const { accountId, region } = place;
  for (;;) {
    const change = state.begin();
    if (await readAlias(change, place, s3Alias)) return;
    const id = random.uuid();
    const { material } = await materials.make({ accountId, region, id }, 'SYMMETRIC_DEFAULT', time);
    writeKey(change, undefined, {
      accountId,
      region,
      id,
      createdAt: time,
      description: 'Default key that protects my S3 objects when no other key is defined',
      spec: 'SYMMETRIC_DEFAULT',
      usage: 'ENCRYPT_DECRYPT',
      manager: 'AWS',
      state: 'Enabled',
      policy: managedKeyPolicy(accountId, region),
      tags: [],
      materials: [material],
      rotation: { periodDays, sinceMs: time },
    });
    writeAlias(change, place, { name: s3Alias, keyId: id, createdAt: time, updatedAt: time });
    const key = { accountId, region, id };
    const record = keyEventRecord(key, {
      eventName: 'CreateKey',
      time,
      random,
      details: { keyId: keyArn(key) },
    });
    // Somebody else may be making it as well: then theirs is found.
    if ((await state.commit(change, [record])).kind === 'committed') {
      log.info({ key: documentKeys.key(key), alias: s3Alias }, 'the key of the account for S3 was made');
      return;
    }
  }
}
