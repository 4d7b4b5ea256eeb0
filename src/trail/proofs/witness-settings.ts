import { readFile } from 'node:fs/promises';
import { SettingError } from '../../kernel/index.ts';
import { NoteError, parseVerifierKey, type VerifierKey } from './signed-note.ts';

/** A witness: whose cosignature is wanted, and where it is asked for. */
export interface WitnessSetting {
  readonly key: VerifierKey;
  /** The submission prefix, without a slash at its end. */
  readonly url: string;
}

function readWitness(line: string): WitnessSetting {
  const [key = '', url = '', ...more] = line.split(/\s+/);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol) || parsed.search !== '' || more.length > 0) {
    throw new SettingError(
      `CAIRN_WITNESSES takes entries of a verifier key, a space and an http URL, not "${line}"`,
    );
  }
  try {
    return { key: parseVerifierKey(key), url: url.replace(/\/+$/, '') };
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new SettingError(`CAIRN_WITNESSES: ${error.message}`, { cause: error });
  }
}

/**
 * Reads `CAIRN_WITNESSES`: entries `VERIFIER-KEY URL` separated by commas, or the path of a file with one a line (`#`
 * begins a comment). Throws SettingError.
 */
export async function readWitnesses(setting: string): Promise<readonly WitnessSetting[]> {
  const inline = /\s/.test(setting.trim());
  const text = inline
    ? setting.replaceAll(',', '\n')
    : await readFile(setting.trim(), 'utf8').catch((error: unknown) => {
        throw new SettingError(`CAIRN_WITNESSES: ${(error as Error).message}`, { cause: error });
      });
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const witnesses = lines.filter((line) => line !== '').map(readWitness);
  const names = new Set(witnesses.map(({ key }) => key.name));
  if (names.size < witnesses.length) throw new SettingError('CAIRN_WITNESSES names a witness twice');
  return witnesses;
}
