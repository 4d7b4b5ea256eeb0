import { join, resolve } from 'node:path';
import { verifyContents } from '../../estate/index.ts';
import { openMasterKey } from '../../identity/index.ts';
import { silentLog, type Clock, type Random } from '../../kernel/index.ts';
import type { KeptDocuments } from '../../state/index.ts';
import { blobPath, openDirectoryBlob } from '../../store/embedded/index.ts';
import { formatNumberOf } from '../terminal/figures.ts';
import type { Check } from './check.ts';
import { readOnlyFiles } from './read-only-files.ts';

const name = 'objects';

/** Reads the bytes of all objects of a data directory that no server holds. */
export async function checkObjects(
  data: string,
  documents: KeptDocuments,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<readonly Check[]> {
  const directory = resolve(join(data, 'blob', 's3'));
  try {
    await using blob = await openDirectoryBlob({ directory, clock, log: silentLog, files: readOnlyFiles });
    // That there is encrypted data keeps it from making a key where there is none.
    const masterKey = await openMasterKey({
      file: join(data, 'master.key'),
      encryptedDataExists: true,
      random,
    });
    const { opened, measured, damage } = await verifyContents({
      documents,
      blob,
      cipher: masterKey.cipher('s3/v1'),
    });
    const sizes =
      measured === 0
        ? ''
        : `; of ${measured} more, under keys of KMS or parts of uploads, the sizes alone were compared`;
    const whole = damage.length === 0 ? ', all whole' : '';
    return [
      {
        level: 'ok',
        name,
        finding: `${directory}: ${formatNumberOf(opened, 'version')} of objects read to the end${whole}${sizes}`,
      },
      ...damage.map(({ blob: key, of, reason }): Check => {
        const place = blobPath(key);
        return {
          level: 'fail',
          name,
          finding: `${join(directory, 'kept', place.directory, place.file)} (${of}): ${reason}`,
          advice:
            'copy the data directory away, check the disk, and restore the file from a backup, or put the object again; after a power cut start Cairn first and ask once more, for the state may lack changes that the journal has',
        };
      }),
    ];
  } catch (error) {
    const finding = `${directory} cannot be read: ${(error as Error).message}`;
    return [{ level: 'fail', name, finding, advice: 'mend that, and ask again' }];
  }
}
