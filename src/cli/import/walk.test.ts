import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLogFiles } from './walk.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cairn-walk-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

async function write(path: string, text = 'x'): Promise<string> {
  const file = join(root, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, text);
  return file;
}

const names = (files: readonly { readonly path: string }[]) => files.map(({ path }) => relative(root, path));

describe('findLogFiles', () => {
  it('finds log files in directory trees, in the order of their names, with their sizes', async () => {
    await write('2026/11/02/b.json.gz', 'four');
    await write('2026/11/01/a.json');
    await write('2026/11/10/c.JSON.GZ');
    await write('2026/notes.txt');
    await write('2026/x.json.gz.tmp');
    const walk = await findLogFiles([root]);
    expect(names(walk.files)).toEqual(['2026/11/01/a.json', '2026/11/02/b.json.gz', '2026/11/10/c.JSON.GZ']);
    expect(walk.files[1]?.sizeBytes).toBe(4);
    expect(walk.unreadable).toEqual([]);
    expect(walk.passedOver).toEqual([{ what: 'other file', count: 2 }]);
  });

  it('takes a file that is named itself, whatever its name', async () => {
    const file = await write('export.log');
    expect(names((await findLogFiles([file])).files)).toEqual(['export.log']);
  });

  it('follows symbolic links and ends where they form a circle', async () => {
    await write('tree/a.json');
    await symlink('..', join(root, 'tree', 'up'));
    await symlink('.', join(root, 'tree', 'self'));
    const outside = await mkdtemp(join(tmpdir(), 'cairn-walk-outside-'));
    await writeFile(join(outside, 'b.json'), 'x');
    await symlink(outside, join(root, 'tree', 'linked'));
    await symlink('loop', join(root, 'loop'));
    await symlink('nowhere', join(root, 'gone.json'));
    const walk = await findLogFiles([join(root, 'tree'), root]);
    expect(names(walk.files).toSorted()).toEqual(['tree/a.json', 'tree/linked/b.json']);
    // The link is met on the way up and down again, under whichever path comes first, but once.
    expect(walk.unreadable).toEqual([
      { path: expect.stringMatching(/gone\.json$/), reason: 'no such file or directory' },
    ]);
    await rm(outside, { recursive: true });
  });

  it('names paths that cannot be read', async () => {
    const walk = await findLogFiles([join(root, 'absent')]);
    expect(walk).toEqual({
      files: [],
      unreadable: [{ path: join(root, 'absent'), reason: 'no such file or directory' }],
      passedOver: [],
    });
  });

  it.skipIf(process.getuid?.() === 0)('names directories without permission (skipped for root)', async () => {
    await write('closed/a.json');
    await chmod(join(root, 'closed'), 0);
    const walk = await findLogFiles([root]);
    await chmod(join(root, 'closed'), 0o700);
    expect(walk.unreadable).toEqual([{ path: join(root, 'closed'), reason: 'no permission to read it' }]);
  });

  it('counts the other kinds of files in a bucket instead of taking them for broken', async () => {
    const at = 'AWSLogs/123456789012';
    await write(
      `${at}/CloudTrail/eu-central-1/2026/11/22/123456789012_CloudTrail_eu-central-1_20261122T1200Z_aaaaaaaaaaaaaaaa.json.gz`,
    );
    const digest = await write(
      `${at}/CloudTrail-Digest/eu-central-1/2026/11/22/123456789012_CloudTrail-Digest_eu-central-1_main_eu-central-1_20261122T120000Z.json.gz`,
    );
    await write(
      `${at}/Config/eu-central-1/2026/11/22/ConfigSnapshot/123456789012_Config_eu-central-1_ConfigSnapshot_20261122T120000Z_x.json.gz`,
    );
    const walk = await findLogFiles([root]);
    expect(walk.files).toHaveLength(1);
    expect(walk.passedOver).toEqual([
      { what: 'CloudTrail digest file', count: 1 },
      { what: 'AWS Config file', count: 1 },
    ]);
    expect((await findLogFiles([digest])).files).toHaveLength(1);
  });
});
