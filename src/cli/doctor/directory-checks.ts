import { access, constants, readFile, stat, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { isDirectoryHeld } from '../../store/embedded/index.ts';
import { formatBytes } from '../terminal/figures.ts';
import type { Check } from './check.ts';

/** Below this the next burst may fill the disk, and a full disk refuses calls that write. */
const failFreeBytes = 512 * 1024 * 1024;
const warnFreeBytes = 4 * 1024 * 1024 * 1024;

/** Files that hold secrets: nobody but the owner may read them. */
const secretFiles = ['credentials', 'master.key'];

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0');
}

async function checkSecretFile(path: string, name: string): Promise<Check | undefined> {
  const found = await stat(join(path, name)).catch(() => undefined);
  if (!found || (found.mode & 0o077) === 0) return undefined;
  return {
    level: 'fail',
    name: 'permissions',
    finding: `${join(path, name)} may be read by others (mode ${octal(found.mode)})`,
    advice: `run: chmod 600 ${join(path, name)}; if others may have read it, replace the access keys`,
  };
}

async function checkPermissions(path: string): Promise<readonly Check[]> {
  const { mode, uid } = await stat(path);
  const problems: Check[] = [];
  if ((mode & 0o077) !== 0) {
    problems.push({
      level: 'warn',
      name: 'permissions',
      finding: `others may look into ${path} (mode ${octal(mode)})`,
      advice: `run: chmod 700 ${path}`,
    });
  }
  const writable = await access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) {
    problems.push({
      level: 'fail',
      name: 'permissions',
      finding: `this user (${process.getuid?.() ?? 'unknown'}) may not write to ${path}, which belongs to ${uid}`,
      advice: 'run Cairn as the user that the directory belongs to',
    });
  }
  const secrets = await Promise.all(secretFiles.map((name) => checkSecretFile(path, name)));
  problems.push(...secrets.filter((check) => check !== undefined));
  if (problems.length > 0) return problems;
  return [{ level: 'ok', name: 'permissions', finding: `the owner's alone (mode ${octal(mode)})` }];
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function checkFormat(path: string): Promise<Check> {
  const name = 'format';
  const text = await readText(join(path, 'format.json'));
  const format = text === undefined ? undefined : parseObject(text)?.['format'];
  if (typeof format === 'number') return { level: 'ok', name, finding: `version ${format}` };
  const finding = text === undefined ? 'there is no format.json' : 'format.json cannot be read';
  return {
    level: 'fail',
    name,
    finding: `${finding}: is ${path} a data directory of Cairn?`,
    advice: 'name the data directory with --data, or restore format.json from a backup',
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown';
}

interface Holder {
  readonly check: Check;
  /** A process may be writing to the directory. */
  readonly held: boolean;
}

/** Who has the directory: whether anybody does is what the lock says, for a process that was killed leaves its holder.json behind. */
async function checkHolder(path: string): Promise<Holder> {
  const name = 'held by';
  const text = await readText(join(path, 'holder.json'));
  const isHeld = isDirectoryHeld(path);
  const written = text === undefined ? undefined : parseObject(text);
  const elsewhere = written?.['host'] === hostname() ? '' : ` on ${textOf(written?.['host'])}`;
  const who =
    typeof written?.['pid'] === 'number'
      ? `process ${written['pid']}${elsewhere}`
      : 'a process that is not named';
  if (isHeld === undefined) {
    const finding = `${join(path, 'lock.sqlite')} cannot be read, so whether ${who} runs on it cannot be told`;
    return {
      check: { level: 'warn', name, finding, advice: 'run doctor as the user that Cairn runs as' },
      held: true,
    };
  }
  if (isHeld) {
    const finding = `${who} since ${textOf(written?.['since'])}`;
    return { check: { level: 'ok', name, finding }, held: true };
  }
  if (text === undefined) {
    return { check: { level: 'ok', name, finding: 'nobody: no server runs on it' }, held: false };
  }
  const finding = `nobody: ${who} ended without closing`;
  const advice = 'start Cairn; it repairs by itself and says what it did';
  return { check: { level: 'warn', name, finding, advice }, held: false };
}

async function checkDisk(path: string): Promise<Check> {
  const { bavail, blocks, bsize } = await statfs(path);
  const free = bavail * bsize;
  const finding = `${formatBytes(free)} free of ${formatBytes(blocks * bsize)}`;
  if (free >= warnFreeBytes) return { level: 'ok', name: 'disk', finding };
  return {
    level: free < failFreeBytes ? 'fail' : 'warn',
    name: 'disk',
    finding,
    advice: 'make room: when the disk is full, calls that write are refused until there is room again',
  };
}

export interface DirectoryFindings {
  readonly checks: readonly Check[];
  /** A process may be writing to the directory, or it cannot be looked into: its files are not to be read. */
  readonly held: boolean;
}

function refused(finding: string, advice: string): DirectoryFindings {
  return { checks: [{ level: 'fail', name: 'data', finding, advice }], held: true };
}

/** Looks at the data directory from outside, changing nothing; undefined when there is none. */
export async function checkDirectory(data: string): Promise<DirectoryFindings | undefined> {
  const path = resolve(data);
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  if (!found.isDirectory()) return refused(`${path} is no directory`, 'name another with --data');
  const readable = await access(path, constants.R_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!readable) {
    return refused(`no permission to look into ${path}`, 'run doctor as the user that Cairn runs as');
  }
  const permissions = await checkPermissions(path);
  const format = await checkFormat(path);
  const holder = await checkHolder(path);
  const checks: readonly Check[] = [
    { level: 'ok', name: 'data', finding: path },
    ...permissions,
    format,
    holder.check,
    await checkDisk(path),
  ];
  return { checks, held: holder.held || format.level === 'fail' };
}
