import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manualClock, openLog, seededRandom, sequence, silentLog, type Logger } from '../../kernel/index.ts';
import { DataDirectoryError, DirectoryHeldError, isDirectoryHeld, openDataDirectory } from './index.ts';

let root = '';
let count = 0;
const fresh = () => join(root, `data-${count++}`);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cairn-data-'));
});
afterAll(() => rm(root, { recursive: true }));

async function linkToNowhere(): Promise<string> {
  const path = fresh();
  await symlink(join(root, 'nowhere'), path);
  return path;
}

const open = (path: string, log: Logger = silentLog) =>
  openDataDirectory(path, { clock: manualClock(Date.UTC(2026, 10, 22)), random: seededRandom(1), log });

it('is made for this user alone, and opens again with what is in it', async () => {
  const path = join(fresh(), 'deep', 'er');
  {
    await using data = await open(path);
    expect(data.path).toBe(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    await using log = await data.openLog('audit');
    await log.append([Buffer.from('x')]);
    await using cursors = await data.openCursors('audit');
    await cursors.save('reader', sequence(1));
    expect((await stat(await data.directory('state'))).mode & 0o777).toBe(0o700);
  }
  await using data = await open(path);
  await using log = await data.openLog('audit');
  await using cursors = await data.openCursors('audit');
  expect([log.end, cursors.all().get('reader')]).toEqual([1, 1]);
});

it('is refused to a second holder, who hears of the first, and free again after kill -9', async () => {
  const path = fresh();
  const program = `
    import { openDataDirectory } from ${JSON.stringify(fileURLToPath(new URL('index.ts', import.meta.url)))};
    import { silentLog, systemClock, systemRandom } from ${JSON.stringify(fileURLToPath(new URL('../../kernel/index.ts', import.meta.url)))};
    const held = await openDataDirectory(process.argv[1], { clock: systemClock, random: systemRandom, log: silentLog });
    console.log('held', held.path);
    process.stdin.resume();
  `;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', program, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(holder, 'exit');
  await Promise.race([once(holder.stdout, 'data'), exited]);
  expect(holder.exitCode).toBeNull();
  const refused = await open(path).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(DirectoryHeldError);
  expect(String(refused)).toMatch(
    new RegExp(`in use by process ${holder.pid} on \\S+ since \\d{4}-\\d\\d-\\d\\dT`),
  );
  holder.kill('SIGKILL');
  await exited;
  await using _ = await open(path);
  await expect(open(path)).rejects.toThrow(
    new RegExp(
      `in use by process ${process.pid} on \\S+ since 2026-11-22T00:00:00.000Z; stop that one first`,
    ),
  );
});

async function openWatched() {
  const path = fresh();
  const clock = manualClock(0);
  const told: string[] = [];
  const onLost = ({ message }: Error) => void told.push(message);
  const data = await openDataDirectory(path, { clock, random: seededRandom(1), log: silentLog, onLost });
  return { path, clock, told, data };
}

describe('that is deleted under its holder', () => {
  it('is said to be gone, once', async () => {
    const { path, clock, told, data } = await openWatched();
    await clock.advance(5000);
    expect([told, data.lost()]).toEqual([[], undefined]);
    await rm(path, { recursive: true });
    await clock.advance(5000);
    expect(told).toEqual([expect.stringContaining(`${path} was deleted or moved while this process ran`)]);
    await data[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(false);
  });

  it('is left to whoever made it anew', async () => {
    const { path, clock, told, data } = await openWatched();
    await rm(path, { recursive: true });
    await using second = await open(path);
    await clock.advance(1000);
    expect(told).toEqual([expect.stringMatching(/is now in use by process \d+ on \S+ since 2026-11-22/)]);
    const holder = await readFile(join(path, 'holder.json'), 'utf8');
    await data[Symbol.asyncDispose]();
    expect(await readFile(join(path, 'holder.json'), 'utf8')).toBe(holder);
    expect([isDirectoryHeld(path), second.lost()]).toEqual([true, undefined]);
  });

  it('is its own still when holder.json alone was deleted', async () => {
    const { path, clock, told, data } = await openWatched();
    await using _ = data;
    await rm(join(path, 'holder.json'));
    await clock.advance(5000);
    expect(told).toEqual([]);
    await expect(open(path)).rejects.toThrow('in use by another process');
  });
});

it('says whether it is held by the lock, not by what holder.json says', async () => {
  const path = fresh();
  expect(isDirectoryHeld(path)).toBe(false);
  {
    await using _ = await open(path);
    expect(isDirectoryHeld(path)).toBe(true);
    await expect(open(path)).rejects.toThrow(DirectoryHeldError);
  }
  expect(isDirectoryHeld(path)).toBe(false);
  await writeFile(join(path, 'lock.sqlite'), 'no lock file');
  expect(isDirectoryHeld(path)).toBeUndefined();
});

it('is refused when it is of another format or none', async () => {
  const path = fresh();
  await (await open(path))[Symbol.asyncDispose]();
  const format = join(path, 'format.json');
  expect(JSON.parse(await readFile(format, 'utf8'))).toEqual({ format: 1 });
  for (const [content, said] of [
    ['{"format":2}', 'start the newer version again'],
    ['{"format":0}', 'restore format.json from a backup'],
    ['{"format":"1"}', 'cannot be read'],
    ['', 'cannot be read'],
  ] as const) {
    await writeFile(format, content);
    await expect(open(path)).rejects.toThrow(said);
  }
  await writeFile(format, '{"format":1}');
  // A refusal has let the lock go.
  await (await open(path))[Symbol.asyncDispose]();
});

it('never moves into a directory that holds something else', async () => {
  const path = fresh();
  await mkdir(path);
  await writeFile(join(path, 'thesis.tex'), 'x');
  await expect(open(path)).rejects.toThrow(DataDirectoryError);
  await expect(open(path)).rejects.toThrow('thesis.tex');
  expect(await readdir(path)).toEqual(['thesis.tex']);
});

it('moves into a new file system', async () => {
  const path = fresh();
  await mkdir(join(path, 'lost+found'), { recursive: true });
  await using data = await open(path);
  expect(data.path).toBe(path);
});

it('is made with what is missing above it, all of it for the owner alone', async () => {
  const path = fresh();
  await using data = await open(join(path, 'a', 'b'));
  for (const made of [path, join(path, 'a'), data.path]) expect((await stat(made)).mode & 0o777).toBe(0o700);
});

it.each([
  ['a file', () => import.meta.filename, 'is no directory'],
  ['a place below a file', () => join(import.meta.filename, 'data'), 'cannot be made: ENOTDIR'],
  ['a link to nowhere', linkToNowhere, 'is no directory'],
  ['a place where nothing can be made', () => '/proc/cairn/data', 'cannot be made: ENOENT'],
])('is refused when it is %s', async (_, place, said) => {
  const path = await place();
  await expect(open(path)).rejects.toThrow(DataDirectoryError);
  await expect(open(path)).rejects.toThrow(said);
});

it('says so when others may look into it', async () => {
  const path = fresh();
  await mkdir(path);
  await chmod(path, 0o755);
  const lines: string[] = [];
  await using _ = await open(path, openLog('warn', { write: (line) => lines.push(line) }));
  expect(lines.join('')).toContain('chmod it to 700');
});
