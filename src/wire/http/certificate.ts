import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { SettingError, type Clock, type Logger, type Settings } from '../../kernel/index.ts';

/** How often the files are looked at. */
const pollMs = 5_000;

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

type Files = NonNullable<Settings['tls']>;

/** Reads certificate and key. Throws SettingError when a file cannot be read or the two do not belong together. */
export async function readCertificate(files: Files): Promise<Certificate> {
  try {
    const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)]);
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (error) {
    throw new SettingError(
      `CAIRN_TLS_CERT and CAIRN_TLS_KEY name PEM files that belong together (${files.certFile}, ${files.keyFile}): ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/**
 * Looks at the files every few seconds and hands over the certificate when they have changed. Files that are being
 * replaced may not fit together for a moment: the certificate in use stays until they do. Returns what ends it.
 */
export function watchCertificate(
  files: Files,
  clock: Clock,
  log: Logger,
  onChange: (certificate: Certificate) => void,
): () => void {
  let seen: string | undefined;
  let stopped = false;
  let timer = clock.after(0, () => void look());
  const look = async (): Promise<void> => {
    try {
      const now = await fingerprint(files);
      if (seen === undefined) seen = now;
      if (now !== seen && !stopped) {
        onChange(await readCertificate(files));
        seen = now;
        log.info({ certFile: files.certFile }, 'the TLS certificate was read again');
      }
    } catch (error) {
      log.warn({ err: error }, 'the TLS certificate changed and cannot be used; the one in use stays');
    }
    if (!stopped) timer = clock.after(pollMs, () => void look());
  };
  return () => {
    stopped = true;
    timer.cancel();
  };
}

async function fingerprint(files: Files): Promise<string> {
  const stats = await Promise.all([stat(files.certFile), stat(files.keyFile)]);
  return stats.map(({ ino, size, mtimeMs }) => `${ino}:${size}:${mtimeMs}`).join(' ');
}
