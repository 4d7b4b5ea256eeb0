import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../kernel/index.ts';
import { replaceText, replaceTextOf } from '../whole-file.ts';
import { DirectoryLostError, lockDirectory } from './directory-lock.ts';

async function* texts() {
  yield 'in ';
  yield 'parts';
}

it('a small file is put into no directory that another process has made in the place of the one that was held', async () => {
  const home = mkdtempSync(join(tmpdir(), 'cairn-held-'));
  const directory = join(home, 'data');
  mkdirSync(directory);
  try {
    using lock = lockDirectory(directory, systemClock);
    const file = join(directory, 'head.json');
    await replaceText(file, 'mine');
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    writeFileSync(join(directory, 'holder.json'), '{"pid":1,"host":"elsewhere","since":"now"}\n');
    await expect(replaceText(file, 'mine again')).rejects.toThrow(DirectoryLostError);
    await expect(replaceTextOf(file, texts())).rejects.toThrow(DirectoryLostError);
    expect(readdirSync(directory)).toEqual(['holder.json']);
    // Beside it, nothing is held.
    await replaceText(join(home, 'data-too'), 'free');
    await replaceTextOf(join(home, 'data-too'), texts());
    expect(readFileSync(join(home, 'data-too'), 'utf8')).toBe('in parts');
    expect(lock.lost()).toBeInstanceOf(DirectoryLostError);
  } finally {
    rmSync(home, { recursive: true });
  }
});
