import { describe, expect, it } from 'vitest';
import { usableMemory } from './memory-limits.ts';

const giB = 1024 ** 3;

describe('usableMemory', () => {
  it("is a container's share where one is set, and the machine's where none is", () => {
    expect(usableMemory(24 * giB, giB)).toBe(giB);
    expect(usableMemory(24 * giB, 0)).toBe(24 * giB);
    // What control groups of version 1 and 2 say of no limit.
    expect(usableMemory(24 * giB, 2 ** 64 - 1)).toBe(24 * giB);
  });
});
