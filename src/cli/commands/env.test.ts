import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellQuote } from './env.ts';

describe('shellQuote', () => {
  it('leaves plain words alone', () => {
    expect(shellQuote('http://127.0.0.1:4747')).toBe('http://127.0.0.1:4747');
    expect(shellQuote('')).toBe("''");
  });

  it('comes through a shell unchanged, whatever it is', () => {
    const words = fc.sample(
      fc.string({ unit: 'binary' }).map((word) => word.replaceAll('\0', '').toWellFormed()),
      { numRuns: 200, seed: 4747 },
    );
    words.push("it's", '$(id)', '`id`', '"', '\\', '\n', '!', '-n', '*');
    const script = `printf '%s\\0' ${words.map(shellQuote).join(' ')}`;
    const printed = execFileSync('/bin/sh', ['-c', script]).toString('utf8');
    expect(printed.split('\0').slice(0, -1)).toEqual(words);
  });
});
