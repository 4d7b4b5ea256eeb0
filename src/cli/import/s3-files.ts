import { hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { limits } from '../../kernel/index.ts';
import { BodyError } from '../connection/connection.ts';
import { isLogName, otherKindOf, otherName, type LogFile, type Walk } from './walk.ts';
import type { BucketSource, StoredFile } from '../verify/bucket-source.ts';

/**
 * What of a bucket was read before, by key: the object's tag and the SHA-256 of its bytes. It only spares reading an object
 * again; whether its events are there the server says, by the hash.
 */
export interface KnownObjects {
  hashOf(file: Pick<StoredFile, 'key' | 'tag'>): string | undefined;
  remember(file: Pick<StoredFile, 'key' | 'tag'>, sha256: string): Promise<void>;
}

const keyOf = ({ key, tag }: Pick<StoredFile, 'key' | 'tag'>): string => JSON.stringify([key, tag]);

/** Opens what is remembered in a file, one JSON line for each object. */
export async function openKnownObjects(file: string): Promise<KnownObjects> {
  const known = new Map<string, string>();
  try {
    for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
      // The last line is cut off when the command was killed while it wrote.
      const [, name, sha256] = /^(\[.*\]) ([0-9a-f]{64})$/.exec(line) ?? [];
      if (name !== undefined && sha256 !== undefined) known.set(name, sha256);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(file), { recursive: true });
  }
  return {
    hashOf: (one) => known.get(keyOf(one)),
    async remember(one, sha256) {
      if (known.get(keyOf(one)) === sha256) return;
      known.set(keyOf(one), sha256);
      await appendFile(file, `\n${keyOf(one)} ${sha256}`);
    },
  };
}

async function readObject(source: BucketSource, file: StoredFile): Promise<Buffer> {
  const object = await source.read(file.key);
  if (!object) throw new BodyError('the object is gone');
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of object.body) {
    size += part.length;
    if (size > limits.importFileBytes) throw new BodyError('the object is larger than an import takes');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/**
 * The log files below a prefix of a bucket, in the order of their keys. `seen` are keys that are passed over; what the bucket
 * does not give while it is imported is put into `unread`.
 */
export async function findObjects(
  source: BucketSource,
  prefix: string,
  known: KnownObjects,
  { seen, unread }: { readonly seen: ReadonlySet<string>; readonly unread: Set<string> },
): Promise<Walk & { readonly keys: readonly string[] }> {
  const files: LogFile[] = [];
  const keys: string[] = [];
  const passedOver = new Map<string, number>();
  for await (const page of source.list(prefix)) {
    for (const one of page) {
      // A key that ends in a slash is how consoles show a folder.
      if (seen.has(one.key) || one.key.endsWith('/')) continue;
      keys.push(one.key);
      const name = one.key.slice(one.key.lastIndexOf('/') + 1);
      const other = isLogName(name) ? otherKindOf(name) : otherName;
      if (other !== undefined) {
        passedOver.set(other, (passedOver.get(other) ?? 0) + 1);
        continue;
      }
      const knownHash = known.hashOf(one);
      files.push({
        path: source.show(one.key),
        sizeBytes: one.sizeBytes,
        ...(knownHash !== undefined && { sha256: knownHash }),
        async open() {
          const bytes = await readObject(source, one).catch((error: unknown) => {
            if (!(error instanceof BodyError)) unread.add(one.key);
            throw error;
          });
          const sha256 = hash('sha256', bytes, 'hex');
          await known.remember(one, sha256);
          return { kind: 'bytes', bytes, sha256 };
        },
      });
    }
  }
  return {
    files,
    keys,
    unreadable: [],
    passedOver: [...passedOver].map(([what, count]) => ({ what, count })),
  };
}
