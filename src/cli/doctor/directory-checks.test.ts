import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock, seededRandom, silentLog } from '../../kernel/index.ts';
import { openDataDirectory } from '../../store/embedded/index.ts';
import { checkDirectory } from './directory-checks.ts';

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'cairn-doctor-'));
  await chmod(data, 0o700);
  await writeFile(join(data, 'format.json'), '{"format":1}\n');
});
afterEach(() => rm(data, { recursive: true }));

async function found(name: string) {
  const findings = await checkDirectory(data);
  return findings?.checks.filter((check) => check.name === name) ?? [];
}

describe('checkDirectory', () => {
  it('is content with a directory of one owner that nobody holds', async () => {
    const findings = await checkDirectory(data);
    expect(findings?.held).toBe(false);
    expect(findings?.checks.filter(({ level, name }) => level !== 'ok' && name !== 'disk')).toEqual([]);
  });

  it('says when there is none, or a file in its place', async () => {
    expect(await checkDirectory(join(data, 'absent'))).toBeUndefined();
    const findings = await checkDirectory(join(data, 'format.json'));
    expect(findings?.checks).toMatchObject([
      { level: 'fail', finding: expect.stringContaining('no directory') },
    ]);
  });

  it('names what others may read, and the command that mends it', async () => {
    await chmod(data, 0o755);
    await writeFile(join(data, 'master.key'), 'x', { mode: 0o640 });
    await chmod(join(data, 'master.key'), 0o640);
    expect(await found('permissions')).toMatchObject([
      { level: 'warn', advice: `run: chmod 700 ${data}` },
      { level: 'fail', advice: expect.stringContaining(`chmod 600 ${join(data, 'master.key')}`) },
    ]);
  });

  it.each([
    ['{"format":1}', 'ok', 'version 1'],
    ['{"format":"one"}', 'fail', 'format.json cannot be read'],
    ['torn', 'fail', 'format.json cannot be read'],
  ])('reads the format %s as %s', async (text, level, words) => {
    await writeFile(join(data, 'format.json'), text);
    expect(await found('format')).toMatchObject([{ level, finding: expect.stringContaining(words) }]);
  });

  it.each([
    [{ pid: process.pid, host: hostname() }, `process ${process.pid} ended without closing`],
    [{ pid: 1, host: hostname() }, 'process 1 ended without closing'],
    [{ pid: 7, host: 'another.example' }, 'process 7 on another.example ended without closing'],
    ['torn', 'a process that is not named ended without closing'],
  ])(
    'believes the lock, not the holder %j that was killed, whatever runs under its number now',
    async (holder, words) => {
      const text = typeof holder === 'string' ? holder : JSON.stringify({ ...holder, since: '2026-11-22' });
      await writeFile(join(data, 'holder.json'), text);
      expect((await checkDirectory(data))?.held).toBe(false);
      expect(await found('held by')).toMatchObject([{ level: 'warn', finding: `nobody: ${words}` }]);
    },
  );

  it('names who has it, also where holder.json is gone', async () => {
    const parts = { clock: manualClock(0), random: seededRandom(1), log: silentLog };
    await using _ = await openDataDirectory(data, parts);
    expect((await checkDirectory(data))?.held).toBe(true);
    expect(await found('held by')).toMatchObject([
      { level: 'ok', finding: `process ${process.pid} since 1970-01-01T00:00:00.000Z` },
    ]);
    await rm(join(data, 'holder.json'));
    expect((await checkDirectory(data))?.held).toBe(true);
    expect(await found('held by')).toMatchObject([{ finding: 'a process that is not named since unknown' }]);
  });

  it('reads nothing of a directory whose lock it cannot read', async () => {
    await writeFile(join(data, 'lock.sqlite'), 'no lock file');
    expect((await checkDirectory(data))?.held).toBe(true);
    expect(await found('held by')).toMatchObject([{ level: 'warn' }]);
  });
});
