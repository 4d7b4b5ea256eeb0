import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { SettingError, type Clock, type Logger, type Settings } from '../../kernel/index.ts';

/** How often the files are looked at. */
const pollMs = 5_000;

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Changes when one of the files does. */
  readonly fingerprint: string;
}

type Files = NonNullable<Settings['tls']>;

/** Reads certificate and key. Throws SettingError when a file cannot be read or the two do not belong together. */
export async function readCertificate(files: Files): Promise<Certificate> {
  try {
    const fingerprint = await fingerprintOf(files);
    const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)]);
    createSecureContext({ cert, key });
    return { cert, key, fingerprint };
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
  inUse: Certificate,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  onChange: (certificate: Certificate) => void,
): () => void {
  let seen = inUse.fingerprint;
  let stopped = false;
  const look = async (): Promise<void> => {
    const now = await fingerprintOf(files).catch(() => 'missing');
    if (now !== seen && !stopped) {
      seen = now;
      try {
        onChange(await readCertificate(files));
        log.info({ certFile: files.certFile }, 'the TLS certificate was read again');
      } catch (error) {
        log.warn({ err: error }, 'the TLS certificate changed and cannot be used; the one in use stays');
      }
    }
    if (!stopped) timer = clock.after(pollMs, () => void look());
  };
  let timer = clock.after(pollMs, () => void look());
  return () => {
    stopped = true;
    timer.cancel();
  };
}

async function fingerprintOf(files: Files): Promise<string> {
  const stats = await Promise.all([stat(files.certFile), stat(files.keyFile)]);
  return stats.map(({ ino, size, mtimeMs }) => `${ino}:${size}:${mtimeMs}`).join(' ');
}
