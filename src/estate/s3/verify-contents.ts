import type { Cipher } from '../../identity/index.ts';
import type { KeptDocuments } from '../../state/index.ts';
import type { Blob } from '../../store/index.ts';
import { blobPrefix } from './content/blob-names.ts';
import { chunkBytes, ContentDamagedError, openSealed, tagBytes } from './content/sealed-stream.ts';
import {
  contentKey,
  type ContentDocument,
  type ContentPart,
  type ObjectVersion,
  type PartDocument,
  type StoredVersion,
} from './object-documents.ts';

export interface ContentDamage {
  readonly blob: string;
  /** What is lost with it, such as `bucket/key`. */
  readonly of: string;
  readonly reason: string;
}

export interface ContentFindings {
  /** Contents of which every byte was opened. */
  readonly opened: number;
  /** Contents of which the sizes of the blobs alone were compared: those under keys of KMS, and parts of uploads. */
  readonly measured: number;
  readonly damage: readonly ContentDamage[];
}

export interface VerifyContents {
  readonly documents: KeptDocuments;
  readonly blob: Blob;
  /** The master key's cipher for S3. */
  readonly cipher: Cipher;
}

/** The size of the blob for so many bytes of plain text. */
const sealedBytes = (sizeBytes: number): number =>
  sizeBytes + Math.max(1, Math.ceil(sizeBytes / chunkBytes)) * tagBytes;

async function measure(blob: Blob, name: string, sizeBytes: number): Promise<string | undefined> {
  const found = await blob.info(name);
  if (!found) return 'it is missing';
  const wanted = sealedBytes(sizeBytes);
  return found.sizeBytes === wanted ? undefined : `it has ${found.sizeBytes} bytes instead of ${wanted}`;
}

async function openAll(
  blob: Blob,
  name: string,
  sizeBytes: number,
  dataKey: Uint8Array,
): Promise<string | undefined> {
  const wrong = await measure(blob, name, sizeBytes);
  if (wrong !== undefined) return wrong;
  const whole = { dataKey, blob: name, sizeBytes, first: 0, last: sizeBytes - 1 };
  try {
    for await (const _ of openSealed({ ...whole, get: (range) => blob.get(name, range) }));
    return undefined;
  } catch (error) {
    if (error instanceof ContentDamagedError) return error.message;
    throw error;
  }
}

/**
 * Reads the bytes of every version of every object, changing nothing. What the master key opens is opened to its last byte,
 * which proves it; of the rest the sizes are compared.
 */
export async function verifyContents({ documents, blob, cipher }: VerifyContents): Promise<ContentFindings> {
  let [opened, measured] = [0, 0];
  const damage: ContentDamage[] = [];

  function partsOf({ content, sizeBytes }: ObjectVersion): readonly ContentPart[] | undefined {
    if (!content.startsWith('m')) return [{ n: 1, s: sizeBytes, b: '' }];
    return (documents.get(contentKey(content)) as ContentDocument | undefined)?.parts;
  }

  async function verifyVersion(version: ObjectVersion, of: string): Promise<void> {
    const { content, encryption } = version;
    const tell = (name: string, reason: string) => void damage.push({ blob: name, of, reason });
    const parts = partsOf(version);
    if (!parts) return tell(blobPrefix(content), 'the list of its parts is missing');
    const isOurs = encryption.algorithm === 'AES256';
    const dataKey = isOurs
      ? cipher.open(Buffer.from(encryption.sealedKey, 'base64'), contentKey(content))
      : undefined;
    if (isOurs && !dataKey) return tell(blobPrefix(content), 'its key does not open under the master key');
    for (const { s: sizeBytes, b: suffix } of parts) {
      const name = blobPrefix(content) + suffix;
      const reason = dataKey
        ? await openAll(blob, name, sizeBytes, dataKey)
        : await measure(blob, name, sizeBytes);
      if (reason !== undefined) tell(name, reason);
    }
    if (dataKey) opened += 1;
    else measured += 1;
  }

  for (const prefix of ['s3/object/', 's3/version/']) {
    for (const { key, value } of documents.list(prefix)) {
      const version = value as StoredVersion;
      const bucket = key.slice(prefix.length).split('/', 1)[0] ?? '';
      if (version.kind === 'object') await verifyVersion(version, `${bucket}/${version.key}`);
    }
  }
  for (const { key, value } of documents.list('s3/part/')) {
    const { s: sizeBytes, b: suffix, n } = value as PartDocument;
    const upload = key.split('/')[2] ?? '';
    const name = blobPrefix(upload) + suffix;
    const reason = await measure(blob, name, sizeBytes);
    measured += 1;
    if (reason !== undefined) damage.push({ blob: name, of: `part ${n} of the upload ${upload}`, reason });
  }
  return { opened, measured, damage };
}
