import type { TimeStretch } from '../../columns-port.ts';
import type { EngineInstance } from './engine-instance.ts';
import type { EngineFile } from './engine-messages.ts';

/** The bound in epoch milliseconds: of several the one that is left when all hold. */
function boundOf(name: 'greatest' | 'least', bounds: readonly string[]): string {
  return bounds.length === 0 ? 'NULL' : `epoch_ms(${name}(${bounds.join(', ')}))`;
}

/**
 * The files that can have rows of these stretches of time. Opening a file takes about two milliseconds, whether it has any or not.
 * The engine works the bounds out, so that they mean what they mean in the query; those on which it fails count as none.
 */
export async function filesOfTimes(
  engine: EngineInstance,
  files: readonly EngineFile[],
  stretches: readonly TimeStretch[] | undefined,
): Promise<readonly EngineFile[]> {
  if (stretches === undefined) return files;
  const rows = stretches.map(
    ({ atLeast, atMost }) => `SELECT ${boundOf('greatest', atLeast)} AS a, ${boundOf('least', atMost)} AS z`,
  );
  // Times of files are whole milliseconds, rounded down.
  const spans = await engine.rows(rows.join(' UNION ALL ')).then(
    (found) =>
      found.map(([from, to]) => ({
        from: Number(from ?? -Infinity) - 1,
        to: Number(to ?? Infinity) + 1,
      })),
    () => undefined,
  );
  if (spans === undefined) return files;
  return files.filter((file) => spans.some(({ from, to }) => file.from <= to && file.to >= from));
}
