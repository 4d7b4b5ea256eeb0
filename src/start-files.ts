import { chmod, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Region } from './kernel/index.ts';

/**
 * The two files that a start leaves in the data directory for clients on this machine. They can be made again at any
 * time, so a rename without fsync is enough.
 */
async function replaceFile(file: string, text: string): Promise<void> {
  const fresh = `${file}.new`;
  await writeFile(fresh, text, { mode: 0o600 });
  await chmod(fresh, 0o600);
  await rename(fresh, file);
}

/** Writes the root key as an AWS shared-credentials file, mode 0600. */
export async function writeCredentialsFile(
  data: string,
  key: { readonly accessKeyId: string; readonly secretAccessKey: string },
  region: Region,
): Promise<void> {
  const lines = [
    '[default]',
    `aws_access_key_id = ${key.accessKeyId}`,
    `aws_secret_access_key = ${key.secretAccessKey}`,
    `region = ${region}`,
  ];
  await replaceFile(join(data, 'credentials'), `${lines.join('\n')}\n`);
}

/** Writes where the server listens, for `cairn env` and for whoever asked for port 0. */
export async function writeEndpointFile(data: string, endpoint: string): Promise<void> {
  await replaceFile(join(data, 'endpoint'), `${endpoint}\n`);
}
