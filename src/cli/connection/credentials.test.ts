import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findCredentials } from './credentials.ts';

let folder: string;
const places = () => ({ env: process.env, profile: undefined, data: join(folder, 'data') });

/** The AWS chain reads the process's own environment, so the cases set that. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-credentials-'));
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'aws-credentials'));
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'aws-config'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function writeData(text: string): Promise<string> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(join(folder, 'data'));
  const file = join(folder, 'data', 'credentials');
  await writeFile(file, text);
  return file;
}

describe('findCredentials', () => {
  it('takes the environment first', async () => {
    await writeData('[default]\naws_access_key_id=DATA\naws_secret_access_key=s\n');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'ENV');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 's');
    vi.stubEnv('AWS_SESSION_TOKEN', 'token');
    expect(await findCredentials(places())).toEqual({
      accessKeyId: 'ENV',
      secretAccessKey: 's',
      sessionToken: 'token',
      source: 'AWS_ACCESS_KEY_ID in the environment',
    });
  });

  it('takes a profile of the AWS files before the data directory', async () => {
    await writeData('[default]\naws_access_key_id=DATA\naws_secret_access_key=s\n');
    await writeFile(
      join(folder, 'aws-credentials'),
      '[audit]\naws_access_key_id=PROFILE\naws_secret_access_key=s\n',
    );
    const found = await findCredentials({ ...places(), profile: 'audit' });
    expect(found).toMatchObject({ accessKeyId: 'PROFILE', source: 'profile audit' });
  });

  it('falls back to the data directory, without asking the instance metadata service', async () => {
    const file = await writeData('[default]\naws_access_key_id=DATA\naws_secret_access_key=s\n');
    expect(await findCredentials(places())).toMatchObject({ accessKeyId: 'DATA', source: file });
  });

  it('does not act as somebody else when a profile by name is absent', async () => {
    await writeData('[default]\naws_access_key_id=DATA\naws_secret_access_key=s\n');
    await expect(findCredentials({ ...places(), profile: 'absent' })).rejects.toThrow(
      'profile absent gives no credentials',
    );
  });

  it('says what to do when there are none', async () => {
    await expect(findCredentials(places())).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('AWS_ACCESS_KEY_ID'),
    });
  });
});
