import { seededRandom, type Random } from '../../src/kernel/index.ts';

/**
 * Runs a simulation under `count` seeds, from `CAIRN_SEED` on (by default 1). A failure names its seed, and
 * `CAIRN_SEED=n` runs that one first.
 */
export async function forEachSeed(count: number, run: (random: Random) => Promise<void>): Promise<void> {
  const first = Number(process.env['CAIRN_SEED'] ?? 1);
  for (let seed = first; seed < first + count; seed += 1) {
    try {
      await run(seededRandom(seed));
    } catch (error) {
      throw new Error(`seed ${seed} failed (CAIRN_SEED=${seed} repeats it): ${String(error)}`, {
        cause: error,
      });
    }
  }
}
