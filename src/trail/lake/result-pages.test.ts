import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { limits } from '../../kernel/index.ts';
import { openResultFiles, type ResultRow } from './result-pages.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-result-pages-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Rows of many lengths around those of a read, of characters that a read can end within. */
const rows: readonly ResultRow[] = [3, 262_143, 1, 5_000_000, 262_144, 0, 0, 700_001, 12].map(
  (length, at) => [String(at), 'é🙂\n'.repeat(length / 4), null],
);

async function open(id: string, shown: readonly ResultRow[]) {
  const files = openResultFiles(directory);
  await writeFile(files.pathOf(id), shown.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return files;
}

it.each([1, 2, 4, 100])('gives every row once, in pages of %i', async (limit) => {
  const files = await open('all', rows);
  const found: ResultRow[] = [];
  for (let next: number | undefined = 0; next !== undefined;) {
    const page = await files.page('all', next, limit);
    expect(page!.rows.length).toBeLessThanOrEqual(limit);
    found.push(...page!.rows);
    next = page!.next;
  }
  expect(found).toEqual(rows);
  const [all] = await Array.fromAsync(files.pages('all'));
  expect(all!.length).toBeLessThan(rows.length);
});

it('ends a page early where its rows are large', async () => {
  const large = Array.from({ length: 5 }, (_, at) => [String(at), 'x'.repeat(limits.searchPageBytes)]);
  const files = await open('large', large);
  const { rows: first = [], next } = (await files.page('large', 0, 1000)) ?? {};
  expect(first.map(([at]) => at)).toEqual(['0']);
  expect((await files.page('large', next!, 1000))!.rows.map(([at]) => at)).toEqual(['1']);
});

it('has none of a query whose rows are gone', async () => {
  const files = await open('gone', rows);
  await files.remove('gone');
  expect(await files.page('gone', 0, 10)).toBeUndefined();
});
