import { expect, it } from 'vitest';
import { sequence } from '../../kernel/index.ts';
import { openTailWindow } from './tail-window.ts';

it('gives large records a few at a time, and all of them in the end', () => {
  const window = openTailWindow(sequence(0));
  const entries = Array.from({ length: 20 }, (_, index) => ({
    sequence: sequence(index),
    time: 0,
    kind: 'imported' as const,
    payload: Buffer.alloc(250_000, 0x20),
    hash: new Uint8Array(32),
  }));
  window.push(entries, true);
  const seen: number[] = [];
  for (let from = sequence(0); from < window.end;) {
    const { records, next } = window.read(from, 512);
    expect(records.length).toBeLessThanOrEqual(5);
    seen.push(...records.map((record) => record.sequence));
    from = next;
  }
  expect(seen).toEqual(entries.map((entry) => entry.sequence));
});
