import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { BodyError, type RequestBody } from '../connection/connection.ts';
import type { LogFile } from './walk.ts';

/** Files up to here are read once and kept until they are sent; larger ones are read twice and never held whole. */
const heldBytes = 8 * 1024 * 1024;

async function* readPart(path: string, sizeBytes: number): AsyncIterable<Uint8Array> {
  let read = 0;
  if (sizeBytes > 0) {
    const stream = createReadStream(path, { end: sizeBytes - 1, highWaterMark: 256 * 1024 });
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      read += chunk.length;
      yield chunk;
    }
  }
  if (read !== sizeBytes) throw new BodyError(`${path} became shorter while it was read`);
}

/** A log file as the body of a request, with the SHA-256 that names it and that the signature covers. */
export type LogFileBody = RequestBody & { readonly sha256: string };

/** Opens a log file to be sent. */
export async function openLogFileBody(file: LogFile): Promise<LogFileBody> {
  if (file.open) return file.open();
  if (file.sizeBytes <= heldBytes) {
    const bytes = await readFile(file.path);
    return { kind: 'bytes', bytes, sha256: hash('sha256', bytes, 'hex') };
  }
  const digest = createHash('sha256');
  for await (const chunk of readPart(file.path, file.sizeBytes)) digest.update(chunk);
  return {
    kind: 'stream',
    open: () => readPart(file.path, file.sizeBytes),
    sha256: digest.digest('hex'),
    sizeBytes: file.sizeBytes,
  };
}
