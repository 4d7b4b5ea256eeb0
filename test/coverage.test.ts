import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { coveragePage } from '../scripts/coverage-page.ts';

it('docs/coverage.md says what the server answers (else run npm run coverage)', async () => {
  expect(readFileSync('docs/coverage.md', 'utf8')).toBe(await coveragePage());
});
