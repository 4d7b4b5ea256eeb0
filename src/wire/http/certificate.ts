import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { SettingError, type Clock, type Logger, type Settings } from '../../kernel/index.ts';

/** How often the files are looked at. */
const pollMs = 5_000;
/** A certificate that nobody renewed by then is a problem. Those that renew themselves do so earlier. */
const expiresSoonMs = 7 * 24 * 3_600_000;

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The last moment at which clients take it, epoch milliseconds. */
  readonly expiresAt: number;
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
    const leaf = new X509Certificate(cert);
    // OpenSSL compares the two only where they are of one algorithm; others it takes, and then no handshake succeeds.
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      throw new Error('the key is not that of the certificate');
    return { cert, key, fingerprint, expiresAt: Date.parse(leaf.validTo) };
  } catch (error) {
    throw new SettingError(
      `CAIRN_TLS_CERT and CAIRN_TLS_KEY name PEM files that belong together (${files.certFile}, ${files.keyFile}): ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** The certificate in use, and what is wrong with it. */
export interface WatchedCertificate {
  /** One plain sentence each. */
  readonly problems: readonly string[];
  stop(): void;
}

/**
 * Looks at the files every few seconds and hands over the certificate when they have changed. Files that are being
 * replaced may not fit together for a moment: the certificate in use stays until they do.
 */
export function watchCertificate(
  files: Files,
  first: Certificate,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  onChange: (certificate: Certificate) => void,
): WatchedCertificate {
  let inUse = first;
  let seen = first.fingerprint;
  let refused: string | undefined;
  let stopped = false;

  async function readAgain(): Promise<void> {
    try {
      const certificate = await readCertificate(files);
      onChange(certificate);
      inUse = certificate;
      refused = undefined;
      log.info({ certFile: files.certFile }, 'the TLS certificate was read again');
    } catch (error) {
      refused = (error as Error).message;
      log.warn({ err: error }, 'the TLS certificate changed and cannot be used; the one in use stays');
    }
  }

  function expiry(): string | undefined {
    const leftMs = inUse.expiresAt - clock.now();
    if (leftMs > expiresSoonMs) return undefined;
    const at = new Date(inUse.expiresAt).toISOString();
    const what = leftMs < 0 ? `expired at ${at}, and clients refuse it` : `expires at ${at}`;
    return `the TLS certificate ${files.certFile} ${what}: renew it; it is read again by itself`;
  }

  const look = async (): Promise<void> => {
    const now = await fingerprintOf(files).catch(() => 'missing');
    if (now !== seen && !stopped) {
      seen = now;
      await readAgain();
    }
    if (!stopped) timer = clock.after(pollMs, () => void look());
  };
  let timer = clock.after(pollMs, () => void look());
  return {
    get problems() {
      const changed =
        refused && `the TLS certificate changed and cannot be used, the one in use stays: ${refused}`;
      return [changed, expiry()].filter((problem) => problem !== undefined);
    },
    stop() {
      stopped = true;
      timer.cancel();
    },
  };
}

async function fingerprintOf(files: Files): Promise<string> {
  const stats = await Promise.all([stat(files.certFile), stat(files.keyFile)]);
  return stats.map(({ ino, size, mtimeMs }) => `${ino}:${size}:${mtimeMs}`).join(' ');
}
