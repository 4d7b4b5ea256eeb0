import type { Sequence } from '../../kernel/index.ts';
import type { Cursors } from '../cursor-port.ts';

/** Opens cursors that are kept in memory alone. */
export async function openMemoryCursors(): Promise<Cursors> {
  const saved = new Map<string, Sequence>();
  return {
    all: () => saved,
    async save(name, sequence) {
      saved.set(name, sequence);
    },
    async [Symbol.asyncDispose]() {},
  };
}
