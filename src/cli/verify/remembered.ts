import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { DigestFacts } from './digest-file.ts';

/** A digest that was valid with all its log files, and what the listing said of them then. */
export interface RememberedDigest {
  readonly facts: DigestFacts;
  readonly signature: string;
  /** The tags of the log files, in their order. */
  readonly logTags: readonly string[];
}

/**
 * What earlier runs verified, by the key of the digest file. It is trusted as the program itself is: it lies among the
 * user's own files.
 */
export interface Remembered {
  get(key: string): RememberedDigest | undefined;
  /** Keys that begin with `prefix`. */
  keys(prefix: string): Iterable<string>;
  put(digest: RememberedDigest): void;
  forget(key: string): void;
  /** Writes it down, if anything changed. */
  save(): Promise<void>;
}

const header = '{"cairnVerify":1}';

/** The default place: a file of its own for each bucket or directory in the user's cache directory. */
export function rememberedFile(target: string, env: NodeJS.ProcessEnv): string {
  const cache = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const name = createHash('sha256').update(target).digest('hex').slice(0, 32);
  return join(cache, 'cairn', 'verify', `${name}.ndjson`);
}

async function load(file: string): Promise<Map<string, RememberedDigest>> {
  const digests = new Map<string, RememberedDigest>();
  let isFirst = true;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      if (isFirst && line !== header) throw new SyntaxError('it does not begin as it should');
      if (!isFirst) {
        const digest = JSON.parse(line) as RememberedDigest;
        digests.set(digest.facts.key, digest);
      }
      isFirst = false;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw new CommandError(
      `what earlier runs verified cannot be read from ${file}: ${(error as Error).message}; delete it, or use --full`,
      exitCodes.usage,
    );
  }
  return digests;
}

async function write(file: string, digests: ReadonlyMap<string, RememberedDigest>): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.new`;
  const output = await open(fresh, 'w', 0o600);
  try {
    let lines = `${header}\n`;
    for (const digest of digests.values()) {
      lines += `${JSON.stringify(digest)}\n`;
      if (lines.length < 1024 * 1024) continue;
      await output.writeFile(lines);
      lines = '';
    }
    await output.writeFile(lines);
    await output.sync();
  } finally {
    await output.close();
  }
  await rename(fresh, file);
}

/** Opens what is remembered in `file`; with `isFull` nothing of it is read. Throws CommandError when it is damaged. */
export async function openRemembered(file: string, isFull: boolean): Promise<Remembered> {
  const digests = isFull ? new Map<string, RememberedDigest>() : await load(file);
  let isChanged = isFull;
  return {
    get: (key) => digests.get(key),
    *keys(prefix) {
      for (const key of digests.keys()) if (key.startsWith(prefix)) yield key;
    },
    put(digest) {
      const before = digests.get(digest.facts.key);
      digests.set(digest.facts.key, digest);
      isChanged ||= before?.facts.tag !== digest.facts.tag || before.logTags.join() !== digest.logTags.join();
    },
    forget(key) {
      if (digests.delete(key)) isChanged = true;
    },
    async save() {
      if (!isChanged) return;
      await write(file, digests);
      isChanged = false;
    },
  };
}
