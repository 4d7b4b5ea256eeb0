import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // See "Threads and memory" in ARCHITECTURE.md.
    execArgv: ['--no-memory-protection-keys'],
    // What hangs must end; what is slow because the machine has other work must not fail for it.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
