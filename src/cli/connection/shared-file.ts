import { readFile } from 'node:fs/promises';
import { CommandError, exitCodes } from '../exit-codes.ts';

/** A section of an AWS shared-credentials file, such as `[default]`. */
export interface SharedProfile {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly region: string | undefined;
}

/**
 * Reads one profile out of an AWS shared-credentials file ("Configuration and credential file settings" in the AWS CLI
 * user guide). Undefined when the profile is not there or lacks a key.
 */
export function readSharedProfile(text: string, profile: string): SharedProfile | undefined {
  const values = new Map<string, string>();
  let inside = false;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line)) continue;
    const section = /^\s*\[\s*(.+?)\s*\]/.exec(line);
    if (section) {
      inside = section[1] === profile;
      continue;
    }
    const setting = /^\s*([A-Za-z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (inside && setting) values.set((setting[1] ?? '').toLowerCase(), setting[2] ?? '');
  }
  const accessKeyId = values.get('aws_access_key_id');
  const secretAccessKey = values.get('aws_secret_access_key');
  if (!accessKeyId || !secretAccessKey) return undefined;
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: values.get('aws_session_token') || undefined,
    region: values.get('region') || undefined,
  };
}

/** The file's text; undefined when there is none. Throws CommandError when it cannot be read. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new CommandError(`cannot read ${file}: ${(error as Error).message}`, exitCodes.noAccess, {
      cause: error,
    });
  }
}
